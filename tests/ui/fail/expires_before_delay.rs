#[airlock::task(delay = "1h", expires = "5m")]
fn send(order_id: u64) {
    let _ = order_id;
}

fn main() {}
