#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Text<'a>(std::borrow::Cow<'a, str>);

#[airlock::task]
fn send(order_id: u64, text: Text) {
    let _ = (order_id, text);
}

fn main() {}
