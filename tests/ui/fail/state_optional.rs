struct Mailer;

#[airlock::task]
fn send(order_id: u64, #[state] mailer: Option<&Mailer>) {
    let _ = (order_id, mailer);
}

fn main() {}
