#[airlock::task(expires = "30m1h")]
fn send(order_id: u64) {
    let _ = order_id;
}

fn main() {}
