#[airlock::task]
fn send(_: u64) {}

fn main() {}
