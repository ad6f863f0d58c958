//! The ends of scopes: who flushes what, and what may escape.

use airlock::{Discarded, Phase, Unattempted};

use super::account::{Account, Flush, Sealed};
use super::{FrameId, Intent, Model, Policy};
use crate::program::{LifecycleSpec, PolicySpec, Rule, Task};
use crate::trace::Verdict;

impl Model<'_> {
    pub(super) fn discard(&mut self, frame: FrameId, reason: Discarded, reported: bool) -> Box<Account> {
        let mut account = Account::new(frame, reported);
        let scope = self.scope_mut(frame);
        scope.phase = Phase::Discarded;
        for intent in std::mem::take(&mut scope.intents) {
            account.add(intent, Verdict::Discarded(reason));
        }
        self.done(&account);
        account
    }

    pub(super) fn unseal(&mut self, sealed: Sealed, reason: Discarded) -> Box<Account> {
        let Sealed { intents, mut account } = sealed;
        for intent in intents {
            account.add(intent, Verdict::Discarded(reason));
        }
        self.scope_mut(account.scope).phase = Phase::Discarded;
        self.done(&account);
        account
    }

    /// Every account ends here, once.
    pub(super) fn done(&mut self, account: &Account) {
        let name = self.scope_of(account.scope).name.clone();
        let verdicts = account.entries.iter().map(|entry| (entry.intent.seq, name.clone(), entry.verdict.clone()));
        self.verdicts.extend(verdicts);
    }

    pub(super) fn flush(&mut self, frame: FrameId, reported: bool, driver: Option<usize>) -> Flush {
        match self.seal(frame, reported) {
            Ok(sealed) => self.dispatch(sealed, driver),
            Err(account) => {
                self.done(&account);
                Flush::Badly(account)
            }
        }
    }

    fn all_back(&mut self, mut account: Box<Account>, intents: &[Intent], reason: &Unattempted) -> Box<Account> {
        for &intent in intents {
            account.unattempted(intent, reason);
        }
        account.unjudged = true;
        self.scope_mut(account.scope).phase = Phase::Flushed;
        account
    }

    /// Closes the scope, gives away what others capture, and judges the rest.
    pub(super) fn seal(&mut self, frame: FrameId, reported: bool) -> Result<Sealed, Box<Account>> {
        let mut account = Account::new(frame, reported);
        let scope = self.scope_mut(frame);
        scope.phase = Phase::Sealed;
        let intents = std::mem::take(&mut scope.intents);
        let ancestors: Vec<_> = self.outwards(self.frames[frame].around);
        let ancestors: Vec<_> = ancestors.into_iter().filter(|&frame| self.frames[frame].scope.is_some()).collect();

        let mut kept = Vec::new();
        let mut captured = Vec::new();
        for &intent in &intents {
            let mut captor = None;
            for &ancestor in &ancestors {
                let released = match self.scope_of(ancestor).lifecycle {
                    LifecycleSpec::ReleaseNested => Some(true),
                    LifecycleSpec::ReleaseIf { modulus, rest } => Some(intent.seq % modulus == rest),
                    LifecycleSpec::PanicIf { modulus, rest } => (intent.seq % modulus != rest).then_some(true),
                    _ => Some(false),
                };
                let Some(released) = released else {
                    let reason = "a lifecycle panicked: expected: lifecycle".to_owned();
                    return Err(self.all_back(account, &intents, &Unattempted::JudgePanicked(reason)));
                };
                if !released {
                    captor = Some(ancestor);
                    break;
                }
            }
            match captor {
                Some(captor) => captured.push((intent, captor)),
                None => kept.push(intent),
            }
        }
        let phases = captured.iter().map(|&(_, captor)| self.scope_of(captor).phase);
        if let Some(phase) = phases.into_iter().find(|phase| matches!(phase, Phase::Sealed | Phase::Flushed)) {
            return Err(self.all_back(account, &intents, &Unattempted::ParentEnded(phase)));
        }
        for (intent, captor) in captured {
            let captor = self.scope_mut(captor);
            if captor.phase == Phase::Discarded {
                account.add(intent, Verdict::Discarded(Discarded::ParentDiscarded));
                continue;
            }
            // Numbers are given in the order of the calls.
            let place = captor.intents.iter().take_while(|other| other.seq < intent.seq).count();
            captor.intents.insert(place, intent);
            account.add(intent, Verdict::Captured(captor.name.clone()));
        }
        self.judge(account, kept)
    }

    /// Asks, for each intent, the policies around it from the innermost outwards, up to the first refusal.
    pub(super) fn judge(&mut self, mut account: Box<Account>, kept: Vec<Intent>) -> Result<Sealed, Box<Account>> {
        let mut refused = Vec::new();
        for &intent in &kept {
            for around in self.outwards(Some(intent.home)) {
                match self.allows(around, intent.seq) {
                    Some(true) => {}
                    Some(false) => {
                        refused.push((intent.seq, self.policy_in_reports(around)));
                        break;
                    }
                    None => {
                        let policy = self.policy_in_reports(around);
                        let task = task_name(intent.call.task);
                        let reason = format!("policy {policy} panicked at `{task}`: expected: policy");
                        return Err(self.all_back(account, &kept, &Unattempted::JudgePanicked(reason)));
                    }
                }
            }
        }
        let mut allowed = Vec::new();
        for intent in kept {
            match refused.iter().find(|(seq, _)| *seq == intent.seq) {
                Some((_, policy)) => account.add(intent, Verdict::Dropped(policy.clone())),
                None => allowed.push(intent),
            }
        }
        Ok(Sealed { intents: allowed, account })
    }

    fn policy_in_reports(&self, frame: FrameId) -> String {
        match &self.frames[frame].policy {
            Some(Policy { spec: PolicySpec { rule: Rule::Closure { .. }, .. }, .. }) => "closure".to_owned(),
            Some(policy) => policy.name.clone(),
            None => unreachable!("what is not there refuses nothing"),
        }
    }
}

fn task_name(task: Task) -> &'static str {
    match task {
        Task::Note => "model.note",
        Task::Mail => "model.mail",
        Task::Later => "model.later",
        Task::Near => "model.near",
        Task::Remote => "model.remote",
    }
}
