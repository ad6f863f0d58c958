#[airlock::task(enqueue_only)]
fn send(order_id: u64) {
    assert_eq!(order_id, 42);
}

#[airlock::task(enqueue_only)]
async fn charge(mut order_id: u64) -> Result<(), String> {
    order_id += 1;
    std::future::ready(order_id).await;
    Ok(())
}

fn main() -> airlock::Result<()> {
    airlock::scope().run(|| send::enqueue(42).map(drop).map_err(airlock::Error::from))?;
    let _ = charge::intent(1);
    // A test that wants to run it says so.
    send::intent(42).call().map_err(airlock::Error::other)
}
