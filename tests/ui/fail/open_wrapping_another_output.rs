async fn count_orders() -> u64 {
    42
}

async fn checkout() {
    let scope = airlock::scope().open();
    println!("{}", scope.wrap(count_orders()).await);
    drop(scope.flush_async().await);
}

fn main() {
    drop(checkout());
}
