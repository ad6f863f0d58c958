mod mail {
    #[airlock::task(enqueue_only)]
    pub async fn send(order_id: u64) -> Result<(), String> {
        Err(order_id.to_string())
    }
}

async fn domain() {
    let _ = mail::send(42).await;
}

fn main() {
    drop(domain());
}
