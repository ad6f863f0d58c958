#[airlock::task]
fn send(from: String, #[name = "from"] to: String) {
    let _ = (from, to);
}

fn main() {}
