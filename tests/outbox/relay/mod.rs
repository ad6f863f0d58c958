//! Rows that are handed on to an executor: what a relay makes of what that says.

mod leases;
mod options;
mod order;
mod outcomes;
mod refusals;
mod resting;
mod targets;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use airlock::{Batch, BoxFuture, DispatchError, Executor, Intent, IntentId, Worker};

use crate::home::Home;

/// Its body is elsewhere.
#[airlock::task(name = "relay.note")]
pub(crate) fn note(number: u64);

/// Another one.
#[airlock::task(name = "relay.other")]
pub(crate) fn other(number: u64);

/// A relay of the queue that intents have unless they say otherwise.
pub(crate) fn relay(home: &Home, executor: impl Executor) -> Worker {
    home.worker().queues(["default"]).through(executor)
}

/// Notes with the numbers from 0.
pub(crate) fn notes(home: &Home, count: u64) {
    home.enqueue(|| (0..count).try_for_each(|number| note::enqueue(number).map(drop)));
}

pub(crate) fn number(intent: &Intent) -> u64 {
    intent.args::<note>().or_else(|| intent.args::<other>()).expect("it is one of the two").0
}

/// What an executor has been handed, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Handed(Arc<Mutex<Vec<(IntentId, u64)>>>);

impl Handed {
    pub(crate) fn note(&self, intent: &Intent) {
        self.0.lock().expect("no panic").push((intent.id(), number(intent)));
    }

    pub(crate) fn all(&self) -> Vec<(IntentId, u64)> {
        self.0.lock().expect("no panic").clone()
    }

    pub(crate) fn numbers(&self) -> Vec<u64> {
        self.all().into_iter().map(|(_, number)| number).collect()
    }

    /// An executor that takes all.
    pub(crate) fn taking(&self) -> impl Executor + use<> {
        let handed = self.clone();
        airlock::executor_fn(move |intent: Intent| {
            handed.note(&intent);
            Ok::<_, DispatchError>(())
        })
    }
}

/// Something that can be down.
#[derive(Debug, Clone, Default)]
pub(crate) struct Switch(Arc<AtomicBool>);

impl Switch {
    pub(crate) fn set(&self, is_down: bool) {
        self.0.store(is_down, Ordering::SeqCst);
    }

    pub(crate) fn is_down(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// An executor of its own kind.
pub(crate) fn custom<F>(dispatch: F) -> impl Executor
where
    F: Fn(Batch) -> BoxFuture<'static, ()> + Send + Sync + 'static,
{
    Custom(dispatch)
}

struct Custom<F>(F);

impl<F> Executor for Custom<F>
where
    F: Fn(Batch) -> BoxFuture<'static, ()> + Send + Sync + 'static,
{
    fn name(&self) -> &str {
        "custom"
    }

    fn dispatch<'a>(&'a self, batch: Batch) -> BoxFuture<'a, ()> {
        (self.0)(batch)
    }
}
