#[airlock::task(quue = "mail", priority = 12, delay = "soon")]
fn send<T>(self, to: &str, (a, b): (u8, u8)) {
    let _ = (to, a, b);
}

fn main() {}
