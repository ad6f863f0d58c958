//! One mistake, and a call that would be right.

#[airlock::task]
fn send<T: ToString>(order_id: T) {
    let _ = order_id.to_string();
}

fn main() {
    let _ = send::enqueue(1);
}
