//! One mistake, and calls that are right.

#[airlock::task(quue = "mail")]
fn send(order_id: u64) {
    let _ = order_id;
}

fn domain() -> airlock::Result<()> {
    send(1);
    send::enqueue(2)?;
    send::enqueue_with(airlock::Options::new(), 3)?;
    drop(send::intent(4));
    let _ = airlock::BlockTasks::of::<(send,)>();
    Ok(())
}

fn main() {
    domain().unwrap();
}
