#[airlock::task]
fn send(to: Option<&[u8]>) {
    let _ = to;
}

fn main() {}
