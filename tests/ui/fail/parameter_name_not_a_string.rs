#[airlock::task]
fn send(#[name(from)] to: String) {
    let _ = to;
}

fn main() {}
