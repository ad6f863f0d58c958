#[airlock::task(positional)]
fn send(order_id: u64, #[default] express: bool) {
    let _ = (order_id, express);
}

fn main() {
    assert_eq!(send::intent(42, true).to_json().unwrap().get(), "[42,true]");
}
