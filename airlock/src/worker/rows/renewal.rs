//! The thread that renews leases, with a runtime and a connection of its own: a program whose runtime starves keeps what it
//! holds.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use super::leases::Leases;
use crate::dispatch::DispatchError;
use crate::outbox::{Outbox, OutboxError, Store};
use crate::runtime::full_jitter;
use crate::runtime::panics::catching_panics;

/// How many leases one statement renews.
const AT_ONCE: usize = 1000;

/// How long an answer is waited for, however long the lease is.
const LONGEST: Duration = Duration::from_secs(30);

/// Dropped, it stops the thread.
#[derive(Debug)]
pub(super) struct Renewal {
    _stop: oneshot::Sender<()>,
}

impl Renewal {
    /// Starts the thread, and waits for its first attempt to connect: what is claimed after that is renewed in time.
    pub(super) async fn start(outbox: Outbox, leases: Arc<Leases>, lease: Duration) -> Result<Self, OutboxError> {
        let no_thread = |error: std::io::Error| {
            OutboxError::rejected(format!("the thread that renews leases can't start: {}", error.kind()))
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(no_thread)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let (ready, is_ready) = oneshot::channel::<()>();
        let renewing = async move {
            let mut ready = Some(ready);
            // A panic in here is a bug, and no reason to lose what is held.
            let renewing = async {
                while let Err(panicked) = catching_panics(renew(&outbox, &leases, lease, ready.take())).await {
                    tracing::error!(target: "airlock", panicked, "the renewal of leases panicked, and goes on");
                    tokio::time::sleep(lease / 30).await;
                }
            };
            tokio::select! {
                _ = stopped => {}
                () = renewing => {}
            }
        };
        let thread = thread::Builder::new().name("airlock-leases".to_owned());
        thread.spawn(move || runtime.block_on(renewing)).map_err(no_thread)?;
        // An error says that the thread has ended, and so is no one to wait for.
        let _ = is_ready.await;
        Ok(Self { _stop: stop })
    }
}

/// Renews what is held at every third of the lease, again and again until the database has answered.
async fn renew(outbox: &Outbox, leases: &Leases, lease: Duration, ready: Option<oneshot::Sender<()>>) {
    let mut store = outbox.connect_worker().await.ok();
    if let Some(ready) = ready {
        let _ = ready.send(());
    }
    loop {
        tokio::time::sleep(lease / 3).await;
        // A connection that doesn't answer must not cost the whole lease.
        let patience = (lease / 3).min(LONGEST);
        while let Err(error) = tokio::time::timeout(patience, renew_once(outbox, leases, lease, &mut store))
            .await
            .unwrap_or_else(|_| Err(DispatchError::unavailable("the database gave no answer in time")))
        {
            store = None;
            tracing::warn!(target: "airlock", error = error.reason(), "leases can't be renewed; trying again");
            tokio::time::sleep((lease / 30).max(Duration::from_millis(10)) + full_jitter(lease / 30)).await;
        }
    }
}

async fn renew_once(
    outbox: &Outbox,
    leases: &Leases,
    lease: Duration,
    store: &mut Option<Store>,
) -> Result<(), DispatchError> {
    let keys = leases.keys();
    if keys.is_empty() {
        return Ok(());
    }
    let store = match store {
        Some(store) => store,
        None => store.insert(outbox.connect_worker().await?),
    };
    for keys in keys.chunks(AT_ONCE) {
        let renewed = store.renew(keys, lease).await?;
        // An end that was recorded meanwhile has no lease either, and this worker does not hold it any more.
        keys.iter().filter(|key| !renewed.contains(*key)).for_each(|key| leases.lose(key));
    }
    Ok(())
}
