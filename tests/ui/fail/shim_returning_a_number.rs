#[airlock::task(shim)]
fn send(order_id: u64) -> u8 {
    u8::try_from(order_id).unwrap()
}

fn main() {}
