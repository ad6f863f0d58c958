#[airlock::scoped]
fn checkout(count: u64) -> airlock::Result<()> {
    count += 1;
    Ok(())
}

fn main() {}
