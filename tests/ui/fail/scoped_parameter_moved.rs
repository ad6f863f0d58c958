#[airlock::scoped]
async fn checkout(order: String) -> airlock::Result<usize> {
    drop(order);
    Ok(order.len())
}

fn main() {}
