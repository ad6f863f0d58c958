#[airlock::task(shim)]
fn send(order_id: u64) -> Result<(), std::io::Error> {
    let _ = order_id;
    Ok(())
}

fn main() {}
