#[airlock::task]
fn send(#[default] #[default = 5] priority: u8) {
    let _ = priority;
}

fn main() {}
