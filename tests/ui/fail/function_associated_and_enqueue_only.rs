struct Mailer;

impl Mailer {
    #[airlock::task(enqueue_only)]
    fn send(order_id: u64) {
        let _ = order_id;
    }
}

fn main() {
    let _ = Mailer;
}
