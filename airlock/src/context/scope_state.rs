//! What a scope is made of.

use std::sync::Arc;
use std::time::Duration;

use super::buffer::{Buffer, Phase};
use super::frame::{Frame, nearest_scope};
use super::order::Runs;
use crate::executors::{Executor, OnFailure};
use crate::intent::{Intent, NewIntent};
use crate::lifecycle::Lifecycle;
use crate::policy::Policy;
use crate::scope_info::ScopeInfo;
use crate::settings::{Settings, Snapshot};
use crate::state::StateMap;

/// What a builder said; everything else comes from the settings.
#[derive(Clone, Default)]
pub(crate) struct Overrides {
    pub(crate) policy: Option<Arc<dyn Policy>>,
    pub(crate) executor: Option<Arc<dyn Executor>>,
    pub(crate) lifecycle: Option<Arc<dyn Lifecycle>>,
    pub(crate) on_failure: Option<OnFailure>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) timings: Option<bool>,
    pub(crate) state: Option<Arc<StateMap>>,
    pub(crate) transactional: bool,
}

pub(crate) struct ScopeState {
    info: ScopeInfo,
    overrides: Overrides,
    settings: Snapshot,
    buffer: Buffer<Intent>,
    /// The outermost scope around, whose runs order the intents of all of them; `None` if it is this one.
    root: Option<Arc<Frame>>,
    runs: Runs,
}

impl ScopeState {
    pub(crate) fn new(info: ScopeInfo, overrides: Overrides, settings: Snapshot, around: Option<&Arc<Frame>>) -> Self {
        let root = nearest_scope(around)
            .map(|parent| parent.as_scope().and_then(|scope| scope.root.as_ref()).unwrap_or(parent))
            .cloned();
        Self { info, overrides, settings, buffer: Buffer::new(), root, runs: Runs::default() }
    }

    pub(crate) fn info(&self) -> &ScopeInfo {
        &self.info
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The settings, if they are not the program's but those of a part of a test.
    pub(crate) fn overriding(&self) -> Option<Arc<Settings>> {
        match &self.settings {
            Snapshot::Overridden(settings) => Some(Arc::clone(settings)),
            _ => None,
        }
    }

    pub(crate) fn policy(&self) -> &dyn Policy {
        self.overrides.policy.as_deref().unwrap_or(&*self.settings.policy.value)
    }

    pub(crate) fn executor(&self) -> &Arc<dyn Executor> {
        self.overrides.executor.as_ref().unwrap_or(&self.settings.executor.value)
    }

    /// The executor that its builder named.
    pub(crate) fn own_executor(&self) -> Option<&Arc<dyn Executor>> {
        self.overrides.executor.as_ref()
    }

    /// Whether what it holds is to be written into a transaction.
    pub(crate) fn is_transactional(&self) -> bool {
        self.overrides.transactional
    }

    pub(crate) fn lifecycle(&self) -> &dyn Lifecycle {
        self.overrides.lifecycle.as_deref().unwrap_or(&*self.settings.lifecycle.value)
    }

    pub(crate) fn on_failure(&self) -> OnFailure {
        self.overrides.on_failure.unwrap_or(self.settings.on_failure.value)
    }

    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.overrides.deadline.or(self.settings.deadline.value)
    }

    pub(crate) fn timings(&self) -> bool {
        self.overrides.timings.unwrap_or(self.settings.timings.value)
    }

    /// What the builder gave to `#[state]` parameters.
    pub(crate) fn state(&self) -> Option<&StateMap> {
        self.overrides.state.as_deref()
    }

    pub(crate) fn buffer(&self) -> &Buffer<Intent> {
        &self.buffer
    }

    /// Takes an intent that every policy lets in, or leaves it where it is if the scope has ended.
    pub(crate) fn record(
        &self,
        new: &mut NewIntent,
        around: Option<Arc<Frame>>,
        may_have_options: bool,
    ) -> Result<(), Phase> {
        let runs = self.root.as_ref().and_then(|root| root.as_scope()).map_or(&self.runs, |root| &root.runs);
        let make = || new.take().unwrap_or_else(|| unreachable!("it goes into one scope"));
        self.buffer.push(may_have_options, make, |intent, last| {
            intent.order = runs.next(last);
            if around.is_some() {
                intent.context = around;
            }
            intent.order
        })
    }
}
