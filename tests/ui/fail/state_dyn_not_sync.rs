trait Mailer {}

#[airlock::task]
fn send(order_id: u64, #[state] mailer: &dyn Mailer) {
    let _ = (order_id, mailer);
}

fn main() {}
