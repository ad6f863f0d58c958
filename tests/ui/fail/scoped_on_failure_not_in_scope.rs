#[airlock::scoped(on_failure = FailFast)]
fn checkout() -> airlock::Result<()> {
    Ok(())
}

fn main() {}
