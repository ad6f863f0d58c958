#[airlock::task]
fn send(#[redacted] token: String) {
    let _ = token;
}

fn main() {}
