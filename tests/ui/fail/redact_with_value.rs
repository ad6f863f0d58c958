#[airlock::task]
fn send(#[redact(all)] token: String) {
    let _ = token;
}

fn main() {}
