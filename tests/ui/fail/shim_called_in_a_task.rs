#![deny(warnings)]

#[airlock::task(shim)]
fn send(order_id: u64) {
    let _ = order_id;
}

#[airlock::task(enqueue_only)]
fn remind(order_id: u64) {
    send(order_id);
}

fn main() {}
