//! Rows whose relay is lost or ends, and rows that are called off or late meanwhile.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use airlock::{DispatchError, Intent, Options, OutboxState};
use tokio::sync::{Semaphore, oneshot};

use super::{Handed, custom, note, notes, number, relay};
use crate::home::on_both;

on_both! {
    async fn rows_of_lost_relays_are_handed_on_together_however_often_that_was(home) {
        notes(&home, 50);
        home.run(&format!(
            "UPDATE airlock_outbox SET state = 'running', lease = 7, rescues = 40, leased_until = {}",
            home.an_hour_ago()
        ));
        let handed = Handed::default();
        let report = home.drain(relay(&home, handed.taking())).await;
        assert_eq!((report.rescued, report.done, report.dead), (50, 50, 0));
        assert_eq!(handed.numbers(), (0..50).collect::<Vec<_>>());
        assert!(home.rows().await.iter().all(|row| (row.rescues, row.attempts) == (41, 1)));
    }

    async fn a_relay_that_ends_waits_for_what_it_is_handing_on(home) {
        notes(&home, 2500);
        let (begun, confirms) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let (has_begun, may_confirm) = (Arc::clone(&begun), Arc::clone(&confirms));
        let executor = custom(move |mut batch| {
            let (has_begun, may_confirm) = (Arc::clone(&has_begun), Arc::clone(&may_confirm));
            Box::pin(async move {
                let begun: Vec<_> = std::iter::from_fn(|| batch.begin()).collect();
                has_begun.add_permits(1);
                may_confirm.acquire().await.expect("it stays open").forget();
                begun.into_iter().for_each(|begun| begun.settle(Ok(())));
            })
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let worker = tokio::spawn(relay(&home, executor).run_until(async { drop(stopped.await) }));
        begun.acquire().await.expect("it stays open").forget();
        drop(stop);
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!worker.is_finished());
        confirms.add_permits(10);
        let report = worker.await.expect("no panic").expect("it starts");
        // One batch, as it was the first, which is a small one, and nothing is left behind.
        assert_eq!((report.done, report.released, report.abandoned), (100, 0, 0));
        assert_eq!(home.states().await, [(OutboxState::Waiting, 2400), (OutboxState::Done, 100)]);
    }

    async fn what_expires_before_its_turn_ends_expired_and_is_not_handed_on(home) {
        let handed = Handed::default();
        let soon = SystemTime::now() + Duration::from_millis(300);
        home.enqueue(|| {
            note::enqueue(0)?;
            (1..4).try_for_each(|number| note::enqueue_with(Options::new().expires_at(soon), number).map(drop))?;
            note::enqueue(4)
        });
        struct Late<E>(E);
        // As a broker's executor does, it judges again once it begins with each.
        impl<E: Fn(Intent) -> Result<(), DispatchError> + Send + Sync + 'static> airlock::Executor for Late<E> {
            fn name(&self) -> &str { "late" }
            fn dispatch<'a>(&'a self, mut batch: airlock::Batch) -> airlock::BoxFuture<'a, ()> {
                Box::pin(async move {
                    while let Some(begun) = batch.begin() {
                        let late = matches!(begun.intent().options().get_expiry(), Some(airlock::When::At(time)) if time <= SystemTime::now());
                        let outcome = if late { Err(DispatchError::rejected("it is late")) } else { (self.0)(begun.intent().clone()) };
                        begun.settle(outcome);
                    }
                })
            }
        }
        let taken = handed.clone();
        // The first row takes until the others have expired.
        let executor = Late(move |intent: Intent| {
            while number(&intent) == 0 && SystemTime::now() <= soon + Duration::from_millis(700) {
                std::thread::yield_now();
            }
            taken.note(&intent);
            Ok::<_, DispatchError>(())
        });
        let report = home.drain(relay(&home, executor)).await;
        assert_eq!((report.done, report.expired, report.dead), (2, 3, 0));
        assert_eq!((handed.numbers(), home.states().await), (vec![0, 4], vec![(OutboxState::Done, 2), (OutboxState::Expired, 3)]));
        assert!(home.rows().await[1].attempts == 0);
    }

    async fn what_is_called_off_while_it_is_handed_on_stays_called_off(home) {
        notes(&home, 3);
        let (begun, confirms) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let (has_begun, may_confirm) = (Arc::clone(&begun), Arc::clone(&confirms));
        let executor = custom(move |mut batch| {
            let (has_begun, may_confirm) = (Arc::clone(&has_begun), Arc::clone(&may_confirm));
            Box::pin(async move {
                has_begun.add_permits(1);
                may_confirm.acquire().await.expect("it stays open").forget();
                while let Some(begun) = batch.begin() {
                    begun.settle(Ok(()));
                }
            })
        });
        let story = async {
            begun.acquire().await.expect("it stays open").forget();
            let id = home.rows().await[1].id;
            assert!(home.outbox.cancel(id).await.expect("it answers"));
            confirms.add_permits(10);
            home.all_have_ended().await;
            home.until("the others are recorded", async || home.states().await.contains(&(OutboxState::Done, 2))).await;
        };
        let report = home.run_while(relay(&home, executor), story).await;
        assert_eq!((report.done, report.stale), (2, 1));
        assert_eq!(home.states().await, [(OutboxState::Done, 2), (OutboxState::Cancelled, 1)]);
    }
}
