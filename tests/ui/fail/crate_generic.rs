#[airlock::task(crate = ::airlock::<u8>)]
fn send(order_id: u64) {
    let _ = order_id;
}

fn main() {}
