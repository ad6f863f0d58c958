//! What can be no relay, and what a relay's executor would refuse.

use std::time::{Duration, SystemTime};

use airlock::{
    CeleryExecutor, Executor, Fallback, InlineExecutor, LogExecutor, Options, Outbox, Retry, Route, ThreadPoolExecutor,
    TokioExecutor,
};

use super::{Handed, note, other, relay};
use crate::home::on_both;

fn celery() -> CeleryExecutor {
    CeleryExecutor::new("redis://127.0.0.1:1/0").expect("a URL")
}

on_both! {
    async fn an_executor_that_confirms_nothing_is_refused_with_the_reason(home) {
        let refusal = async |executor: Box<dyn Executor>| {
            let worker = home.worker().queues(["default"]).through(executor);
            let refused = worker.run_until(async {}).await.expect_err("it is refused");
            assert!(!refused.is_temporary());
            refused.to_string()
        };
        let threads = || ThreadPoolExecutor::new();
        let in_memory: [Box<dyn Executor>; 5] = [
            Box::new(threads()),
            Box::new(TokioExecutor::new()),
            Box::new(Route::new().to::<(note,)>(celery()).otherwise(threads())),
            Box::new(Fallback::new(celery(), threads())),
            Box::new(Retry::new(std::sync::Arc::new(threads()))),
        ];
        for executor in in_memory {
            let said = refusal(executor).await;
            assert!(said.contains("into the memory of this process; relay to one that confirms"), "{said}");
        }
        let notes: [Box<dyn Executor>; 3] = [
            Box::new(LogExecutor::new()),
            Box::new(Route::new().to::<(note,)>(LogExecutor::new()).otherwise(celery())),
            Box::new(Retry::new(Fallback::new(celery(), LogExecutor::new()))),
        ];
        for executor in notes {
            let said = refusal(executor).await;
            assert!(said.contains("would end rows that are only noted; leave that out"), "{said}");
        }
        // The same place under another name.
        let alias = match home.url.strip_prefix("sqlite://") {
            Some(path) => format!("sqlite://{}", path.replacen("/shop.db", "/./shop.db", 1)),
            None => home.url.replacen("127.0.0.1", "localhost", 1),
        };
        let same: [Box<dyn Executor>; 4] = [
            Box::new(Outbox::new(alias).expect("a URL")),
            Box::new(home.outbox.clone()),
            Box::new(Route::new().otherwise(Retry::new(home.outbox.clone()))),
            Box::new(Fallback::new(celery(), Outbox::new(&home.url).expect("a URL").default_queue("other"))),
        ];
        for executor in same {
            let said = refusal(executor).await;
            assert!(said.contains("would write to the table it reads from; give it another outbox"), "{said}");
        }
        let worker = home.worker().through(celery());
        let refused = worker.run_until(async {}).await.expect_err("it has no queues");
        assert_eq!(refused.to_string(), "a relay to `celery` takes what lies in its queues; name them by `queues`");
        // What calls them here confirms.
        let inline = home.worker().queues(["default"]).through(Route::new().otherwise(InlineExecutor::new()));
        inline.run_until(async {}).await.expect("it is taken");
    }

    async fn an_outbox_that_is_relayed_refuses_at_the_flush_what_the_executor_would(home) {
        let outbox = home.outbox.clone().relayed_by(Route::new().to::<(note,)>(celery()));
        let flush = |options: Options| {
            let scope = airlock::scope().executor(outbox.clone()).enter();
            note::enqueue_with(options, 1).expect("there is a scope");
            scope.flush().map(drop).map_err(|error| {
                let said = error.to_string();
                drop(error.into_intents());
                said
            })
        };
        let said = flush(Options::new().max_retries(3)).expect_err("Celery has no such thing");
        assert!(said.contains("`max_retries`"), "{said}");
        let said = flush(Options::new().header("task", "x")).expect_err("a header of Celery's own");
        assert!(said.contains("header"), "{said}");
        // Without a way to go.
        let scope = airlock::scope().executor(outbox.clone()).enter();
        other::enqueue(1).expect("there is a scope");
        let refused = scope.flush().expect_err("no route takes it");
        drop(refused.into_intents());
        assert_eq!(home.rows().await.len(), 0);
        // A delay beyond what Celery on Redis takes is spent in the outbox, and a timeout is Celery's.
        let day = Duration::from_secs(24 * 3600);
        let far = Options::new().delay(day).expires_in(2 * day).timeout(Duration::from_secs(5));
        let scope = airlock::scope().executor(celery()).enter();
        note::enqueue_with(far.clone(), 1).expect("there is a scope");
        drop(scope.flush().expect_err("Celery refuses it").into_intents());
        flush(far).expect("it is written");
        flush(Options::new().eta(SystemTime::now() + day)).expect("it is written");
        assert_eq!(home.rows().await.len(), 2);
    }

    async fn an_outbox_that_is_relayed_asks_about_the_queue_that_its_rows_have(home) {
        let route = Route::new().queue("letters", celery());
        let outbox = home.outbox.clone().default_queue("letters").relayed_by(route);
        let flush = |options: Options| {
            let scope = airlock::scope().executor(outbox.clone()).enter();
            note::enqueue_with(options, 1).expect("there is a scope");
            scope.flush().map(drop).map_err(|error| drop(error.into_intents()))
        };
        flush(Options::new()).expect("its queue is that of the outbox");
        flush(Options::new().queue("parcels")).expect_err("no route takes it");
    }

    async fn what_is_refused_in_the_relay_after_all_is_dead_with_the_reason(home) {
        home.enqueue(|| {
            note::enqueue_with(Options::new().max_retries(3), 1)?;
            note::enqueue(2)
        });
        let handed = Handed::default();
        let taking = handed.taking();
        struct Asking<E>(CeleryExecutor, E);
        impl<E: Executor> Executor for Asking<E> {
            fn name(&self) -> &str { "asking" }
            fn accepts(&self, intent: &airlock::Intent, flush: &airlock::FlushContext) -> Result<(), airlock::Rejection> {
                self.0.accepts(intent, flush)
            }
            fn dispatch<'a>(&'a self, batch: airlock::Batch) -> airlock::BoxFuture<'a, ()> {
                self.1.dispatch(batch)
            }
        }
        let report = home.drain(relay(&home, Asking(celery(), taking))).await;
        assert_eq!((report.done, report.dead, handed.numbers()), (1, 1, vec![2]));
        let error = home.rows().await[0].error.clone().unwrap_or_default();
        assert!(error.contains("`max_retries`"), "{error}");
    }
}
