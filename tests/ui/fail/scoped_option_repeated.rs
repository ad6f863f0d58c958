#[airlock::scoped(name = "a", name = "b")]
fn checkout() -> airlock::Result<()> {
    Ok(())
}

fn main() {}
