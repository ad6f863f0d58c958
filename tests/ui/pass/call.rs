#[airlock::task]
fn send(order_id: u64, to: String) {
    let _ = (order_id, to);
}

fn main() -> airlock::Result<()> {
    airlock::scope().run(|| {
        send(1, "called".to_owned());
        let id = send::enqueue(2, "enqueued".to_owned())?;
        let with = send::enqueue_with(airlock::Options::new().label("late"), 3, String::new())?;
        assert_ne!(id, with);
        Ok(())
    })
}
