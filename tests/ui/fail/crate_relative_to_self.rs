#[airlock::task(crate = self::airlock)]
fn send(order_id: u64) {
    let _ = order_id;
}

fn main() {}
