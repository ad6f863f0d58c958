#[airlock::scoped(queue = "mail")]
fn checkout() -> airlock::Result<()> {
    Ok(())
}

fn main() {}
