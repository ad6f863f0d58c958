/// As a crate that re-exports airlock under a path of its own.
mod facade {
    pub use airlock as inner;
}

#[airlock::task(crate = crate::facade::inner)]
fn send(order_id: u64) {
    let _ = order_id;
}

#[airlock::scoped(crate = crate::facade::inner)]
fn checkout() -> airlock::Result<()> {
    send::enqueue(42)?;
    Ok(())
}

macro_rules! facade {
    ($task:ident in $scope:ident) => {
        #[$crate::facade::inner::task(crate = $crate::facade::inner, enqueue_only)]
        fn $task(order_id: u64) {
            let _ = order_id;
        }

        #[$crate::facade::inner::scoped(crate = $crate::facade::inner, deadline = "1s")]
        async fn $scope(order_id: u64) -> airlock::Result<()> {
            $task::enqueue(order_id)?;
            Ok(())
        }
    };
}

facade!(notify in notified);

fn main() -> airlock::Result<()> {
    drop(notified(1));
    checkout()
}
