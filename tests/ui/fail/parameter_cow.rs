use std::borrow::Cow;

#[airlock::task]
fn send(text: Option<Cow<str>>) {
    let _ = text;
}

fn main() {
    send(None);
    drop(send::intent(None));
}
