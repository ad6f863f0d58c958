use airlock::Task;

#[airlock::task(name = "shop.send")]
fn send(order_id: u64) {
    let _ = order_id;
}

#[airlock::task]
fn plain() {}

fn main() {
    assert_eq!(send::NAME, "shop.send");
    assert_eq!(plain::definition().name, "plain");
    plain();
}
