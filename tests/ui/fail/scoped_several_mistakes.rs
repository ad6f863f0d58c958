//! Three mistakes.

#[airlock::scoped(polcy = airlock::DropAll, deadline = 5, name = "")]
fn checkout() -> airlock::Result<()> {
    Ok(())
}

fn main() {}
