#![deny(warnings)]

#[airlock::task(enqueue_only)]
#[deprecated = "use `mail`"]
fn send(order_id: u64) {
    let _ = order_id;
}

fn main() {
    let _ = send::enqueue(1);
}
