#[airlock::scoped(deadline = "5")]
fn checkout() -> airlock::Result<()> {
    Ok(())
}

fn main() {}
