#[airlock::task]
fn send<T: ToString>(order_id: T) {
    drop(order_id);
}

fn main() {}
