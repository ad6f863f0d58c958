trait Mailer {}

#[airlock::task]
fn send(order_id: u64, #[state] mailer: &impl Mailer) {
    let _ = (order_id, mailer);
}

fn main() {}
