#[airlock::task]
fn send(order_id: u64, #[stat] name: &str) {
    let _ = (order_id, name);
}

fn main() {}
