//! The code under test.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use airlock::Options;
use serde::{Deserialize, Serialize};

#[airlock::task(name = "shop.send_email")]
pub(crate) fn send_email(order_id: u64, subject: String, #[redact] token: String) {
    let _ = (order_id, subject, token);
}

#[airlock::task(name = "shop.charge", queue = "payments")]
pub(crate) fn charge(order_id: u64, amount: f64) -> Result<(), String> {
    let _ = order_id;
    if amount > 0.0 { Ok(()) } else { Err("there is nothing to charge".to_owned()) }
}

#[airlock::task(name = "shop.restock")]
pub(crate) fn restock(stock: HashMap<String, u32>, r#type: Option<u128>) {
    let _ = (stock, r#type);
}

#[airlock::task(name = "warehouse.notify")]
pub(crate) fn notify(order_id: u64);

/// Enqueues in a scope of its own, with an executor that must not be reached from a test.
#[airlock::task(name = "shop.ship")]
#[airlock::scoped(executor = forbidden())]
pub(crate) fn ship(order_id: u64) -> airlock::Result<()> {
    notify::enqueue(order_id)?;
    charge::enqueue(order_id, 5.0)?;
    Ok(())
}

#[airlock::task(name = "shop.ship_async")]
#[airlock::scoped]
pub(crate) async fn ship_async(order_id: u64) -> airlock::Result<()> {
    tokio::task::yield_now().await;
    charge::enqueue(order_id, 7.0)?;
    Ok(())
}

/// Forgot its scope.
#[airlock::task(name = "shop.unscoped")]
pub(crate) fn unscoped(order_id: u64) -> airlock::Result<()> {
    charge::enqueue(order_id, 1.0)?;
    Ok(())
}

/// Enqueues itself without end.
#[airlock::task(name = "shop.forever")]
#[airlock::scoped]
pub(crate) fn forever(n: u64) -> airlock::Result<()> {
    forever::enqueue(n + 1)?;
    Ok(())
}

#[airlock::task(name = "shop.panics")]
pub(crate) fn panics() {
    panic!("out of paper");
}

/// A type that is written under one name and read under another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Crooked {
    #[serde(rename(serialize = "centimes"), default)]
    pub(crate) cents: u32,
}

#[airlock::task(name = "shop.crooked")]
pub(crate) fn crooked(amount: Crooked) {
    let _ = amount;
}

/// A type whose keys are no strings.
#[airlock::task(name = "shop.keyed")]
pub(crate) fn keyed(map: BTreeMap<(u8, u8), u8>) {
    let _ = map;
}

pub(crate) fn forbidden() -> impl airlock::Executor {
    airlock::executor_fn(|intent| Err(format!("{} escaped from a test", intent.name())))
}

pub(crate) static RAN: Mutex<Vec<u64>> = Mutex::new(Vec::new());

#[airlock::task(name = "shop.remember")]
pub(crate) fn remember(order_id: u64) {
    RAN.lock().unwrap().push(order_id);
}

/// Domain code without a scope.
pub(crate) fn process(order_id: u64) -> airlock::Result<&'static str> {
    charge::enqueue(order_id, 9.5)?;
    send_email::enqueue(order_id, "thanks".to_owned(), "canary".to_owned())?;
    let options = Options::new().queue("slow").priority(3).header("tenant", "canary").extra("celery", "key", "canary");
    send_email::enqueue_with(options, order_id + 1, "also thanks".to_owned(), "canary".to_owned())?;
    Ok("processed")
}

/// The same in a scope, as a caller has it.
#[airlock::scoped(executor = forbidden())]
pub(crate) fn checkout(order_id: u64) -> airlock::Result<&'static str> {
    let processed = process(order_id)?;
    if order_id == 0 { Err(airlock::Error::other("there is no order 0")) } else { Ok(processed) }
}
