#[airlock::task]
fn send(order_id: u64) {
    let _ = order_id;
}

fn main() {
    let _ = send::enqeue(42);
}
