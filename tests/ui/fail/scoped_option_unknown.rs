#[airlock::scoped(polcy = airlock::AllowAll)]
fn checkout() -> airlock::Result<()> {
    Ok(())
}

fn main() {}
