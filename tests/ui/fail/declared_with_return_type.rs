#[airlock::task]
fn send(order_id: u64) -> Result<(), String>;

fn main() {}
