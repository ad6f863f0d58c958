#[airlock::task]
fn send(order_id: u64);

fn checkout() {
    send(42);
}

fn main() {}
