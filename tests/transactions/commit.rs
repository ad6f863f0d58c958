//! What a commit does when all goes well, and when the scope ended badly.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};

use airlock::{DropAll, Settings};
use airlock_tests::recorder::Recorder;
use futures::FutureExt;

use crate::databases::for_each_database;
use crate::shop::{
    HERE, Witness, are_written, block_on, counts, django, here, mail, not_committed, note, outcomes, place, routed,
    rows, says,
};

/// Of tasks that run in this process, for each test its own.
static NUMBERS: AtomicU64 = AtomicU64::new(0);

for_each_database! {
    #[test]
    fn promise_20_data_and_what_is_written_with_it_are_committed_together() {
        let database = shop();
        block_on(async {
            let pool = pool(&database).await;
            let scope = airlock::scope().executor(django(&database)).open();
            let mut transaction = begin(&pool).await;
            place(&scope, &mut transaction, 3000, 0).await.unwrap();
            let report = scope.commit(transaction).await.unwrap();
            assert_eq!(counts(&report), (3000, 0, 0));
            assert!(report.is_complete() && are_written(&report));
            assert_eq!(report.executor(), Some("django_tasks"));
            assert!(report.to_string().ends_with("3000 enqueued: 3000 written"), "{report}");
        });
        assert_eq!(rows(&database), (1, 3000));
    }

    #[test]
    fn promise_20_what_is_not_written_follows_the_commit() {
        let database = shop();
        let seen = Recorder::new();
        block_on(async {
            let pool = pool(&database).await;
            let witness = Witness { url: database.url().to_owned(), seen: seen.clone() };
            let route = airlock::Route::new().to::<note>(django(&database)).otherwise(witness);
            let scope = airlock::scope().executor(route).open();
            let mut transaction = begin(&pool).await;
            place(&scope, &mut transaction, 2, 2).await.unwrap();
            let report = scope.commit(transaction).await.unwrap();
            assert_eq!(counts(&report), (2, 2, 0));
            let expected = ["tests.note: written"; 2].into_iter().chain(["tests.mail: dispatched"; 2]);
            assert_eq!(outcomes(&report), expected.collect::<Vec<_>>());
        });
        assert_eq!(seen.calls(), ["tests.mail(number=0) beside 1 orders", "tests.mail(number=1) beside 1 orders"]);
        assert_eq!(rows(&database), (1, 2));
    }

    #[test]
    fn promise_04_local_tasks_run_after_the_rest_of_what_follows_the_commit() {
        let database = shop();
        block_on(async {
            let pool = pool(&database).await;
            let number = NUMBERS.fetch_add(10, Ordering::Relaxed);
            let mails = move |intent: airlock::Intent| {
                HERE.lock().unwrap().push(number + 1 + intent.args::<mail>().unwrap().0);
                Ok::<_, airlock::DispatchError>(())
            };
            let route = airlock::Route::new().to::<note>(django(&database)).otherwise(mails);
            let scope = airlock::scope().executor(route).open();
            scope.run(|| here::enqueue(number)).unwrap();
            let mut transaction = begin(&pool).await;
            place(&scope, &mut transaction, 1, 1).await.unwrap();
            let report = scope.commit(transaction).await.unwrap();
            assert_eq!(counts(&report), (1, 2, 0));
            let order: Vec<_> =
                HERE.lock().unwrap().iter().copied().filter(|seen| (number..number + 10).contains(seen)).collect();
            assert_eq!(order, [number + 1, number], "the mail goes first");
            assert!(report.executor().is_some_and(|name| name.ends_with("then inline")), "{report}");
        });
        assert_eq!(rows(&database), (1, 1));
    }

    #[test]
    fn a_commit_without_effects_is_a_commit() {
        let database = shop();
        block_on(async {
            let pool = pool(&database).await;
            let scope = airlock::scope().executor(django(&database)).open();
            let mut transaction = begin(&pool).await;
            place(&scope, &mut transaction, 0, 0).await.unwrap();
            let report = scope.commit(transaction).await.unwrap();
            assert_eq!(counts(&report), (0, 0, 0));
        });
        assert_eq!(rows(&database), (1, 0));
    }

    #[test]
    fn what_policies_drop_keeps_no_data_from_being_committed() {
        let database = shop();
        block_on(async {
            let pool = pool(&database).await;
            let scope = airlock::scope().executor(django(&database)).policy(DropAll).open();
            let mut transaction = begin(&pool).await;
            place(&scope, &mut transaction, 2, 0).await.unwrap();
            let report = scope.commit(transaction).await.unwrap();
            assert_eq!(report.counts().dropped, 2);
        });
        assert_eq!(rows(&database), (1, 0));
    }

    #[test]
    fn promise_20_a_scope_in_which_something_failed_rolls_back_whatever_its_caller_does() {
        let database = shop();
        block_on(async {
            let pool = pool(&database).await;
            for way in ["error", "panic", "dropped"] {
                let mails = Recorder::new();
                let scope = airlock::scope().executor(routed(&database, &mails)).open();
                let mut transaction = begin(&pool).await;
                place(&scope, &mut transaction, 2, 2).await.unwrap();
                match way {
                    "error" => drop(scope.wrap(async { Err::<(), _>(airlock::Error::other("no stock")) }).await),
                    "panic" => {
                        let panics = scope.wrap(async { assert!(way.is_empty(), "on purpose") });
                        let _: Box<_> = AssertUnwindSafe(panics).catch_unwind().await.unwrap_err();
                    }
                    _ => drop(scope.wrap(std::future::pending::<()>()).now_or_never()),
                }
                let error = not_committed(scope.commit(transaction).await);
                says(&error, "something in the scope had failed");
                says(&error, "4 enqueued: 4 discarded");
                assert!(error.into_intents().is_empty() && mails.calls().is_empty());
                // It is rolled back by the time the caller knows: another transaction can begin at once.
                let other = begin(&pool).await;
                other.rollback().await.unwrap();
            }
        });
        assert_eq!(rows(&database), (0, 0));
    }

    #[test]
    fn promise_03_a_scope_that_is_dropped_beside_its_transaction_leaves_nothing() {
        let database = shop();
        block_on(async {
            let pool = pool(&database).await;
            let mails = Recorder::new();
            let scope = airlock::scope().executor(routed(&database, &mails)).open();
            let mut transaction = begin(&pool).await;
            place(&scope, &mut transaction, 2, 2).await.unwrap();
            drop((scope, transaction));
            assert!(mails.calls().is_empty());
        });
        assert_eq!(rows(&database), (0, 0));
    }

    #[test]
    fn promise_13_what_does_not_go_out_after_the_commit_is_told_with_the_data_committed() {
        let database = shop();
        block_on(async {
            let pool = pool(&database).await;
            let down = |_: airlock::Intent| Err(airlock::DispatchError::unavailable("connection refused"));
            let route = airlock::Route::new().to::<note>(django(&database)).otherwise(down);
            let scope = airlock::scope().executor(route).open();
            let mut transaction = begin(&pool).await;
            place(&scope, &mut transaction, 1, 1).await.unwrap();
            let error = airlock::Error::from(scope.commit(transaction).await.unwrap_err());
            let found = airlock::FlushError::find(&error).unwrap();
            assert_eq!((found.undispatched().len(), counts(found.report())), (1, (1, 0, 1)));
            assert!(error.to_string().contains("was committed, and not all that was to follow went out"), "{error}");
            assert!(found.to_string().contains("connection refused"), "{found}");
            let airlock::Error::Commit(error) = error else { panic!("{error}") };
            assert_eq!(error.into_intents().len(), 1);
        });
        assert_eq!(rows(&database), (1, 1));
    }

    #[test]
    fn promise_12_what_was_not_committed_is_never_lost_to_the_hook() {
        let database = shop();
        let lost = Recorder::new();
        let hook = lost.clone();
        let settings = Settings::new().on_lost(move |found| {
            found.into_intents().iter().for_each(|intent| hook.note(intent.to_string()));
        });
        airlock::testing::with_settings(settings, || block_on(async {
            let pool = pool(&database).await;
            let scope = airlock::scope().executor(django(&database)).open();
            let transaction = begin(&pool).await;
            let refused = airlock::Options::new().max_retries(3);
            scope.run(|| note::enqueue_with(refused, 1)).unwrap();
            scope.run(|| mail::enqueue(1)).unwrap();
            let error = not_committed(scope.commit(transaction).await);
            assert_eq!(error.intents().len(), 2);
            drop(error);
        }));
        assert!(lost.calls().is_empty(), "{:?}", lost.calls());
        assert_eq!(rows(&database), (0, 0));
    }
}
