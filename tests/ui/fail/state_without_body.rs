struct Mailer;

#[airlock::task]
fn send(order_id: u64, #[state] mailer: &Mailer);

fn main() {}
