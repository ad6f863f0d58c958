trait Mail {
    #[airlock::task]
    fn send(order_id: u64);
}

fn main() {}
