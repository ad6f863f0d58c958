//! The end of a scope, up to the hand-over: who flushes, and what may escape.

use std::cell::Cell;
use std::sync::Arc;

use super::hand_over::Flush;
use super::report::FlushReport;
use super::report_builder::ReportBuilder;
use super::{Discarded, FlushError, Outcome, Unattempted, Unsent, hand_over};
use crate::context::buffer::{Contents, Phase};
use crate::context::frame::{Frame, frames};
use crate::context::judging::{FlushScratch, Judging};
use crate::context::scope_state::ScopeState;
use crate::intent::Intent;
use crate::runtime::Deadline;
use crate::runtime::panics::catch_panic;
use crate::text::redact::redact_text;

/// Ends a scope that holds nothing; false if there is something in it.
pub(crate) fn close_if_empty(frame: &Arc<Frame>) -> bool {
    frame.as_scope().is_some_and(|scope| scope.buffer().close_if_empty(Phase::Flushed))
}

/// Ends the scope badly.
pub(crate) fn discard(frame: &Arc<Frame>, reason: Discarded, reported: bool) -> FlushReport {
    discarded(frame, reason, reported).take_report(frame)
}

/// Ends the scope badly, where a flush is to report that.
pub(crate) fn seal_discarded(frame: &Arc<Frame>, reason: Discarded) -> Flush {
    Flush::new(Arc::clone(frame), Vec::new(), false, discarded(frame, reason, true))
}

fn discarded(frame: &Arc<Frame>, reason: Discarded, reported: bool) -> ReportBuilder {
    let mut report = ReportBuilder::new(reported);
    if let Some(Ok(contents)) = frame.as_scope().map(|scope| scope.buffer().close(Phase::Discarded)) {
        for intent in contents.items {
            report.add(intent, || Outcome::Discarded { reason });
        }
    }
    report
}

/// Ends the scope well: closes it, gives to the scopes around what is theirs, and judges the rest.
pub(crate) fn seal(frame: &Arc<Frame>, reported: bool) -> Result<Flush, FlushError> {
    let mut report = ReportBuilder::new(reported);
    let contents = frame.as_scope().and_then(|scope| scope.buffer().close(Phase::Sealed).ok());
    // Closed by now, and not by another guard: a scope has one.
    let Some(contents) = contents else { return Ok(Flush::new(Arc::clone(frame), Vec::new(), false, report)) };
    let contents = give_to_ancestors(frame, contents, &mut report)?;
    let intents = judge(frame, contents.items, &mut report)?;
    Ok(Flush::new(Arc::clone(frame), intents, contents.may_have_options, report))
}

/// The same for a scope that ends with a transaction: no scope around captures what it holds.
pub(crate) fn seal_for_commit(frame: &Arc<Frame>) -> Result<Flush, FlushError> {
    let mut report = ReportBuilder::new(true);
    let contents = frame.as_scope().and_then(|scope| scope.buffer().close(Phase::Sealed).ok());
    let Contents { items, may_have_options } =
        contents.unwrap_or_else(|| Contents { items: Vec::new(), may_have_options: false });
    let intents = judge(frame, items, &mut report)?;
    Ok(Flush::new(Arc::clone(frame), intents, may_have_options, report))
}

/// When a database is given up that the scope ends with.
pub(crate) fn deadline(frame: &Frame) -> Deadline {
    Deadline::after(frame.as_scope().and_then(ScopeState::deadline).unwrap_or(hand_over::DEFAULT_DEADLINE))
}

/// Ends the scope without judging what it holds, which the error owns.
pub(crate) fn give_back(frame: &Arc<Frame>) -> FlushError {
    let contents = frame.as_scope().and_then(|scope| scope.buffer().close(Phase::Discarded).ok());
    let items = contents.map(|contents| contents.items).unwrap_or_default();
    all_back(frame, items, &mut ReportBuilder::new(true), &Unattempted::NotCommitted)
}

/// Moves to each ancestor what it doesn't release, unjudged; what every ancestor releases stays.
fn give_to_ancestors(
    frame: &Arc<Frame>,
    mut contents: Contents<Intent>,
    report: &mut ReportBuilder,
) -> Result<Contents<Intent>, FlushError> {
    let ancestors: Vec<&ScopeState> = frames(frame.around()).filter_map(|frame| frame.as_scope()).collect();
    let Some(scope) = frame.as_scope().filter(|_| !ancestors.is_empty() && !contents.items.is_empty()) else {
        return Ok(contents);
    };

    // One for each intent, or none at all if the nearest ancestor takes them all without being asked.
    let captors = catch_panic(|| {
        if !ancestors[0].lifecycle().may_release() {
            return Vec::new();
        }
        let _judging = Judging::enter();
        let captor = |intent| ancestors.iter().position(|outer| !outer.lifecycle().releases(scope.info(), intent));
        contents.items.iter().map(captor).collect::<Vec<_>>()
    });
    let captors = match captors {
        Ok(captors) => captors,
        Err(message) => {
            let reason = Unattempted::JudgePanicked(format!("a lifecycle panicked: {message}"));
            return Err(all_back(frame, contents.items, report, &reason));
        }
    };

    // A captor that has ended well can't take anything, and then nothing goes anywhere.
    let asked = captors.iter().flatten().chain(captors.is_empty().then_some(&0));
    let ended = asked.map(|&captor| ancestors[captor].buffer().phase());
    if let Some(phase) = ended.into_iter().find(|phase| matches!(phase, Phase::Sealed | Phase::Flushed)) {
        return Err(all_back(frame, contents.items, report, &Unattempted::ParentEnded(phase)));
    }

    if scope.is_transactional() && (captors.is_empty() || captors.iter().any(Option::is_some)) {
        let (frame, report) = (Arc::clone(frame), std::mem::replace(report, ReportBuilder::new(true)));
        return Err(Flush::new(frame, contents.items, true, report).refuse_captured());
    }

    let mut released = Contents { items: Vec::new(), may_have_options: contents.may_have_options };
    let mut captured: Vec<Vec<Intent>> = ancestors.iter().map(|_| Vec::new()).collect();
    for intent in &mut contents.items {
        // From here on it lies elsewhere and has to know where it came from.
        intent.context.get_or_insert_with(|| Arc::clone(frame));
    }
    if captors.is_empty() {
        captured[0] = contents.items;
    } else {
        for (intent, captor) in contents.items.into_iter().zip(captors) {
            match captor {
                None => released.items.push(intent),
                Some(captor) => captured[captor].push(intent),
            }
        }
    }
    let mut stranded = Vec::new();
    for (outer, intents) in ancestors.iter().zip(captured).filter(|(_, intents)| !intents.is_empty()) {
        let outcome = Outcome::Captured { scope: outer.info().clone() };
        let (handles, count) = (report.is_reported().then(|| intents.clone()), intents.len());
        let merged = outer
            .buffer()
            .merge(Contents { items: intents, may_have_options: contents.may_have_options }, |intent| intent.order);
        match merged {
            Ok(()) => match handles {
                Some(handles) => handles.into_iter().for_each(|intent| report.add(intent, || outcome.clone())),
                None => report.add_unseen(&outcome, count),
            },
            Err((back, Phase::Discarded)) => {
                let outcome = || Outcome::Discarded { reason: Discarded::ParentDiscarded };
                back.items.into_iter().for_each(|intent| report.add(intent, outcome));
            }
            // It ended between the look above and now, on another thread.
            Err((back, phase)) => stranded.push((back.items, Unattempted::ParentEnded(phase))),
        }
    }
    if stranded.is_empty() {
        return Ok(released);
    }
    let mut unsent = Unsent::unjudged();
    stranded.push((released.items, Unattempted::OtherRefused));
    for (intents, reason) in stranded {
        unsent.unattempted(intents, &reason, report);
    }
    Err(hand_over::fail(frame, unsent, report))
}

/// Asks, for each intent in order, the policies around it from the innermost outwards, up to the first refusal.
pub(crate) fn judge(
    frame: &Arc<Frame>,
    intents: Vec<Intent>,
    report: &mut ReportBuilder,
) -> Result<Vec<Intent>, FlushError> {
    if intents.iter().all(|intent| intent.context.as_ref().unwrap_or(frame).skips_flush()) {
        return Ok(intents);
    }
    let asked = Cell::new((0, frame));
    let judged = catch_panic(|| {
        let _judging = Judging::enter();
        let _scratch = FlushScratch::enter();
        let mut refusals = PolicyRefusals::new(intents.len(), report.is_reported());
        for (index, intent) in intents.iter().enumerate() {
            let refused = frames(Some(intent.context.as_ref().unwrap_or(frame))).find(|&around| {
                asked.set((index, around));
                !around.policy().allows(intent)
            });
            if let Some(around) = refused {
                refusals.add(index, around.policy().name());
            }
        }
        refusals
    });
    match judged {
        Ok(refusals) => Ok(refusals.drop_from(intents, report)),
        Err(message) => {
            let (index, around) = asked.get();
            let reason = Unattempted::JudgePanicked(format!(
                "policy {} panicked at `{}` ({}): {message}",
                redact_text(around.policy().name()),
                intents[index].name(),
                intents[index].location(),
            ));
            Err(all_back(frame, intents, report, &reason))
        }
    }
}

/// Which intents are refused. Costs nothing until the first one is, and a byte an intent unless a report wants names.
struct PolicyRefusals {
    len: usize,
    named: bool,
    refused: Vec<bool>,
    names: Vec<String>,
}

impl PolicyRefusals {
    fn new(len: usize, named: bool) -> Self {
        Self { len, named, refused: Vec::new(), names: Vec::new() }
    }

    fn add(&mut self, index: usize, policy: &str) {
        if self.refused.is_empty() {
            self.refused = vec![false; self.len];
        }
        self.refused[index] = true;
        if self.named {
            self.names.push(redact_text(policy).into_owned());
        }
    }

    fn drop_from(self, intents: Vec<Intent>, report: &mut ReportBuilder) -> Vec<Intent> {
        if self.refused.is_empty() {
            return intents;
        }
        let mut intents = intents;
        if self.named {
            let judged = intents.into_iter().zip(self.refused);
            let (out, kept): (Vec<_>, Vec<_>) = judged.partition(|(_, refused)| *refused);
            for ((intent, _), policy) in out.into_iter().zip(self.names) {
                report.add(intent, || Outcome::Dropped { policy });
            }
            return kept.into_iter().map(|(intent, _)| intent).collect();
        }
        let mut kept = 0;
        for (index, refused) in self.refused.iter().enumerate() {
            if !refused {
                intents.swap(kept, index);
                kept += 1;
            }
        }
        // Before thousands of small pieces are free too: the allocator would sort through all of them for a large one.
        drop(self.refused);
        report.add_unseen(&Outcome::Dropped { policy: String::new() }, intents.len() - kept);
        intents.truncate(kept);
        intents
    }
}

fn all_back(frame: &Arc<Frame>, intents: Vec<Intent>, report: &mut ReportBuilder, reason: &Unattempted) -> FlushError {
    let mut unsent = Unsent::unjudged();
    unsent.unattempted(intents, reason, report);
    hand_over::fail(frame, unsent, report)
}
