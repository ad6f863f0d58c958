#[airlock::task(queue = "mail", priority = 3, queue = "post")]
fn send(order_id: u64) {
    let _ = order_id;
}

fn main() {}
