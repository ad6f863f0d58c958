#[airlock::task]
fn send(order_id: u64) -> ! {
    panic!("{order_id}")
}

fn main() {}
