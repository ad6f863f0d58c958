#[airlock::task]
fn send(
    order_id: u64,
    #[cfg(any())] never: u64,
    #[cfg(all())] always: bool,
    #[cfg_attr(all(), redact)] token: String,
) {
    let _ = (order_id, always, token);
}

#[cfg(any())]
#[airlock::task]
fn gone(order_id: Unknown) {}

#[cfg(all())]
#[airlock::task]
fn here(#[cfg(any())] gone: Unknown);

fn main() {
    assert_eq!(send::intent(42, true, String::new()).to_string(), "send(order_id=42, always=true, token=***)");
    assert_eq!(here::intent().to_string(), "here()");
    assert!(airlock::registry().get("gone").is_none());
}
