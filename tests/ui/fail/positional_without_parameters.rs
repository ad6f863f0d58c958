#[airlock::task(positional)]
fn send() {}

fn main() {}
