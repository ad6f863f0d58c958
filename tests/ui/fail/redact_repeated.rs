#[airlock::task]
fn send(#[redact] #[redact] token: String) {
    let _ = token;
}

fn main() {}
