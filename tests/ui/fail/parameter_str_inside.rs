#[airlock::task]
async fn send(text: Option<str>) {
    let _ = text;
}

fn main() {}
