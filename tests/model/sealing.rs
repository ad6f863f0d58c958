//! A scope's buffer and the order of its intents, under every order of steps that threads can take: the library's own
//! files, with the model checker's mutex and atomic.

#[expect(dead_code, unreachable_pub, reason = "it is the library's file, and the library uses all of it")]
#[path = "../../airlock/src/context/buffer.rs"]
mod buffer;

#[path = "../../airlock/src/context/order.rs"]
mod order;

/// What the files ask their parent for.
mod sync {
    pub(super) use std::sync::PoisonError;

    pub(super) use loom::sync::atomic::{AtomicU64, Ordering};
    pub(super) use loom::sync::{Mutex, MutexGuard};
}

use loom::sync::Arc;
use loom::thread;

use buffer::{Buffer, Contents, Phase};
use order::Runs;

/// Who pushed it, which of theirs it is, and the place the buffer gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Item {
    by: usize,
    nth: usize,
    order: u64,
}

/// A buffer, and what places what is enqueued in the outermost scope and in all in it.
struct Scope {
    buffer: Buffer<Item>,
    runs: Arc<Runs>,
}

impl Scope {
    fn new() -> Arc<Self> {
        Self::nested_in(&Arc::new(Runs::default()))
    }

    fn nested_in(runs: &Arc<Runs>) -> Arc<Self> {
        Arc::new(Self { buffer: Buffer::new(), runs: Arc::clone(runs) })
    }

    fn push(&self, by: usize, nth: usize) -> Result<(), Phase> {
        let mut made = false;
        let make = || {
            made = true;
            Item { by, nth, order: u64::MAX }
        };
        let place = |item: &mut Item, last| {
            item.order = self.runs.next(last);
            item.order
        };
        let pushed = self.buffer.push(false, make, place);
        assert_eq!(made, pushed.is_ok(), "what is refused is not even made");
        assert_ne!(pushed, Err(Phase::Open), "an open buffer refuses nothing");
        pushed
    }

    /// Gives those of two that were accepted.
    fn push_two(&self, by: usize) -> Vec<(usize, usize)> {
        let accepted = [self.push(by, 0).is_ok(), self.push(by, 1).is_ok()];
        assert_ne!(accepted, [false, true], "accepted after it was closed");
        (0..2).filter(|&nth| accepted[nth]).map(|nth| (by, nth)).collect()
    }
}

fn whose(items: &[Item]) -> Vec<(usize, usize)> {
    let mut whose: Vec<_> = items.iter().map(|item| (item.by, item.nth)).collect();
    whose.sort_unstable();
    whose
}

#[track_caller]
fn in_order(items: &[Item]) {
    assert!(items.is_sorted_by(|a, b| a.order < b.order), "out of order: {items:?}");
    let own = |by| items.iter().filter(move |item| item.by == by).map(|item| item.nth);
    assert!((0..3).all(|by| own(by).is_sorted()), "a thread's own calls changed places: {items:?}");
}

/// Promise 10, and 5: what an enqueue was told is what sealing finds.
#[test]
fn enqueueing_while_a_scope_is_sealed_is_all_or_nothing() {
    loom::model(|| {
        let scope = Scope::new();
        let (one, other) = (Arc::clone(&scope), Arc::clone(&scope));
        // Two calls of one thread, to see that none is accepted after one that was not.
        let one = thread::spawn(move || one.push_two(0));
        let other = thread::spawn(move || other.push(1, 0));

        let sealed = scope.buffer.close(Phase::Sealed).unwrap().items;
        let late = scope.push_two(2);
        assert_eq!(late, [], "accepted after it was closed");

        let mut accepted = one.join().unwrap();
        accepted.extend(other.join().unwrap().is_ok().then_some((1, 0)));
        assert_eq!(whose(&sealed), accepted, "each accepted item is given out, once");
        in_order(&sealed);
        assert_eq!(scope.buffer.len(), 0, "nothing is left behind");
        assert_eq!(scope.buffer.close(Phase::Discarded).unwrap_err(), Phase::Sealed, "closed once only");
    });
}

/// Two ends of one scope: a guard dropped while a future is, say.
#[test]
fn only_one_of_two_who_close_gets_what_is_in_it() {
    loom::model(|| {
        let scope = Scope::new();
        let before = scope.push_two(0);
        let other = {
            let scope = Arc::clone(&scope);
            thread::spawn(move || scope.buffer.close(Phase::Discarded))
        };
        let mine = scope.buffer.close(Phase::Sealed);
        let theirs = other.join().unwrap();
        let (got, (lost, phase)) = match (mine, theirs) {
            (Ok(mine), Err(phase)) => (mine, (Phase::Sealed, phase)),
            (Err(phase), Ok(theirs)) => (theirs, (Phase::Discarded, phase)),
            both => panic!("one of the two: {both:?}"),
        };
        assert_eq!(whose(&got.items), before);
        assert_eq!(phase, lost, "the other is told how it ended");
        assert_eq!(scope.buffer.phase(), lost);
    });
}

/// A scope that finds itself empty closes without asking anyone; an enqueue comes before that, or is refused.
#[test]
fn a_scope_that_closes_because_it_is_empty_has_lost_nothing() {
    loom::model(|| {
        let scope = Scope::new();
        let pusher = {
            let scope = Arc::clone(&scope);
            thread::spawn(move || scope.push_two(0))
        };
        let closed = scope.buffer.close_if_empty(Phase::Flushed);
        let accepted = pusher.join().unwrap();
        if closed {
            assert_eq!(accepted, []);
            assert_eq!(scope.buffer.phase(), Phase::Flushed);
        } else {
            assert_eq!(accepted, [(0, 0), (0, 1)]);
            assert_eq!(whose(&scope.buffer.close(Phase::Sealed).unwrap().items), accepted);
        }
    });
}

/// Promises 8 and 4: what a nested scope gives to its parent is in what the parent gives out, in the order of the calls,
/// or comes back.
#[test]
fn a_capture_while_the_parent_is_sealed_is_merged_or_given_back() {
    loom::model(|| {
        let parent = Scope::new();
        let pusher = {
            let parent = Arc::clone(&parent);
            thread::spawn(move || parent.push(1, 0).is_ok())
        };
        let nested = {
            let parent = Arc::clone(&parent);
            thread::spawn(move || {
                let nested = Scope::nested_in(&parent.runs);
                assert_eq!(nested.push_two(0).len(), 2);
                let captured = Contents { may_have_options: true, ..nested.buffer.close(Phase::Sealed).unwrap() };
                let whole = captured.items.clone();
                parent.buffer.merge(captured, |item| item.order).map_err(|(back, phase)| {
                    assert_eq!(back.items, whole, "what is refused comes back whole");
                    assert!(back.may_have_options);
                    phase
                })
            })
        };

        let sealed = parent.buffer.close(Phase::Sealed).unwrap();
        let (pushed, merged) = (pusher.join().unwrap(), nested.join().unwrap());
        let mut expected = Vec::new();
        match merged {
            Ok(()) => expected.extend([(0, 0), (0, 1)]),
            Err(phase) => assert_eq!(phase, Phase::Sealed),
        }
        assert_eq!(sealed.may_have_options, merged.is_ok(), "what needs care is known to need it");
        expected.extend(pushed.then_some((1, 0)));
        assert_eq!(whose(&sealed.items), expected, "all or nothing, once");
        in_order(&sealed.items);
        assert_eq!(parent.buffer.len(), 0, "nothing is left behind");
    });
}
