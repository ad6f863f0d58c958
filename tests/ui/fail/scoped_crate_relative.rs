#[airlock::scoped(crate = facade::airlock)]
fn checkout() -> airlock::Result<()> {
    Ok(())
}

fn main() {}
