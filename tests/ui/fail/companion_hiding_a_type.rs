#[airlock::task]
fn u64(order_id: u64) {
    let _ = order_id;
}

fn main() {
    u64(1);
}
