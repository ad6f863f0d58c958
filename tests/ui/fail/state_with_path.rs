#[airlock::task]
fn send(order_id: u64, #[airlock::state] name: &str) {
    let _ = (order_id, name);
}

fn main() {}
