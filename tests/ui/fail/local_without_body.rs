#[airlock::task(local)]
fn send(order_id: u64);

fn main() {}
