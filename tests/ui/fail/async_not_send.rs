use std::rc::Rc;

#[airlock::task]
async fn send(order_id: u64) {
    let order_id = Rc::new(order_id);
    std::future::ready(()).await;
    drop(order_id);
}

fn main() {}
