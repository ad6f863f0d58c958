#[airlock::task]
fn send(#[name = ""] to: String) {
    let _ = to;
}

fn main() {}
