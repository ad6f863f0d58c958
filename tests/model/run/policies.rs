//! Policies and lifecycles that answer as the program says, and write down what they answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use airlock::{Intent, Lifecycle, Policy, ScopeEnd, ScopeInfo, Violation};

use super::tasks;
use super::world::{Fault, World};
use crate::program::{Call, Fate, PolicySpec, Rule, Task};
use crate::trace::{Event, Seq, When};

pub(super) struct Scripted {
    world: Arc<World>,
    name: String,
    spec: PolicySpec,
    /// The scope it is the policy of, unless it is a local one.
    scope: Option<String>,
    asked: AtomicUsize,
    /// Asked about its own enqueues, it would never come to an end.
    prying: AtomicBool,
}

impl Scripted {
    pub(super) fn new(world: &Arc<World>, spec: PolicySpec, scope: Option<String>) -> Self {
        Self {
            world: Arc::clone(world),
            name: world.next_policy(),
            spec,
            scope,
            asked: AtomicUsize::new(0),
            prying: AtomicBool::new(false),
        }
    }

    fn answer(&self, when: When, seq: Seq, yes: bool) -> bool {
        self.world.event(Event::Asked { policy: self.name.clone(), when, seq, yes });
        yes
    }

    fn pry(&self, seq: Seq) {
        if !self.spec.nosy || self.prying.swap(true, Ordering::Relaxed) {
            return;
        }
        let call = Call { task: Task::Note, fate: Fate::Well };
        for result in
            [tasks::enqueue(seq, call), airlock::scope().run(|| Ok::<_, Pried>(tasks::enqueue(seq, call))).unwrap()]
        {
            let answer = self.world.answer(result.err());
            self.world.event(Event::Nosy { policy: self.name.clone(), answer });
        }
        self.prying.store(false, Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct Pried;

impl From<airlock::FlushError> for Pried {
    fn from(_: airlock::FlushError) -> Self {
        Self
    }
}

impl Policy for Scripted {
    fn name(&self) -> &str {
        &self.name
    }

    fn on_enqueue(&self, intent: &Intent) -> Result<(), Violation> {
        let (_, seq, _) = tasks::read(intent);
        let yes = match self.spec.rule {
            Rule::RejectIf { modulus, rest } => seq % modulus != rest,
            Rule::RejectAfter(most) => self.asked.fetch_add(1, Ordering::Relaxed) < most,
            _ => true,
        };
        self.pry(seq);
        if self.answer(When::Enqueue, seq, yes) { Ok(()) } else { Err(Violation::new("the program says so")) }
    }

    fn allows(&self, intent: &Intent) -> bool {
        let (_, seq, _) = tasks::read(intent);
        let outer = self.scope.as_ref().is_some_and(|scope| *scope != self.world.home(seq));
        if outer && self.world.fault() == Some(Fault::OuterPolicySkipped) {
            return true;
        }
        let yes = match self.spec.rule {
            Rule::Unless { modulus, rest } | Rule::Closure { modulus, rest } => seq % modulus != rest,
            Rule::Quota(most) => self.asked.fetch_add(1, Ordering::Relaxed) < most,
            Rule::PanicIf { modulus, rest } => {
                assert!(seq % modulus != rest, "expected: policy");
                true
            }
            _ => true,
        };
        self.pry(seq);
        self.answer(When::Flush, seq, yes)
    }
}

/// The same as a closure, of which the library knows that it isn't interested in enqueues.
pub(super) fn quiet(policy: Scripted) -> impl Fn(&Intent) -> bool + Send + Sync {
    move |intent| policy.allows(intent)
}

pub(super) struct Selective {
    pub(super) flushes: bool,
    pub(super) panics: bool,
    pub(super) modulus: u64,
    pub(super) rest: u64,
}

impl Lifecycle for Selective {
    fn should_flush(&self, end: &ScopeEnd<'_>) -> bool {
        self.flushes && end.succeeded()
    }

    fn releases(&self, _descendant: &ScopeInfo, intent: &Intent) -> bool {
        let (_, seq, _) = tasks::read(intent);
        let hit = seq % self.modulus == self.rest;
        assert!(!(self.panics && hit), "expected: lifecycle");
        self.panics || hit
    }
}
