//! Frames, and the policies that are asked along them.

use airlock::Phase;

use super::{Frame, FrameId, Intent, Model, Policy, Scope};
use crate::program::{Call, PolicySpec, Rule};
use crate::trace::{Answer, Event, Seq, When};

impl Model<'_> {
    pub(super) fn frame(&mut self, frame: Frame) -> FrameId {
        self.frames.push(frame);
        self.frames.len() - 1
    }

    pub(super) fn outwards(&self, from: Option<FrameId>) -> Vec<FrameId> {
        std::iter::successors(from, |&frame| self.frames[frame].around).collect()
    }

    pub(super) fn nearest(&self, from: Option<FrameId>) -> Option<FrameId> {
        self.outwards(from).into_iter().find(|&frame| self.frames[frame].scope.is_some())
    }

    /// The scope a frame is in, or is.
    pub(super) fn scope_of(&self, frame: FrameId) -> &Scope {
        let scope = self.nearest(Some(frame)).and_then(|frame| self.frames[frame].scope.as_ref());
        scope.unwrap_or_else(|| unreachable!("asked only where there is one"))
    }

    pub(super) fn scope_mut(&mut self, frame: FrameId) -> &mut Scope {
        let scope = self.nearest(Some(frame)).and_then(|frame| self.frames[frame].scope.as_mut());
        scope.unwrap_or_else(|| unreachable!("asked only where there is one"))
    }

    pub(super) fn next_seq(&mut self) -> Seq {
        self.seqs += 1;
        self.seqs - 1
    }

    pub(super) fn policy_name(&mut self) -> String {
        self.policies += 1;
        format!("p{}", self.policies)
    }

    pub(super) fn policy(&mut self, spec: PolicySpec) -> Policy {
        Policy { name: self.policy_name(), spec, asked: 0 }
    }

    pub(super) fn submit(&mut self, seq: Seq, call: Call, frame: Option<FrameId>) -> Answer {
        let Some((home, at)) = frame.zip(self.nearest(frame)) else { return Answer::NoScope };
        let outwards = self.outwards(Some(home));
        for &frame in &outwards {
            let Some(policy) = self.frames[frame].policy.as_mut() else { continue };
            let yes = match policy.spec.rule {
                // A closure is asked in the flush only.
                Rule::Closure { .. } => continue,
                Rule::RejectIf { modulus, rest } => seq % modulus != rest,
                Rule::RejectAfter(most) => {
                    policy.asked += 1;
                    policy.asked <= most
                }
                Rule::Unless { .. } | Rule::Quota(_) | Rule::PanicIf { .. } => true,
            };
            let name = policy.name.clone();
            self.pry(frame);
            self.events.push(Event::Asked { policy: name.clone(), when: When::Enqueue, seq, yes });
            if !yes {
                return Answer::RejectedBy(name);
            }
        }
        let policies = outwards.iter().filter_map(|&frame| self.frames[frame].policy.as_ref());
        let policies = policies.map(|policy| policy.name.clone()).collect();
        let scope = self.scope_mut(at);
        if scope.phase != Phase::Open {
            return Answer::Closed(scope.phase);
        }
        scope.intents.push(Intent { seq, call, home });
        self.around.push((seq, policies));
        Answer::Accepted
    }

    fn pry(&mut self, frame: FrameId) {
        let Some(policy) = self.frames[frame].policy.as_ref().filter(|policy| policy.spec.nosy) else { return };
        let nosy = Event::Nosy { policy: policy.name.clone(), answer: Answer::InPolicy };
        self.events.extend([nosy.clone(), nosy]);
    }

    /// Asked in the flush: yes, no, or a panic.
    pub(super) fn allows(&mut self, frame: FrameId, seq: Seq) -> Option<bool> {
        let Some(policy) = self.frames[frame].policy.as_mut() else { return Some(true) };
        let yes = match policy.spec.rule {
            Rule::Unless { modulus, rest } | Rule::Closure { modulus, rest } => seq % modulus != rest,
            Rule::Quota(most) => {
                policy.asked += 1;
                policy.asked <= most
            }
            Rule::PanicIf { modulus, rest } if seq % modulus == rest => return None,
            Rule::RejectIf { .. } | Rule::RejectAfter(_) | Rule::PanicIf { .. } => true,
        };
        let name = policy.name.clone();
        self.pry(frame);
        self.events.push(Event::Asked { policy: name, when: When::Flush, seq, yes });
        Some(yes)
    }
}
