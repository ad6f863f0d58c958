#[airlock::task]
fn send(ids: [u8]) {
    assert!(ids.len() > 0);
}

fn main() {
    drop(send::intent(vec![1]));
}
