async fn place_order(id: u64) -> airlock::Result<u64> {
    Ok(id)
}

async fn checkout() -> airlock::Result<u64> {
    let scope = airlock::scope().open();
    let first = scope.wrap(place_order(1)).await?;
    scope.wrap(async {}).await;
    scope.flush_async().await?;
    Ok(first)
}

fn main() {
    fn is_send<T: Send>(future: T) -> T {
        future
    }

    drop(is_send(checkout()));
}
