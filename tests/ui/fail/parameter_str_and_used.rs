//! Two mistakes, and calls that would be right.

struct Mailer;

#[airlock::task]
fn send(order_id: u64, to: &str, (a, b): (u8, u8), #[state] mailer: &Mailer) {
    let _ = (order_id, to, a, b, mailer);
}

fn domain() -> airlock::Result<()> {
    send(1, "ada", (2, 3), &Mailer);
    send::enqueue(1, "ada", (2, 3))?;
    send::enqueue_with(airlock::Options::new(), 1, "ada", (2, 3))?;
    Ok(())
}

fn main() {
    domain().unwrap();
}
