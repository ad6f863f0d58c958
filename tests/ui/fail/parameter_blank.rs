#[airlock::task]
fn send(id: Option<_>) {
    let _ = id;
}

fn main() {
    drop(send::intent(Some(1)));
}
