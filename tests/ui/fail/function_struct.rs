#[airlock::task]
struct Send {
    order_id: u64,
}

fn main() {}
