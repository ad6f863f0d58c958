struct Mailer;

impl Mailer {
    #[airlock::task]
    fn send(order_id: u64) {
        let _ = order_id;
    }
}

fn main() {
    Mailer::send(42);
}
