use airlock::Task;

#[airlock::task]
fn r#type(r#in: u64) {
    let _ = r#in;
}

#[airlock::task]
fn send(send: u64) {
    let _ = send;
}

fn main() {
    r#type(1);
    send(1);
    assert_eq!(r#type::NAME, "type");
    assert_eq!(r#type::intent(1).to_string(), "type(in=1)");
    assert_eq!(send::intent(1).to_string(), "send(send=1)");
}
