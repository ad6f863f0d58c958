#[airlock::task]
fn send(#[name = "from"] #[name = "whom"] to: String) {
    let _ = to;
}

fn main() {}
