#[airlock::task(max_retries = -1)]
fn send(order_id: u64) {
    let _ = order_id;
}

fn main() {}
