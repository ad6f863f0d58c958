struct Failed;

#[airlock::task]
async fn send(order_id: u64) -> Result<(), Failed> {
    if order_id == 0 { Err(Failed) } else { Ok(()) }
}

fn main() {}
