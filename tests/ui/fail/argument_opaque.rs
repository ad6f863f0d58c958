struct Opaque;

#[airlock::task]
fn send(order_id: u64, opaque: Opaque) {
    let _ = (order_id, opaque);
}

fn main() {}
