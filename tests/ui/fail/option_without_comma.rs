#[airlock::task(queue = "mail" priority = 5)]
fn send(order_id: u64) {
    let _ = order_id;
}

fn main() {}
