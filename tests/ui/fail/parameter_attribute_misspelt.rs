#[airlock::task]
fn send(#[defualt] order_id: u64) {
    let _ = order_id;
}

fn main() {}
