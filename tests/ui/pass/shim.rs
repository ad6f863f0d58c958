#![deny(warnings)]

#[airlock::task(shim)]
fn send(order_id: u64) {
    assert_eq!(order_id, 42);
}

#[airlock::task(shim)]
async fn charge(mut order_id: u64) -> airlock::Result<()> {
    order_id += 1;
    std::future::ready(order_id).await;
    Ok(())
}

#[allow(deprecated, reason = "the code this shim is for")]
fn legacy() {
    send(42);
    drop(charge(42));
}

fn main() {
    legacy();
    airlock::scope().run(legacy).unwrap();
}
