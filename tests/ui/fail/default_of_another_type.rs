#[airlock::task]
fn send(order_id: u64, #[default = "soon"] priority: u8) {
    let _ = (order_id, priority);
}

fn main() {}
