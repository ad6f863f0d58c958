use airlock::Task;

#[airlock::task(
    name = "shop.send",
    aliases = ["send"],
    queue = "mail",
    priority = 5,
    max_retries = 3,
    delay = "5m",
    expires = "1h",
    timeout = "90s",
    positional,
    enqueue_only,
    companion = SendEmail,
    crate = ::airlock,
)]
fn send_email(order_id: u64, #[redact] #[default] token: String, #[state] name: &String) {
    let _ = (order_id, token, name);
}

fn main() {
    assert_eq!(SendEmail::definition().name, "shop.send");
}
