#[airlock::task]
#[inline]
fn send(order_id: u64);

fn main() {}
