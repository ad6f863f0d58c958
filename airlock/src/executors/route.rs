//! Different tasks to different executors.

use std::sync::Arc;
use std::{fmt, ptr};

use super::batch::SplitBatch;
use super::ledger::{Ledger, SubBatch, Tries};
use super::{Batch, Capabilities, DispatchEnd, Executor, FlushContext, Unfinished, drive, join_all};
use crate::dispatch::{DispatchError, OpenTransaction, Rejection, SqlKind};
use crate::intent::Intent;
use crate::policy::TaskList;
use crate::runtime::{BoxFuture, Deadline};

/// Gives each intent to the executor of the first route that matches it.
///
/// Routes are asked in the order they were added, by task, by name, by queue or by a closure; what none matches goes
/// to [`otherwise`](Self::otherwise), and without one it is refused before anything is handed over.
///
/// The executors of one flush are handed their shares side by side. Within a share the order is that of the calls;
/// between shares there is none, so tasks that depend on their order belong in one route. What runs on the thread of
/// the flush (inline, a closure) begins once the others have begun, and lets them go on after each intent, without
/// waiting for their end. An executor that is unavailable leaves the rest of *its* share unattempted, and the others go on; under
/// [`FailFast`](crate::OnFailure::FailFast) a failure in one share stops them all. The deadline is one for all.
///
/// ```
/// # #[airlock::task] fn send_email(order_id: u64) { let _ = order_id; }
/// # #[airlock::task] fn notify(order_id: u64) { let _ = order_id; }
/// use airlock::{InlineExecutor, LogExecutor, Route};
///
/// let route = Route::new()
///     .to::<(send_email, notify)>(LogExecutor::new())
///     .named("warehouse.*", LogExecutor::new())
///     .queue("slow", LogExecutor::new())
///     .when(|intent| intent.options().get_priority() == Some(9), InlineExecutor::new())
///     .otherwise(InlineExecutor::new());
/// airlock::scope().executor(route).run(|| send_email::enqueue(42).map(drop).map_err(airlock::Error::from))?;
/// # Ok::<(), airlock::Error>(())
/// ```
#[must_use = "a route does nothing until a scope has it as its executor"]
pub struct Route {
    routes: Vec<(Rule, Arc<dyn Executor>)>,
    name: String,
}

/// Intents, each with its place in the batch.
type RouteShare = Vec<(usize, Intent)>;

type Predicate = Box<dyn Fn(&Intent) -> bool + Send + Sync>;

impl Route {
    /// No routes yet.
    pub fn new() -> Self {
        Self { routes: Vec::new(), name: "route()".to_owned() }
    }

    /// These tasks, named by their types, go to the executor.
    pub fn to<T: TaskList>(self, executor: impl Executor) -> Self {
        let tasks = T::definitions();
        self.add(move |intent| tasks.iter().any(|task| ptr::eq(*task, intent.task())), executor)
    }

    /// Tasks whose name fits the pattern go to the executor; a `*` stands for any characters, also for none.
    pub fn named(self, pattern: impl Into<String>, executor: impl Executor) -> Self {
        let pattern = pattern.into();
        self.add(move |intent| fits(&pattern, intent.name()), executor)
    }

    /// Intents for this queue go to the executor: see [`Options::queue`](crate::Options::queue).
    pub fn queue(self, queue: impl Into<String>, executor: impl Executor) -> Self {
        let queue = queue.into();
        self.add(move |intent| intent.options().get_queue() == Some(&*queue), executor)
    }

    /// Intents for which the closure says so go to the executor. It must always say the same of an intent.
    pub fn when(self, predicate: impl Fn(&Intent) -> bool + Send + Sync + 'static, executor: impl Executor) -> Self {
        self.add(predicate, executor)
    }

    /// All that no route before matches goes to the executor.
    pub fn otherwise(self, executor: impl Executor) -> Self {
        self.add(|_| true, executor)
    }

    fn add(mut self, predicate: impl Fn(&Intent) -> bool + Send + Sync + 'static, executor: impl Executor) -> Self {
        self.routes.push((Rule(Box::new(predicate)), Arc::new(executor)));
        let names: Vec<_> = self.routes.iter().map(|(_, executor)| executor.name()).collect();
        self.name = format!("route({})", names.join(", "));
        self
    }

    fn find(&self, intent: &Intent) -> Option<usize> {
        self.routes.iter().position(|(rule, _)| (rule.0)(intent))
    }

    /// The share of each executor that has one, in the order of the routes. What matches none any more is settled.
    fn shares(&self, ledger: &Arc<Ledger>, timings: bool, items: RouteShare) -> Vec<(&Arc<dyn Executor>, RouteShare)> {
        let mut shares: Vec<Vec<_>> = self.routes.iter().map(|_| Vec::new()).collect();
        let mut unmatched = Vec::new();
        for item in items {
            match self.find(&item.1) {
                Some(index) => shares[index].push(item),
                None => unmatched.push(item),
            }
        }
        let (unmatched, mut batch) = SubBatch::new(ledger, unmatched, Tries::Only, timings);
        batch.settle_rest(&DispatchError::rejected("no route takes it any more; routes must not change their mind"));
        unmatched.finish(DispatchEnd::Returned);
        let executors = self.routes.iter().map(|(_, executor)| executor);
        executors.zip(shares).filter(|(_, share)| !share.is_empty()).collect()
    }

    /// Whether all executors are of a kind.
    fn all(&self, is: impl Fn(Capabilities) -> bool) -> bool {
        !self.routes.is_empty() && self.routes.iter().all(|(_, executor)| is(executor.capabilities()))
    }

    fn any(&self, is: impl Fn(Capabilities) -> bool) -> bool {
        self.routes.iter().any(|(_, executor)| is(executor.capabilities()))
    }
}

impl Default for Route {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Route").field(&self.name).finish()
    }
}

struct Rule(Predicate);

/// Whether the name fits the pattern, in which each `*` stands for any characters.
fn fits(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    for piece in pieces {
        // The first place is the best one: it leaves the most to the pieces after it.
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

impl Executor for Route {
    fn name(&self) -> &str {
        &self.name
    }

    fn accepts(&self, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
        match self.find(intent) {
            Some(index) => self.routes[index].1.accepts(intent, flush),
            None => Err(Rejection::new("no route takes it; add one, or `.otherwise(..)` for all the rest")),
        }
    }

    fn dispatch<'a>(&'a self, batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let SplitBatch { ledger, timings, items } = batch.divide();
            let mut shares = self.shares(&ledger, timings, items);
            // An executor that works on this thread keeps the others waiting, so the others come first in each round.
            shares.sort_by_key(|(executor, _)| executor.capabilities().runs_on_caller);
            let waits =
                shares.len() > 1 && shares.first().is_some_and(|(executor, _)| !executor.capabilities().runs_on_caller);
            let tries = if waits { Tries::Beside } else { Tries::Only };
            let hand_over = shares.into_iter().map(|(executor, share)| -> BoxFuture<'_, ()> {
                let (attempt, batch) = SubBatch::new(&ledger, share, tries, timings);
                Box::pin(async move {
                    attempt.finish(drive(&**executor, batch, Deadline::NONE).await);
                })
            });
            join_all(hand_over.collect()).await;
        })
    }

    fn writes_to(&self, intent: &Intent, kind: SqlKind) -> bool {
        self.find(intent).is_some_and(|index| self.routes[index].1.writes_to(intent, kind))
    }

    /// One route after the other, as there is one connection; after a failure none goes on, as all of it is rolled back.
    fn write<'a>(&'a self, batch: Batch, transaction: &'a mut OpenTransaction<'_>) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let SplitBatch { ledger, timings, items } = batch.divide();
            for (executor, share) in self.shares(&ledger, timings, items) {
                let (attempt, batch) = SubBatch::new(&ledger, share, Tries::Only, timings);
                executor.write(batch, transaction).await;
                attempt.finish(DispatchEnd::Returned);
            }
        })
    }

    fn shutdown<'a>(&'a self, deadline: Deadline) -> BoxFuture<'a, Unfinished> {
        super::join::shutdown_all(self.routes.iter().map(|(_, executor)| &**executor).collect(), deadline)
    }

    fn tables(&self) -> Vec<String> {
        self.routes.iter().flat_map(|(_, executor)| executor.tables()).collect()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            takes_local: self.all(|capabilities| capabilities.takes_local),
            no_deadline: self.all(|capabilities| capabilities.no_deadline),
            runs_on_caller: self.any(|capabilities| capabilities.runs_on_caller),
            keeps_deadlines: true,
            records_only: self.all(|capabilities| capabilities.records_only),
            keeps_in_memory: self.any(|capabilities| capabilities.keeps_in_memory),
            records_some: self.any(|capabilities| capabilities.records_some),
            all_or_nothing: self.any(|capabilities| capabilities.all_or_nothing),
            ..Capabilities::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_any_characters_and_nothing_else_does() {
        for (pattern, name) in [
            ("mail", "mail"),
            ("*", ""),
            ("*", "mail.send"),
            ("mail.*", "mail.send"),
            ("*.send", "mail.send"),
            ("m*.s*d", "mail.send"),
            ("**", "mail"),
            ("a*a", "aa"),
            ("*ab*ab", "xabab"),
        ] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("mail", "mail.send"),
            ("mail.*", "email.send"),
            ("*.send", "mail.sender"),
            ("a*a", "a"),
            ("", "a"),
            ("*b*b", "b"),
        ] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }
}
