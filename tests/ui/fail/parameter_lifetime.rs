use std::borrow::Cow;

#[airlock::task]
fn send(to: Cow<'_, str>) {
    let _ = to;
}

fn main() {}
