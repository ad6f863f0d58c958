#[airlock::task(delay = "5m", expires = "6m")]
fn send(order_id: u64) {
    let _ = order_id;
}

fn main() {
    let _ = send::intent(42);
}
