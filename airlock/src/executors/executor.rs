//! The trait of executors.

use std::sync::Arc;

use super::{Batch, FlushContext, Unfinished};
use crate::dispatch::{DispatchError, OpenTransaction, Rejection, SqlKind};
use crate::intent::Intent;
use crate::runtime::{BoxFuture, Deadline};

/// Takes the intents that may escape and hands them over: calls them, queues them, sends them.
///
/// An executor sees a flush twice: [`accepts`](Self::accepts) for each intent before anything is handed over, then one
/// [`Batch`]. It takes intents with [`Batch::begin`] and settles each; what it leaves unsettled counts as unconfirmed,
/// what it never begins as unattempted, so an executor that ends early, panics or is dropped loses nothing.
///
/// A closure `|intent: Intent| -> Result<(), E>` is an executor.
///
/// ```
/// use airlock::{Batch, BoxFuture, DispatchError, Executor};
///
/// struct Outbox(std::sync::mpsc::SyncSender<String>);
///
/// impl Executor for Outbox {
///     fn name(&self) -> &str {
///         "outbox"
///     }
///
///     fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
///         Box::pin(async move {
///             while let Some(begun) = batch.begin() {
///                 let sent = serde_json::to_string(begun.intent())
///                     .map_err(DispatchError::rejected)
///                     .and_then(|message| self.0.try_send(message).map_err(DispatchError::unavailable));
///                 begun.settle(sent);
///             }
///         })
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an executor",
    note = "implement `airlock::Executor`, or use a closure `|intent: airlock::Intent| -> Result<(), E>`"
)]
pub trait Executor: Send + Sync + 'static {
    /// What reports call it.
    fn name(&self) -> &str;

    /// Whether the intent can be handed over at all. All intents of a flush are asked about before the first is handed
    /// over, and one refusal keeps all of them in.
    ///
    /// # Errors
    /// The intent can't be handed over: an option this executor doesn't honour, arguments without an encoding.
    fn accepts(&self, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
        let _ = (intent, flush);
        Ok(())
    }

    /// Hands the batch over. The future ends when everything it began is settled.
    fn dispatch<'a>(&'a self, batch: Batch) -> BoxFuture<'a, ()>;

    /// Whether [`write`](Self::write) puts the intent into a transaction of such a database, as
    /// [`OpenScope::commit`](crate::OpenScope) asks. What it doesn't is handed over after the commit.
    fn writes_to(&self, intent: &Intent, kind: SqlKind) -> bool {
        let _ = (intent, kind);
        false
    }

    /// Writes the batch into the transaction that is about to be committed, so that data and intents are there together or
    /// not at all. It is asked for what it [`writes_to`](Self::writes_to), which the transaction's end makes true:
    /// if anything of the batch isn't settled as written, the transaction is rolled back.
    fn write<'a>(&'a self, mut batch: Batch, transaction: &'a mut OpenTransaction<'_>) -> BoxFuture<'a, ()> {
        let _ = transaction;
        let error = DispatchError::rejected(format!(
            "{} writes into no transaction; implement `Executor::write`, as its `writes_to` promises",
            self.name()
        ));
        Box::pin(async move { batch.settle_rest(&error) })
    }

    /// Stops taking work, finishes what was accepted until the deadline, and gives back the rest.
    ///
    /// A shutdown of several executors goes on without one that isn't ready at the deadline or panics, and says so in
    /// the log. One that blocks its thread keeps the others waiting.
    fn shutdown<'a>(&'a self, deadline: Deadline) -> BoxFuture<'a, Unfinished> {
        let _ = deadline;
        Box::pin(async { Unfinished::default() })
    }

    /// The tables of intents that it writes to, each by its place.
    #[doc(hidden)]
    fn tables(&self) -> Vec<String> {
        Vec::new()
    }

    /// How this executor stands to the calling thread.
    #[doc(hidden)]
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }
}

/// What the flush may assume of an executor. Third parties leave it at the default.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, Default)]
pub struct Capabilities {
    /// Handles `local` tasks itself, in their order, instead of leaving them to run inline after the rest.
    pub takes_local: bool,
    /// Accepts every plain function unseen and would only call it, so that the flush does that itself.
    pub inline: bool,
    /// Settles whatever it begins, failures with their intents, so that the flush need not keep handles of its own.
    pub returns_unsent: bool,
    /// Never waits for anything outside this process, so there is no deadline unless one is set.
    pub no_deadline: bool,
    /// Does its work on the thread of the flush, which meanwhile drives no other executor.
    pub runs_on_caller: bool,
    /// Accepts a plain function, or doesn't, whatever the arguments are: without options of calls it need not be asked
    /// again about the same one.
    pub accepts_by_task: bool,
    /// Ends its shutdown by the deadline itself, with what it gives back, whatever else it is made of does.
    pub keeps_deadlines: bool,
    /// Hands nothing over, and only notes what it would: a dry run, a test.
    pub records_only: bool,
    /// Writes all of it into a transaction of the caller.
    pub writes_rows: bool,
    /// Takes at least some of it over into the memory of this process, and says nothing of what becomes of it.
    pub keeps_in_memory: bool,
    /// Only notes at least some of it.
    pub records_some: bool,
    /// Takes all of a batch or nothing of it, at least of some: what refuses one refuses all.
    pub all_or_nothing: bool,
}

impl Capabilities {
    /// Those of what accepts work and does it later, in this process.
    pub(crate) fn of_pool() -> Self {
        Self {
            returns_unsent: true,
            accepts_by_task: true,
            keeps_deadlines: true,
            keeps_in_memory: true,
            ..Self::default()
        }
    }
}

macro_rules! forward {
    ($([$($generics:tt)*] $type:ty;)*) => {
        $(impl<$($generics)*> Executor for $type {
            fn name(&self) -> &str {
                (**self).name()
            }

            fn accepts(&self, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
                (**self).accepts(intent, flush)
            }

            fn dispatch<'a>(&'a self, batch: Batch) -> BoxFuture<'a, ()> {
                (**self).dispatch(batch)
            }

            fn writes_to(&self, intent: &Intent, kind: SqlKind) -> bool {
                (**self).writes_to(intent, kind)
            }

            fn write<'a>(&'a self, batch: Batch, transaction: &'a mut OpenTransaction<'_>) -> BoxFuture<'a, ()> {
                (**self).write(batch, transaction)
            }

            fn shutdown<'a>(&'a self, deadline: Deadline) -> BoxFuture<'a, Unfinished> {
                (**self).shutdown(deadline)
            }

            fn tables(&self) -> Vec<String> {
                (**self).tables()
            }

            fn capabilities(&self) -> Capabilities {
                (**self).capabilities()
            }
        })*
    };
}

forward! {
    [] Box<dyn Executor>;
    [E: Executor + ?Sized] Arc<E>;
}
