//! The order service in async code: `run_async`, a task that is awaited, and a spawned task that carries the scope.
//!
//! ```text
//! cargo run -p airlock-examples --features tokio --example quickstart_async
//! ```

#![allow(clippy::print_stdout, reason = "a program for people")]

use airlock::{Error, Scope, scope};
use airlock_examples::orders::Order;
use airlock_examples::shop;

/// An async task; the flush of an async scope awaits it.
#[airlock::task(name = "shop.refresh_stock")]
async fn refresh_stock(order_id: u64) {
    tokio::task::yield_now().await;
    println!("    stock: counted again after order {order_id}");
}

#[airlock::scoped]
#[tokio::main(flavor = "current_thread")]
async fn main() -> airlock::Result<()> {
    let ended = scope().name("checkout").run_reported_async(process(Order::sample(1))).await;
    ended.result?;
    println!("    {}", ended.flush?.to_string().replace('\n', "\n    "));

    // A future dropped half-way discards what it holds.
    let report = {
        let mut cancelled = Box::pin(scope().run_async(async {
            refresh_stock::enqueue(2)?;
            std::future::pending::<airlock::Result<()>>().await
        }));
        tokio::select! {
            biased;
            ended = &mut cancelled => ended.map(|()| "the scope ended"),
            () = tokio::task::yield_now() => Ok("the request was cancelled; nothing escaped"),
        }
    };
    println!("    {}", report?);

    // This function is `#[scoped]` itself: what is enqueued here goes out when it returns.
    refresh_stock::enqueue(3)?;
    Ok(())
}

async fn process(order: Order) -> airlock::Result<()> {
    shop::process(&order).map_err(Error::other)?;
    // Scopes don't leak into spawned tasks; a handle takes this one along.
    let scope = Scope::current().ok_or_else(|| Error::other("process needs a scope"))?;
    let spawned = tokio::spawn(scope.wrap(async move { refresh_stock::enqueue(order.id) }));
    spawned.await.map_err(Error::other)??;
    Ok(())
}
