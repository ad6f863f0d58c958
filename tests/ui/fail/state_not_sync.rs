use std::cell::Cell;

#[airlock::task]
fn send(order_id: u64, #[state] count: &Cell<u64>) {
    count.set(order_id);
}

fn main() {}
