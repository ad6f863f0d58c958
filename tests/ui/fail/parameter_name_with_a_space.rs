#[airlock::task]
fn send(#[name = "to whom"] to: String) {
    let _ = to;
}

fn main() {}
