//! What the original's Django parts do with a scope.

use airlock::{ScopeBody, scope};
use airlock_tests::log::logged;

use super::{fail, note, notify_warehouse, ran, send_confirmation};

/// What a web framework hands back.
struct Response {
    status: u16,
}

impl ScopeBody for Response {
    fn succeeded(&self) -> bool {
        self.status < 400
    }
}

#[test]
fn a_middleware_flushes_below_400_and_discards_from_there_on_and_on_a_panic() {
    for (status, dispatched) in [(200, 1), (302, 1), (399, 1), (400, 0), (404, 0), (500, 0)] {
        let ended = scope().run_reported(|| {
            send_confirmation::enqueue().unwrap();
            Response { status }
        });
        assert_eq!(ended.result.status, status);
        let counts = ended.flush.unwrap().counts();
        assert_eq!((counts.dispatched, counts.discarded), (dispatched, 1 - dispatched), "{status}");
        assert_eq!(ran().len(), dispatched, "{status}");
    }
    let panicked = std::panic::catch_unwind(|| {
        drop(scope().run_reported(|| -> Response {
            send_confirmation::enqueue().unwrap();
            panic!("the view is broken")
        }));
    });
    assert_eq!(panicked.unwrap_err().downcast_ref::<&str>(), Some(&"the view is broken"));
    assert!(ran().is_empty());
}

/// A database transaction that runs hooks after its commit.
#[derive(Default)]
struct Transaction {
    hooks: Vec<Box<dyn FnOnce()>>,
}

impl Transaction {
    fn on_commit(&mut self, hook: impl FnOnce() + 'static) {
        self.hooks.push(Box::new(hook));
    }

    fn commit(self) {
        note("commit");
        self.hooks.into_iter().for_each(|hook| hook());
    }
}

#[test]
fn effects_wait_for_the_commit_and_go_with_a_rollback() {
    let request = |transaction: &mut Transaction| {
        let guard = scope().enter();
        notify_warehouse::enqueue(1).unwrap();
        fail::enqueue().unwrap();
        send_confirmation::enqueue().unwrap();
        let sealed = guard.seal().unwrap();
        transaction.on_commit(move || {
            let error = sealed.dispatch().unwrap_err();
            assert_eq!(error.failed().len(), 1);
        });
    };
    let mut transaction = Transaction::default();
    request(&mut transaction);
    assert!(ran().is_empty());
    transaction.commit();
    assert_eq!(ran(), ["commit", "notify 1", "fail", "confirm"], "one that fails doesn't keep the others");

    let mut transaction = Transaction::default();
    request(&mut transaction);
    let ((), log) = logged(|| drop(transaction));
    assert!(ran().is_empty());
    assert!(log.contains("a sealed scope was dropped without being dispatched"), "{log}");
    assert!(log.contains("intents=3"), "{log}");
}
