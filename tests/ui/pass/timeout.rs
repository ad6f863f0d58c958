use std::time::Duration;

#[airlock::task(delay = "5m", expires = "1h30m", timeout = "90s")]
fn send(order_id: u64) {
    let _ = order_id;
}

fn main() {
    let options = &send::intent(42).task().options;
    assert_eq!(options.get_timeout(), Some(Duration::from_secs(90)));
}
