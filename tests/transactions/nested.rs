//! A commit in a scope around it: the effects go with their data.

use airlock::{BlockTasks, LogExecutor, ScopeBuilder};
use airlock_tests::recorder::Recorder;
use futures::executor::block_on as block_here;

use crate::databases::for_each_database;
use crate::shop::{block_on, counts, django, mail, note, place, routed, rows};

for_each_database! {
    /// An order with two notes and a mail, committed in a scope of its own.
    async fn checkout(
        database: &airlock_tests::servers::DjangoDatabase,
        scope: ScopeBuilder,
    ) -> airlock::FlushReport {
        let pool = pool(database).await;
        let scope = scope.open();
        let mut transaction = begin(&pool).await;
        place(&scope, &mut transaction, 2, 1).await.unwrap();
        scope.commit(transaction).await.unwrap()
    }

    #[test]
    fn promise_08_a_commit_within_a_scope_leaves_with_its_transaction_and_is_not_captured() {
        let database = shop();
        let mails = Recorder::new();
        block_on(async {
            let route = routed(&database, &mails);
            let around = airlock::scope().open();
            let report = around.wrap(async { Ok::<_, airlock::Error>(checkout(&database, airlock::scope().executor(route)).await) });
            assert_eq!(counts(&report.await.unwrap()), (2, 1, 0));
            // It stays, although the scope around it ends badly.
            around.run(|| mail::enqueue(7)).unwrap();
            assert_eq!(around.discard().counts().discarded, 1);
        });
        assert_eq!((rows(&database), mails.calls().len()), ((1, 2), 1));
    }

    #[test]
    fn promise_08_the_outermost_scope_that_names_an_executor_gets_it_after_the_commit() {
        let database = shop();
        let (mails, dry) = (Recorder::new(), Recorder::new());
        block_on(async {
            let outermost = airlock::scope().executor(dry.clone()).open();
            let report = outermost.wrap(async {
                let between = airlock::scope().executor(LogExecutor::new()).open();
                let scope = airlock::scope().executor(routed(&database, &mails));
                let report = between.wrap(async { Ok::<_, airlock::Error>(checkout(&database, scope).await) }).await;
                between.discard();
                report
            });
            let report = report.await.unwrap();
            assert_eq!((counts(&report), report.executor()), ((0, 3, 0), Some("recorder")));
            outermost.discard();
        });
        assert_eq!((rows(&database), mails.calls().len(), dry.calls().len()), ((1, 0), 0, 3));
    }

    #[test]
    fn promise_07_the_policies_of_all_scopes_around_judge_a_commit() {
        let database = shop();
        block_on(async {
            let outer = airlock::scope().policy(BlockTasks::of::<note>()).open();
            let mails = Recorder::new();
            let scope = airlock::scope().executor(routed(&database, &mails));
            let report = outer.wrap(async { Ok::<_, airlock::Error>(checkout(&database, scope).await) }).await.unwrap();
            assert_eq!((report.counts().dropped, counts(&report)), (2, (0, 1, 2)));
            outer.discard();
        });
        assert_eq!(rows(&database), (1, 0));
    }

    #[test]
    fn promise_08_a_commit_does_not_ask_whether_the_scopes_around_have_ended() {
        let database = shop();
        block_on(async {
            let pool = pool(&database).await;
            let outer = airlock::scope().open();
            let scope = outer.run(|| Ok::<_, airlock::Error>(airlock::scope().executor(django(&database)).open())).unwrap();
            outer.flush().unwrap();
            let mut transaction = begin(&pool).await;
            place(&scope, &mut transaction, 1, 0).await.unwrap();
            assert_eq!(counts(&scope.commit(transaction).await.unwrap()), (1, 0, 0));
        });
        assert_eq!(rows(&database), (1, 1));
    }

    #[test]
    fn a_test_that_captures_gets_what_a_commit_hands_over() {
        let database = shop();
        let captured = airlock::testing::capture(|| {
            block_on(async {
                let scope = airlock::scope().executor(django(&database)).transactional();
                let scope = airlock::Scope::current().unwrap().wrap(checkout(&database, scope));
                let report = scope.await;
                assert_eq!(counts(&report), (0, 3, 0));
            });
        });
        airlock::assert_enqueued!(captured, note { number: 0 });
        airlock::assert_enqueued!(captured, mail { number: 0 });
        assert_eq!(captured.of::<note>().len(), 2);
        // The data is there: only the effects are captured.
        assert_eq!(rows(&database), (1, 0));
    }

    #[test]
    fn what_a_scoped_function_within_captured_goes_with_the_transaction() {
        #[airlock::scoped]
        fn remind() -> airlock::Result<()> {
            note::enqueue(1)?;
            Ok(())
        }
        let database = shop();
        block_on(async {
            let pool = pool(&database).await;
            let scope = airlock::scope().executor(django(&database)).open();
            scope.run(remind).unwrap();
            let transaction = begin(&pool).await;
            let report = scope.commit(transaction).await.unwrap();
            assert_eq!(counts(&report), (1, 0, 0));
        });
        assert_eq!(rows(&database), (0, 1));
    }
}

#[test]
fn promise_08_what_ends_after_a_refused_commit_finds_its_parent_discarded() {
    let database = crate::databases::shop(airlock_tests::servers::DjangoDatabase::sqlite());
    block_on(async {
        let pool = crate::databases::sqlite_pool(&database).await;
        let scope = airlock::scope().executor(django(&database)).open();
        let handle = scope.handle();
        let mut transaction = pool.begin().await.unwrap();
        place(&scope, &mut transaction, 1, 0).await.unwrap();
        let nested = handle.run(|| airlock::scope().open());
        nested.run(|| mail::enqueue(1)).unwrap();
        scope.run(|| note::enqueue_with(airlock::Options::new().max_retries(3), 7)).unwrap();
        drop(crate::shop::not_committed(scope.commit(transaction).await));
        assert_eq!(handle.phase(), airlock::Phase::Discarded);
        let report = nested.flush().unwrap();
        assert_eq!(report.counts().discarded, 1, "{report}");
    });
}

#[test]
fn a_transactional_scope_is_not_captured() {
    let outer = airlock::scope().executor(Recorder::new()).open();
    outer.run(|| {
        let inner = airlock::scope().transactional().open();
        inner.run(|| mail::enqueue(1)).unwrap();
        let error = inner.flush().unwrap_err();
        assert!(error.to_string().contains("would capture it, and hand it over outside of any transaction"), "{error}");
        assert_eq!(error.into_intents().len(), 1);
    });
    assert_eq!(outer.flush().unwrap().counts().enqueued, 0);
}

#[test]
fn an_open_scope_without_a_transaction_is_captured_as_ever() {
    let outer = airlock::scope().executor(Recorder::new()).open();
    block_here(outer.wrap(async {
        let inner = airlock::scope().open();
        inner.run(|| mail::enqueue(1))?;
        assert_eq!(inner.flush()?.counts().captured, 1);
        Ok::<_, airlock::Error>(())
    }))
    .unwrap();
    assert_eq!(outer.flush().unwrap().counts().dispatched, 1);
}
