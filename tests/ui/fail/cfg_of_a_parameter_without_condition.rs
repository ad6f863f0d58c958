#[airlock::task]
fn send(#[cfg()] order_id: u64) {
    let _ = order_id;
}

fn main() {}
