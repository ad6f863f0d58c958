//! An executor that fails in every way executors can.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::recording::survive;
use crate::dispatch::{DispatchError, Rejection};
use crate::executors::{Batch, Executor, FlushContext};
use crate::intent::Intent;
use crate::runtime::BoxFuture;

/// What [`FaultExecutor`] does with one intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Accepts it and says so.
    None,
    /// Doesn't accept it: `Unavailable`.
    Unavailable,
    /// Doesn't accept it: `Rejected`.
    Rejected,
    /// Accepts it, and says that it may not have: `Unconfirmed`.
    Unconfirmed,
    /// Says that the task ran and failed: `TaskFailed`.
    TaskFailed,
    /// Begins it and never comes back.
    Pends,
    /// Begins it and panics.
    Panics,
    /// Ends without taking it or any after it.
    EndsEarly,
}

/// An executor that fails as its rules say, to show that code survives it. It writes down what it accepts, as it comes
/// out of its encoding, and runs nothing; arguments that don't survive that are refused.
///
/// Faults are played one an intent, in the order they were given; after the last one, everything is accepted. Clones
/// share faults and record.
///
/// ```
/// # #[airlock::task] fn send_email(order_id: u64) { let _ = order_id; }
/// use airlock::Retry;
/// use airlock::testing::{Fault, FaultExecutor};
///
/// let broker = FaultExecutor::new().then(2, Fault::Unavailable);
/// airlock::scope().executor(Retry::new(broker.clone())).run(|| send_email::enqueue(42).map(drop).map_err(airlock::Error::from))?;
/// assert_eq!(broker.accepted().len(), 1);
/// assert_eq!(broker.attempts(), 3);
/// # Ok::<(), airlock::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct FaultExecutor {
    refuses: Arc<[String]>,
    played: Arc<Mutex<Played>>,
}

#[derive(Debug, Default)]
struct Played {
    faults: VecDeque<(usize, Fault)>,
    attempts: usize,
    accepted: Vec<Intent>,
}

impl FaultExecutor {
    /// Accepts everything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Plays the fault for so many intents, after the faults given before; `usize::MAX` is for ever.
    #[must_use]
    pub fn then(self, intents: usize, fault: Fault) -> Self {
        self.lock().faults.push_back((intents, fault));
        self
    }

    /// Refuses the intents of this task before anything is handed over.
    #[must_use]
    pub fn refuses(mut self, task: impl Into<String>) -> Self {
        self.refuses = self.refuses.iter().cloned().chain([task.into()]).collect();
        self
    }

    /// The intents it accepted so far, in order: also those of which it said that it may not have.
    #[must_use]
    pub fn accepted(&self) -> Vec<Intent> {
        self.lock().accepted.clone()
    }

    /// How many intents it began so far; one that is tried again counts again.
    #[must_use]
    pub fn attempts(&self) -> usize {
        self.lock().attempts
    }

    fn lock(&self) -> MutexGuard<'_, Played> {
        self.played.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Played {
    fn ends_early(&mut self) -> bool {
        let ends = self.faults.iter().find(|(left, _)| *left > 0).is_some_and(|(_, fault)| *fault == Fault::EndsEarly);
        if ends {
            self.next();
        }
        ends
    }

    fn play(&mut self, arrived: Intent) -> Fault {
        self.attempts += 1;
        let fault = self.next();
        if matches!(fault, Fault::None | Fault::Unconfirmed) {
            self.accepted.push(arrived);
        }
        fault
    }

    fn next(&mut self) -> Fault {
        while let Some((left, fault)) = self.faults.front_mut() {
            match *left {
                0 => drop(self.faults.pop_front()),
                usize::MAX => return *fault,
                _ => {
                    *left -= 1;
                    return *fault;
                }
            }
        }
        Fault::None
    }
}

// Named in messages about other types only where it is compiled in, which would make two of each.
#[diagnostic::do_not_recommend]
impl Executor for FaultExecutor {
    fn name(&self) -> &str {
        "fault"
    }

    fn accepts(&self, intent: &Intent, _flush: &FlushContext) -> Result<(), Rejection> {
        if self.refuses.iter().any(|task| task == intent.name()) {
            return Err(Rejection::new("the fault executor was set to refuse it"));
        }
        survive(intent).map(drop).map_err(Rejection::new)
    }

    fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            while batch.remaining() > 0 {
                if self.lock().ends_early() {
                    return;
                }
                let Some(begun) = batch.begin() else { return };
                let arrived = match survive(begun.intent()) {
                    Ok(arrived) => arrived,
                    Err(fault) => {
                        begun.settle(Err(DispatchError::rejected(fault)));
                        continue;
                    }
                };
                let fault = self.lock().play(arrived);
                let why = "the fault executor was set to fail";
                begun.settle(match fault {
                    Fault::Unavailable => Err(DispatchError::unavailable(why)),
                    Fault::Rejected => Err(DispatchError::rejected(why)),
                    Fault::Unconfirmed => Err(DispatchError::unconfirmed(why)),
                    Fault::TaskFailed => Err(DispatchError::task_failed(why)),
                    Fault::Pends => std::future::pending().await,
                    Fault::Panics => panic!("the fault executor was set to panic"),
                    Fault::None | Fault::EndsEarly => Ok(()),
                });
            }
        })
    }
}
