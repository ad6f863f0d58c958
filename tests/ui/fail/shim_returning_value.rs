#[airlock::task(shim)]
fn send(order_id: u64) -> Result<u64, String> {
    Ok(order_id)
}

fn main() {}
