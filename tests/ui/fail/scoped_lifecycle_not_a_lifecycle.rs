#[airlock::scoped(lifecycle = airlock::AllowAll)]
fn checkout() -> airlock::Result<()> {
    Ok(())
}

fn main() {}
