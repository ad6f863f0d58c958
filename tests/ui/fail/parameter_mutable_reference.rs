#[airlock::task]
fn send(to: &mut u64) {
    let _ = to;
}

fn main() {}
