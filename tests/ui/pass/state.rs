trait Store: Send + Sync {
    fn name(&self) -> &str;
}

impl Store for String {
    fn name(&self) -> &str {
        self
    }
}

struct Mailer(u64);

#[airlock::task]
fn send(#[state] mailer: &Mailer, order_id: u64, #[state] store: &dyn Store) {
    assert_eq!((mailer.0, order_id, store.name()), (1, 42, "disk"));
}

#[airlock::task]
async fn archive(#[state] store: &(dyn Store + 'static), order_id: u64) {
    std::future::ready((store.name(), order_id)).await;
}

fn main() -> airlock::Result<()> {
    airlock::provide(Mailer(1));
    airlock::provide_arc::<dyn Store>(std::sync::Arc::new("disk".to_owned()));
    let _ = archive::intent(42);
    airlock::scope().run(|| send::enqueue(42).map(drop).map_err(airlock::Error::from))
}
