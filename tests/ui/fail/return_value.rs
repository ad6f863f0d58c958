#[airlock::task]
fn send(order_id: u64) -> u64 {
    order_id
}

fn main() {}
