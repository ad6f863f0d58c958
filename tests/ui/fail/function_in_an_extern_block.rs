unsafe extern "C" {
    #[airlock::task]
    fn send(order_id: u64);
}

fn main() {}
