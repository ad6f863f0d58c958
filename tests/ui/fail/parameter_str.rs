#[airlock::task]
fn send(to: &str) {
    let _ = to;
}

fn main() {}
