//! Executors made of others, in a transaction.

use airlock::{DispatchError, Fallback, HueyExecutor, Intent, LogExecutor, Retry, Route};
use airlock_tests::recorder::Recorder;

use crate::databases::for_each_database;
use crate::shop::{TASKS, block_on, counts, django, here, mail, not_committed, note, outcomes, place, rows, run, says};

for_each_database! {
    #[test]
    fn promise_21_two_systems_write_into_one_transaction_one_after_the_other() {
        let database = shop();
        block_on(async {
            let pool = pool(&database).await;
            let huey = HueyExecutor::new(database.url()).unwrap();
            let route = Route::new().to::<note>(django(&database)).otherwise(huey);
            let scope = airlock::scope().executor(route).open();
            let mut transaction = begin(&pool).await;
            place(&scope, &mut transaction, 1500, 1500).await.unwrap();
            let report = scope.commit(transaction).await.unwrap();
            assert_eq!(counts(&report), (3000, 0, 0));
        });
        let huey = format!("SELECT count(*) FROM {}", database.queues()[0]);
        assert_eq!((rows(&database), database.open().number(&huey)), ((1, 1500), 1500));
    }

    #[test]
    fn promise_21_what_one_of_two_systems_refuses_takes_the_other_with_it() {
        let database = shop();
        run(&database, &format!("DROP TABLE {}", database.queues()[0]));
        block_on(async {
            let pool = pool(&database).await;
            let huey = HueyExecutor::new(database.url()).unwrap();
            let route = Route::new().to::<note>(django(&database)).otherwise(huey);
            let scope = airlock::scope().executor(route).open();
            let mut transaction = begin(&pool).await;
            place(&scope, &mut transaction, 2, 1).await.unwrap();
            let error = not_committed(scope.commit(transaction).await);
            says(&error, "tests.mail");
            says(&error, "has no table");
            let kept = "tests.note: unattempted: the transaction was not committed";
            let error = airlock::CommitError::NotCommitted(error);
            assert_eq!(outcomes(error.report())[..2], [kept; 2]);
            assert_eq!(error.into_intents().len(), 3);
        });
        assert_eq!(rows(&database), (0, 0));
    }

    #[test]
    fn promise_21_once_a_route_was_refused_the_next_one_writes_nothing() {
        let database = shop();
        run(&database, "DROP TABLE django_tasks_database_dbtaskresult");
        block_on(async {
            let pool = pool(&database).await;
            let huey = HueyExecutor::new(database.url()).unwrap();
            let route = Route::new().to::<note>(django(&database)).otherwise(huey);
            let scope = airlock::scope().executor(route).open();
            let mut transaction = begin(&pool).await;
            place(&scope, &mut transaction, 2, 1).await.unwrap();
            let error = not_committed(scope.commit(transaction).await);
            says(&error, "tests.note");
            let mail = outcomes(error.report()).remove(2);
            assert_eq!(mail, "tests.mail: unattempted: an earlier one failed, and the scope fails fast");
        });
    }

    #[test]
    fn one_effect_that_is_past_its_expiry_is_told_and_rolls_all_back() {
        let database = shop();
        block_on(async {
            let pool = pool(&database).await;
            let scope = airlock::scope().executor(HueyExecutor::new(database.url()).unwrap()).open();
            let mut transaction = begin(&pool).await;
            place(&scope, &mut transaction, 1, 0).await.unwrap();
            let past = std::time::SystemTime::now() - std::time::Duration::from_secs(5);
            scope.run(|| mail::enqueue_with(airlock::Options::new().expires_at(past), 1)).unwrap();
            scope.run(|| note::enqueue(2)).unwrap();
            let error = not_committed(scope.commit(transaction).await);
            says(&error, "tests.mail");
            says(&error, "expire");
            assert_eq!(error.intents().len(), 3);
        });
        assert_eq!(rows(&database).0, 0);
    }

    #[test]
    fn promise_21_a_foreign_executor_that_panics_or_settles_too_few_rolls_back() {
        let database = shop();
        block_on(async {
            let pool = pool(&database).await;
            for way in ["writes_to", "accepts", "write", "too few", "nothing"] {
                let scope = airlock::scope().executor(Foreign(way, django(&database))).open();
                let mut transaction = begin(&pool).await;
                place(&scope, &mut transaction, 3, 0).await.unwrap();
                let error = not_committed(scope.commit(transaction).await);
                assert_eq!(error.intents().len(), 3, "{way}: {error}");
                assert!(way.starts_with("too") || way == "nothing" || error.to_string().contains("on purpose"), "{error}");
            }
        });
        assert_eq!(rows(&database), (0, 0));
    }

    #[test]
    fn a_retry_and_a_fallback_write_what_their_first_executor_writes() {
        let database = shop();
        block_on(async {
            let pool = pool(&database).await;
            let mails = Recorder::new();
            let scope = airlock::scope();
            let scope = scope.executor(Fallback::new(Retry::new(django(&database)), mails.clone())).open();
            let mut transaction = begin(&pool).await;
            place(&scope, &mut transaction, 3, 0).await.unwrap();
            assert_eq!(counts(&scope.commit(transaction).await.unwrap()), (3, 0, 0));
            // A fallback never switches inside of a transaction.
            run(&database, "DROP TABLE django_tasks_database_dbtaskresult");
            let scope = airlock::scope().executor(Fallback::new(django(&database), mails.clone())).open();
            let mut transaction = begin(&pool).await;
            place(&scope, &mut transaction, 3, 0).await.unwrap();
            says(&not_committed(scope.commit(transaction).await), "has no table");
            assert!(mails.calls().is_empty());
        });
    }

    #[test]
    fn an_executor_of_another_database_gets_it_after_the_commit() {
        let database = shop();
        block_on(async {
            let pool = pool(&database).await;
            for (elsewhere, expected) in [(django(&database).elsewhere(), (0, 2, 0)), (django(&database), (2, 0, 0))] {
                let scope = airlock::scope().executor(elsewhere).open();
                let mut transaction = begin(&pool).await;
                place(&scope, &mut transaction, 2, 0).await.unwrap();
                assert_eq!(counts(&scope.commit(transaction).await.unwrap()), expected);
            }
        });
        assert_eq!(rows(&database), (2, 4));
    }

    #[test]
    fn a_transactional_scope_refuses_what_would_follow_the_commit() {
        let database = shop();
        block_on(async {
            let pool = pool(&database).await;
            let mails = Recorder::new();
            let scope = || {
                let route = Route::new().to::<note>(django(&database)).otherwise(mails.clone());
                airlock::scope().executor(route).transactional().open()
            };
            let first = scope();
            let mut transaction = begin(&pool).await;
            place(&first, &mut transaction, 1, 1).await.unwrap();
            first.run(|| here::enqueue(1)).unwrap();
            let error = not_committed(first.commit(transaction).await);
            says(&error, "would not write it into the transaction of a commit");
            let error = airlock::CommitError::NotCommitted(error);
            let told = outcomes(error.report());
            assert!(told[0].contains("another intent of this flush was refused"), "{told:?}");
            assert!(told[1].contains("end the scope with `commit`"), "{told:?}");
            assert!(told[2].contains("a `local` task runs outside of any transaction"), "{told:?}");
            drop(error);

            let second = scope();
            let mut transaction = begin(&pool).await;
            place(&second, &mut transaction, 2, 0).await.unwrap();
            assert_eq!(counts(&second.commit(transaction).await.unwrap()), (2, 0, 0));

            // Without a transaction nothing of it is written into one, also where a plain call would do.
            let inline = airlock::scope().executor(airlock::InlineExecutor::new()).transactional();
            let error = inline.run(|| drop(mail::enqueue(1))).unwrap_err();
            assert!(error.to_string().contains("its scope is `transactional`"), "{error}");
            assert_eq!(error.into_intents().len(), 1);

            // A dry run only notes what would be handed over.
            let dry = airlock::scope().executor(LogExecutor::new()).transactional().open();
            let mut transaction = begin(&pool).await;
            place(&dry, &mut transaction, 1, 1).await.unwrap();
            assert_eq!(counts(&dry.commit(transaction).await.unwrap()), (0, 2, 0));
            assert!(mails.calls().is_empty());
        });
        assert_eq!(rows(&database), (2, 2));
    }

    #[test]
    fn a_transactional_scope_can_be_sealed_and_inserted() {
        let database = shop();
        block_on(async {
            let pool = pool(&database).await;
            let scope = airlock::scope().executor(django(&database)).transactional().open();
            let mut transaction = begin(&pool).await;
            place(&scope, &mut transaction, 2, 0).await.unwrap();
            let sealed = scope.seal().unwrap();
            django(&database).insert(&mut *transaction, sealed).await.unwrap();
            transaction.commit().await.unwrap();
        });
        assert_eq!(rows(&database), (1, 2));
    }
}

#[test]
fn what_a_closure_gets_after_the_commit_is_tried_as_ever() {
    let database = crate::databases::shop(airlock_tests::servers::DjangoDatabase::sqlite());
    let tries = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    block_on(async {
        let pool = crate::databases::sqlite_pool(&database).await;
        let counted = std::sync::Arc::clone(&tries);
        let second = move |_: Intent| match counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => Err(DispatchError::unavailable("connection refused")),
            _ => Ok(()),
        };
        let scope = airlock::scope().executor(Retry::new(second)).open();
        let mut transaction = pool.begin().await.unwrap();
        place(&scope, &mut transaction, 1, 0).await.unwrap();
        assert_eq!(counts(&scope.commit(transaction).await.unwrap()), (0, 1, 0));
    });
    assert_eq!(tries.load(std::sync::atomic::Ordering::Relaxed), 2);
    assert_eq!(database.open().number(TASKS), 0);
}

/// Writes as another executor does, but for what goes wrong.
struct Foreign(&'static str, airlock::DjangoTasksExecutor);

impl airlock::Executor for Foreign {
    fn name(&self) -> &str {
        "foreign"
    }

    fn accepts(&self, _: &Intent, _: &airlock::FlushContext) -> Result<(), airlock::Rejection> {
        assert!(self.0 != "accepts", "on purpose");
        Ok(())
    }

    fn writes_to(&self, intent: &Intent, kind: airlock::SqlKind) -> bool {
        assert!(self.0 != "writes_to", "on purpose");
        self.1.writes_to(intent, kind)
    }

    fn write<'a>(
        &'a self,
        mut batch: airlock::Batch,
        transaction: &'a mut airlock::OpenTransaction<'_>,
    ) -> airlock::BoxFuture<'a, ()> {
        Box::pin(async move {
            match self.0 {
                "too few" => drop(batch.begin()),
                "nothing" => {}
                way => {
                    assert!(way != "write", "on purpose");
                    self.1.write(batch, transaction).await;
                }
            }
        })
    }

    fn dispatch<'a>(&'a self, batch: airlock::Batch) -> airlock::BoxFuture<'a, ()> {
        self.1.dispatch(batch)
    }
}
