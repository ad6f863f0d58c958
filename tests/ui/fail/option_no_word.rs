#[airlock::task(5)]
fn send(order_id: u64) {
    let _ = order_id;
}

fn main() {}
