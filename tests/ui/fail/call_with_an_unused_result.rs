#![deny(unused_must_use)]

#[airlock::task]
fn send(order_id: u64) {
    let _ = order_id;
}

fn main() {
    send::enqueue(42);
}
