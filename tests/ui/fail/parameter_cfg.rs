#[airlock::task]
fn send(order_id: u64, #[cfg(windows)] drive: char) {
    let _ = order_id;
}

fn main() {}
