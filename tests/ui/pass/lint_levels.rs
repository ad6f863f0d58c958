#![deny(warnings)]
//! Lint levels of the function hold for what stands beside it.

#[deprecated]
#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Old;

#[allow(non_snake_case)]
#[airlock::task]
fn Send(Order: u64) {
    let _ = Order;
}

#[allow(deprecated)]
#[airlock::task(enqueue_only)]
fn only(old: Old) {
    let _ = old;
}

#[expect(deprecated)]
#[airlock::task(shim)]
fn shim(old: Old) {
    let _ = old;
}

#[airlock::task]
#[expect(deprecated)]
fn declared(old: Old);

#[airlock::task]
fn unreachable(#[default = todo!()] order_id: u64) {
    let _ = order_id;
}

#[airlock::task(shim)]
fn same(same: u64) -> airlock::Result<()> {
    assert_eq!(same, 1);
    Ok(())
}

fn main() {}
