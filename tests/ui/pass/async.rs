#[airlock::task]
async fn send(order_id: u64) -> Result<(), String> {
    std::future::ready(order_id).await;
    Ok(())
}

fn main() {
    let _ = send::intent(42);
}
