#[airlock::task(crate = ::nowhere)]
fn send(order_id: u64) {
    let _ = order_id;
}

fn main() {
    send(1);
}
