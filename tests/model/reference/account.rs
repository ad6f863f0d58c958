//! The account of one flush.

use airlock::{DispatchErrorKind, Unattempted};

use super::{FrameId, Intent, Model};
use crate::trace::{Counts, Held, Report, Seq, Verdict};

/// The account of one flush: each intent with its verdict.
pub(super) struct Account {
    pub(super) scope: FrameId,
    pub(super) reported: bool,
    pub(super) executor: Option<String>,
    pub(super) entries: Vec<Entry>,
    pub(super) undispatched: Vec<Intent>,
    pub(super) unconfirmed: Vec<(Intent, Held)>,
    pub(super) failed: Vec<(Intent, Held)>,
    /// It ended before the policies had their say.
    pub(super) unjudged: bool,
}

pub(super) struct Entry {
    pub(super) intent: Intent,
    pub(super) verdict: Verdict,
    /// Its arguments moved into the task.
    pub(super) moved: bool,
}

/// How a flush ended: well, badly, or not at all.
pub(super) enum Flush {
    Well(Box<Account>),
    Badly(Box<Account>),
    Cancelled,
}

/// A scope that is judged and closed.
pub(super) struct Sealed {
    pub(super) intents: Vec<Intent>,
    pub(super) account: Box<Account>,
}

impl Account {
    pub(super) fn new(scope: FrameId, reported: bool) -> Box<Self> {
        Box::new(Self {
            scope,
            reported,
            executor: None,
            entries: Vec::new(),
            undispatched: Vec::new(),
            unconfirmed: Vec::new(),
            failed: Vec::new(),
            unjudged: false,
        })
    }

    pub(super) fn add(&mut self, intent: Intent, verdict: Verdict) {
        self.entries.push(Entry { intent, verdict, moved: false });
    }

    pub(super) fn unattempted(&mut self, intent: Intent, reason: &Unattempted) {
        self.undispatched.push(intent);
        self.add(intent, Verdict::Unattempted(reason.clone()));
    }

    pub(super) fn failed(&mut self, intent: Intent, kind: DispatchErrorKind, held: bool) {
        let unconfirmed = kind == DispatchErrorKind::Unconfirmed;
        let verdict = if unconfirmed { Verdict::Unconfirmed } else { Verdict::Failed(kind) };
        self.entries.push(Entry { intent, verdict, moved: !held });
        let failure = Held { seq: intent.seq, kind, held };
        match kind {
            DispatchErrorKind::Rejected | DispatchErrorKind::Unavailable => self.undispatched.push(intent),
            DispatchErrorKind::Unconfirmed => self.unconfirmed.push((intent, failure)),
            _ => self.failed.push((intent, failure)),
        }
    }

    pub(super) fn is_clean(&self) -> bool {
        self.undispatched.is_empty() && self.unconfirmed.is_empty() && self.failed.is_empty()
    }

    pub(super) fn by_seq(intents: &[Intent]) -> Vec<Seq> {
        intents.iter().map(|intent| intent.seq).collect()
    }

    /// The undispatched, then the unconfirmed that are still held.
    pub(super) fn lost(&self) -> Vec<Seq> {
        let unconfirmed = self.unconfirmed.iter().filter(|(_, failure)| failure.held).map(|(intent, _)| intent.seq);
        Self::by_seq(&self.undispatched).into_iter().chain(unconfirmed).collect()
    }
}

fn is_trouble(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Failed(_) | Verdict::Unconfirmed | Verdict::Unattempted(_))
}

impl Model<'_> {
    pub(super) fn report(&self, account: &Account) -> Report {
        let mut counts = Counts::default();
        for entry in &account.entries {
            counts.enqueued += 1;
            *entry.verdict.count_in(&mut counts) += 1;
        }
        let listed = account.entries.iter().filter(|entry| account.reported || is_trouble(&entry.verdict));
        // Those that moved into their tasks come last.
        let mut listed: Vec<_> = listed.collect();
        listed.sort_by_key(|entry| (entry.moved, if entry.moved { 0 } else { entry.intent.seq }));
        let entries = listed.into_iter().map(|entry| (entry.intent.seq, entry.intent.call.task, entry.verdict.clone()));
        Report {
            scope: self.scope_of(account.scope).name.clone(),
            executor: account.executor.clone(),
            complete: account.reported,
            counts,
            entries: entries.collect(),
        }
    }
}
