use airlock::Task;

#[airlock::task(name = "shop.send", aliases = ["send", "mail"])]
fn send(order_id: u64) {
    let _ = order_id;
}

fn main() {
    assert_eq!(send::definition().aliases, ["send", "mail"]);
    assert_eq!(airlock::registry().get("mail").map(|task| task.name), Some("shop.send"));
}
