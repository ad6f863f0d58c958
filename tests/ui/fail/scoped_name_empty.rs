#[airlock::scoped(name = "")]
fn checkout() -> airlock::Result<()> {
    Ok(())
}

fn main() {}
