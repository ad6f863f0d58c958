#[airlock::task(enqueue_only)]
fn send(order_id: u64) -> Result<impl Sized, String> {
    Ok(order_id)
}

fn main() {}
