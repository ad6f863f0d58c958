#[airlock::scoped]
fn checkout(orders: &Vec<u64>) -> airlock::Result<()> {
    orders.push(1);
    Ok(())
}

fn main() {}
