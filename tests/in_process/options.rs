//! Promise 17: an option an executor cannot honour is an error naming it.

use std::sync::Arc;
use std::time::Duration;

use airlock::{Executor, Options, ThreadPoolExecutor, TokioExecutor};
use airlock_tests::patience::PATIENCE;

use crate::threads::{Probe, act, act_later, failures, shut_down};

type Both = [(&'static str, Arc<dyn Executor>); 2];

fn executors(ignore: bool) -> (tokio::runtime::Runtime, Both) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let (mut pool, mut tokio) = (ThreadPoolExecutor::new().threads(1), TokioExecutor::on(runtime.handle().clone()));
    if ignore {
        (pool, tokio) = (pool.ignore_unsupported(), tokio.ignore_unsupported());
    }
    (runtime, [("thread pool", Arc::new(pool)), ("tokio executor", Arc::new(tokio))])
}

fn unsupported() -> [(&'static str, Options); 3] {
    [
        ("`priority`", Options::new().priority(9)),
        ("`max_retries`", Options::new().max_retries(3)),
        ("`timeout` for a task that isn't async", Options::new().timeout(Duration::from_secs(1))),
    ]
}

#[test]
fn promise_17_priority_max_retries_and_the_timeout_of_a_function_are_refused_by_name_before_anything_escapes() {
    let (_runtime, executors) = executors(false);
    for (title, executor) in executors {
        for (option, options) in unsupported() {
            let (probe, ran) = Probe::sending();
            let ended = airlock::scope().executor(Arc::clone(&executor)).run_reported(|| {
                act::enqueue(probe.clone(), 0).unwrap();
                act::enqueue_with(options, probe.clone(), 1).unwrap();
            });
            let error = ended.flush.unwrap_err();
            let expected = format!(
                "rejected: a {title} can't honour {option}; leave it out, or say `.ignore_unsupported()` where the \
                 executor is made"
            );
            assert!(error.to_string().ends_with(&expected), "{error}");
            assert_eq!(error.into_intents().len(), 2);
            assert!(ran.try_recv().is_err());
        }
    }
}

#[test]
fn promise_17_an_option_of_the_attribute_is_refused_like_one_of_the_call() {
    #[airlock::task(name = "local.urgent", priority = 9)]
    fn urgent() {}

    let ended = airlock::scope().executor(ThreadPoolExecutor::new()).run_reported(|| drop(urgent::enqueue()));
    let error = ended.flush.unwrap_err();
    assert!(error.to_string().contains("a thread pool can't honour `priority`"), "{error}");
    drop(error.into_intents());
}

#[test]
fn promise_17_each_intent_of_a_task_that_is_refused_is_among_the_offenders() {
    #[airlock::task(name = "local.pressing", priority = 9)]
    fn pressing() {}

    let (_runtime, executors) = executors(false);
    for (_, executor) in executors {
        let (probe, ran) = Probe::sending();
        let ended = airlock::scope().executor(executor).run_reported(|| {
            let note = || drop(act::enqueue(probe.clone(), 0));
            let press = || drop(pressing::enqueue());
            [&note as &dyn Fn(), &note, &press, &press, &note, &press].iter().for_each(|enqueue| enqueue());
        });
        let error = ended.flush.unwrap_err();
        let counts = error.report().counts();
        assert_eq!((counts.failed, counts.unattempted), (3, 3), "{error}");
        assert_eq!(error.into_intents().len(), 6);
        assert!(ran.try_recv().is_err());
    }
}

#[test]
fn promise_17_what_is_ignored_on_request_runs() {
    let (_runtime, executors) = executors(true);
    for (_, executor) in executors {
        for (_, options) in unsupported() {
            let (probe, ran) = Probe::sending();
            let scope = airlock::scope().executor(Arc::clone(&executor));
            scope.run(|| drop(act::enqueue_with(options, probe, 1))).unwrap();
            assert_eq!(ran.recv_timeout(PATIENCE), Ok(1));
        }
    }
}

#[test]
fn promise_17_what_is_for_other_systems_or_for_people_refuses_nothing() {
    let (_runtime, executors) = executors(false);
    for (_, executor) in executors {
        let (probe, ran) = Probe::sending();
        let options = Options::new().queue("mail").header("tenant", "acme").origin("/checkout").label("mail").extra(
            "celery",
            "ignore_result",
            true,
        );
        let scope = airlock::scope().executor(executor);
        scope.run(|| drop(act::enqueue_with(options, probe, 1))).unwrap();
        assert_eq!(ran.recv_timeout(PATIENCE), Ok(1));
    }
}

#[test]
fn the_timeout_of_an_async_task_drops_it_and_is_reported() {
    #[airlock::task(name = "local.hangs")]
    async fn hangs() {
        std::future::pending::<()>().await;
    }

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let (failed, on_error) = failures();
    let pool = ThreadPoolExecutor::new().threads(1).on_error(on_error);
    let (failed_there, on_error) = failures();
    let tokio = TokioExecutor::on(runtime.handle().clone()).on_error(on_error);
    let both: [(Arc<dyn Executor>, _); 2] = [(Arc::new(pool), failed), (Arc::new(tokio), failed_there)];
    for (executor, failures) in both {
        let (probe, ran) = Probe::sending();
        let ended = airlock::scope().executor(Arc::clone(&executor)).run_reported(|| {
            hangs::enqueue_with(Options::new().timeout(Duration::from_millis(20))).unwrap();
            act_later::enqueue_with(Options::new().timeout(PATIENCE), probe, 1).unwrap();
        });
        ended.flush.unwrap();
        assert_eq!(ran.recv_timeout(PATIENCE), Ok(1));
        assert!(shut_down(&executor).is_empty());
        let told: Vec<_> = failures.lock().unwrap().iter().map(ToString::to_string).collect();
        assert!(told.len() == 1 && told[0].ends_with("the task failed: it took longer than its 20ms"), "{told:?}");
    }
}
