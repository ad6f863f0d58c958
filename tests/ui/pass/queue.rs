use airlock::Task;

#[airlock::task(queue = "mail")]
fn send(order_id: u64) {
    let _ = order_id;
}

fn main() {
    assert_eq!(send::definition().options.get_queue(), Some("mail"));
}
