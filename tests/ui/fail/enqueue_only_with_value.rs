#[airlock::task(enqueue_only = true)]
fn send(order_id: u64) {
    let _ = order_id;
}

fn main() {}
