mod send_email {
    #[airlock::task(companion = SendEmail)]
    pub fn send_email(order_id: u64) {
        let _ = order_id;
    }
}
// Without `companion` this would import a second `send_email` beside the module.
pub use send_email::{SendEmail, send_email};

#[airlock::task(companion = SendNumber)]
fn u64(id: u64) {
    let _ = id;
}

fn main() -> airlock::Result<()> {
    send_email(1);
    u64(1);
    drop(SendNumber::intent(1));
    airlock::scope().run(|| SendEmail::enqueue(42).map(drop).map_err(airlock::Error::from))?;
    assert_eq!(<SendEmail as airlock::Task>::NAME, "send_email");
    Ok(())
}
