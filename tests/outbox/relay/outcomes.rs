//! How a row ends, or doesn't, by what the executor says of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use airlock::{DispatchError, Intent, OutboxState};
use tokio::sync::Semaphore;

use super::{Handed, custom, note, notes, number, relay};
use crate::home::on_both;

on_both! {
    async fn promise_26_a_row_is_done_once_the_executor_has_confirmed_it_and_no_sooner(home) {
        notes(&home, 20);
        let (begun, confirms) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let (has_begun, may_confirm) = (Arc::clone(&begun), Arc::clone(&confirms));
        let executor = custom(move |mut batch| {
            let (has_begun, may_confirm) = (Arc::clone(&has_begun), Arc::clone(&may_confirm));
            Box::pin(async move {
                while let Some(begun) = batch.begin() {
                    has_begun.add_permits(1);
                    may_confirm.acquire().await.expect("it stays open").forget();
                    begun.settle(Ok(()));
                }
            })
        });
        let story = async {
            begun.acquire_many(1).await.expect("it stays open").forget();
            assert_eq!(home.states().await, [(OutboxState::Running, 20)]);
            confirms.add_permits(20);
            home.all_have_ended().await;
        };
        let report = home.run_while(relay(&home, executor), story).await;
        assert_eq!((report.to_string(), home.states().await), ("20 done".to_owned(), vec![(OutboxState::Done, 20)]));
        assert!(home.rows().await.iter().all(|row| row.attempts == 1 && row.error.is_none()));
    }

    async fn promise_26_what_is_rejected_ends_dead_with_its_reason_and_holds_up_no_neighbour(home) {
        notes(&home, 50);
        let handed = Handed::default();
        let noted = handed.clone();
        let executor = airlock::executor_fn(move |intent: Intent| {
            noted.note(&intent);
            if number(&intent) % 10 == 3 { Err(DispatchError::rejected("no such queue")) } else { Ok(()) }
        });
        let told = Arc::new(Mutex::new(Vec::new()));
        let hears = Arc::clone(&told);
        let worker = relay(&home, executor).on_error(move |failure| hears.lock().expect("no panic").push(failure.again_in));
        let report = home.drain(worker).await;
        assert_eq!((report.done, report.dead, report.retried), (45, 5, 0));
        assert_eq!(handed.numbers(), (0..50).collect::<Vec<_>>());
        for row in home.rows().await.iter().filter(|row| row.state == OutboxState::Dead) {
            assert_eq!((row.attempts, row.error.as_deref()), (1, Some("no such queue")));
        }
        assert_eq!(*told.lock().expect("no panic"), [None; 5]);
    }

    async fn promise_26_what_is_unconfirmed_is_sent_again_with_the_same_id_and_costs_no_attempt(home) {
        notes(&home, 30);
        let handed = Handed::default();
        let noted = handed.clone();
        let executor = airlock::executor_fn(move |intent: Intent| {
            let again = noted.all().iter().filter(|(id, _)| *id == intent.id()).count();
            noted.note(&intent);
            if number(&intent).is_multiple_of(2) && again < 2 { Err(DispatchError::unconfirmed("no answer")) } else { Ok(()) }
        });
        let report = home.drain(relay(&home, executor).max_retries(0)).await;
        assert_eq!((report.done, report.dead, report.retried), (30, 0, 0));
        let mut times: BTreeMap<_, usize> = BTreeMap::new();
        handed.all().into_iter().for_each(|sent| *times.entry(sent).or_default() += 1);
        assert_eq!(times.len(), 30);
        assert!(times.iter().all(|((_, number), times)| *times == if number % 2 == 0 { 3 } else { 1 }), "{times:?}");
        assert!(home.rows().await.iter().all(|row| row.attempts == 1));
    }

    async fn a_task_that_failed_where_it_was_handed_to_is_tried_again_as_often_as_it_may(home) {
        home.enqueue(|| {
            note::enqueue(1)?;
            note::enqueue_with(airlock::Options::new().max_retries(1), 2)
        });
        let handed = Handed::default();
        let noted = handed.clone();
        let executor = airlock::executor_fn(move |intent: Intent| {
            noted.note(&intent);
            Err(DispatchError::task_failed("not this time"))
        });
        let report = home.drain(relay(&home, executor).max_retries(2)).await;
        assert_eq!((report.dead, report.retried), (2, 3));
        let mut numbers = handed.numbers();
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 1, 1, 2, 2]);
    }

    async fn an_executor_that_panics_loses_nothing_and_one_row_costs_it_alone(home) {
        notes(&home, 40);
        let handed = Handed::default();
        let noted = handed.clone();
        let executor = airlock::executor_fn(move |intent: Intent| {
            assert!(number(&intent) != 7, "it broke");
            noted.note(&intent);
            Ok::<_, DispatchError>(())
        });
        let story = home.until("all others are done", async || home.states().await.contains(&(OutboxState::Done, 39)));
        home.run_while(relay(&home, executor), story).await;
        let mut numbers = handed.numbers();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..40).filter(|number| *number != 7).collect::<Vec<_>>());
        let rows = home.rows().await;
        assert_eq!((rows[7].state, rows[7].attempts), (OutboxState::Waiting, 0));
        assert_eq!(rows[7].error.as_deref(), Some("the executor panicked: it broke"));
    }

    async fn outcomes_may_come_in_any_order_and_fewer_than_there_are_rows(home) {
        notes(&home, 60);
        let (handed, forgets) = (Handed::default(), Arc::new(Semaphore::new(3)));
        let (noted, may_forget) = (handed.clone(), Arc::clone(&forgets));
        let executor = custom(move |mut batch| {
            let (noted, may_forget) = (noted.clone(), Arc::clone(&may_forget));
            Box::pin(async move {
                let mut begun: Vec<_> = (0..9).map_while(|_| batch.begin()).collect();
                begun.reverse();
                // It forgets one, sometimes, and never begins with the rest.
                let forgotten = may_forget.try_acquire().map(tokio::sync::SemaphorePermit::forget).is_ok();
                for begun in begun.into_iter().skip(usize::from(forgotten)) {
                    tokio::task::yield_now().await;
                    noted.note(begun.intent());
                    begun.settle(Ok(()));
                }
            })
        });
        let report = home.drain(relay(&home, executor)).await;
        assert_eq!((report.done, report.retried, forgets.available_permits()), (60, 0, 0));
        let (mut numbers, rows) = (handed.numbers(), home.rows().await);
        assert!(!numbers.is_sorted());
        numbers.sort_unstable();
        assert_eq!(numbers, (0..60).collect::<Vec<_>>());
        assert!(rows.iter().all(|row| row.attempts == 1));
    }

    async fn an_executor_that_never_answers_is_left_behind_at_the_shutdown_and_its_rows_go_back(home) {
        notes(&home, 10);
        let begun = Arc::new(Semaphore::new(0));
        let has_begun = Arc::clone(&begun);
        let executor = custom(move |mut batch| {
            let has_begun = Arc::clone(&has_begun);
            Box::pin(async move {
                let _begun = batch.begin();
                has_begun.add_permits(1);
                std::future::pending::<()>().await;
            })
        });
        let worker = relay(&home, executor).shutdown_timeout(Duration::from_millis(50));
        let report = home.run_while(worker, async { begun.acquire().await.expect("it stays open").forget() }).await;
        assert_eq!((report.released, report.abandoned), (10, 0));
        assert_eq!(home.states().await, [(OutboxState::Waiting, 10)]);
        assert!(home.rows().await.iter().all(|row| row.attempts == 0));
        // Another one has them at once.
        let handed = Handed::default();
        home.drain(relay(&home, handed.taking())).await;
        assert_eq!(handed.all().len(), 10);
    }
}
