#[airlock::task(positional)]
fn send(#[default] express: bool, order_id: u64) {
    let _ = (express, order_id);
}

fn main() {}
