#[airlock::task]
fn send(#[cfg_attr(redact)] order_id: u64) {
    let _ = order_id;
}

fn main() {}
