#[airlock::task(shim)]
fn send(order_id: u64);

fn main() {}
