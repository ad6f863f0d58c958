#[airlock::task]
fn send(order_id: u64, to: String) {
    let _ = (order_id, to);
}

fn checkout() {
    let _ = send::enqueue("42", String::new());
}

fn main() {}
