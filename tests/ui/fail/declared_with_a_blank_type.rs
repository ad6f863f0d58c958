#[airlock::task]
fn send(id: _);

fn main() {}
