use std::rc::Rc;

#[airlock::task]
fn send(order_id: Rc<u64>) {
    let _ = order_id;
}

fn main() {}
