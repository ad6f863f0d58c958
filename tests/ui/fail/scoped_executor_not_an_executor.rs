#[airlock::scoped(executor = "celery")]
fn checkout() -> airlock::Result<()> {
    Ok(())
}

fn main() {}
