#[airlock::task(enqueue_only, shim)]
fn send(order_id: u64) {
    let _ = order_id;
}

fn main() {}
