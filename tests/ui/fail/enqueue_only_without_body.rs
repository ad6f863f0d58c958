#[airlock::task(enqueue_only)]
fn send(order_id: u64);

fn main() {}
