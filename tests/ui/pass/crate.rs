/// As a crate that re-exports airlock under a path of its own.
mod facade {
    pub use airlock as inner;
}

#[airlock::task(crate = crate::facade::inner)]
fn send(order_id: u64) {
    let _ = order_id;
}

#[airlock::scoped(crate = crate::facade::inner)]
fn checkout() -> airlock::Result<()> {
    send::enqueue(42)?;
    Ok(())
}

fn main() -> airlock::Result<()> {
    checkout()
}
