//! Seven mistakes.

#[airlock::task(quue = "mail", priority = 12, delay = "soon")]
fn send<T>(to: &str, (a, b): (u8, u8), #[redcat] token: String) {
    let _ = (to, a, b, token);
}

fn main() {}
