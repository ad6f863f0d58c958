//! An executor that takes nothing for a while, or nothing of some tasks.

use std::time::Duration;

use airlock::{DispatchError, Intent, Options, OutboxState, Route};
use airlock_tests::log::logged;

use super::{Handed, Switch, custom, note, notes, other, relay};
use crate::home::{Home, on_both};

/// One that takes what comes unless it is down.
fn fallible(handed: &Handed, switch: &Switch) -> impl Fn(Intent) -> Result<(), DispatchError> + Send + Sync + use<> {
    let (handed, switch) = (handed.clone(), switch.clone());
    move |intent: Intent| {
        if switch.is_down() {
            return Err(DispatchError::unavailable("connection refused"));
        }
        handed.note(&intent);
        Ok(())
    }
}

on_both! {
    async fn promise_26_what_is_unavailable_waits_and_costs_no_attempt_and_the_backlog_drains_by_itself(home) {
        let (handed, switch) = (Handed::default(), Switch::default());
        switch.set(true);
        notes(&home, 3000);
        let story = async {
            home.until("they were tried", async || {
                home.rows().await.iter().any(|row| row.error.as_deref().is_some_and(|error| error.ends_with("connection refused")))
            })
            .await;
            tokio::time::sleep(Duration::from_millis(300)).await;
            let rows = home.rows().await;
            assert!(rows.iter().all(|row| row.attempts == 0), "an attempt is counted");
            assert!(!rows.iter().any(|row| row.state == OutboxState::Dead));
            switch.set(false);
            home.all_have_ended().await;
        };
        let report = home.run_while(relay(&home, fallible(&handed, &switch)).max_retries(0), story).await;
        assert_eq!((report.done, report.retried, report.dead), (3000, 0, 0));
        let mut numbers = handed.numbers();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..3000).collect::<Vec<_>>());
        assert!(home.rows().await.iter().all(|row| (row.attempts, row.error.is_none()) == (1, true)));
    }

    async fn a_rest_ends_as_well_when_all_of_its_rows_are_refused(home) {
        let switch = Switch::default();
        switch.set(true);
        let is_down = switch.clone();
        let executor = airlock::executor_fn(move |_: Intent| -> Result<(), DispatchError> {
            match is_down.is_down() {
                true => Err(DispatchError::unavailable("connection refused")),
                false => Err(DispatchError::rejected("no such queue")),
            }
        });
        notes(&home, 2000);
        let story = async {
            home.until("they were tried", async || home.rows().await.iter().any(|row| row.error.is_some())).await;
            switch.set(false);
            home.all_have_ended().await;
        };
        let report = home.run_while(relay(&home, executor), story).await;
        assert_eq!((report.dead, home.states().await), (2000, vec![(OutboxState::Dead, 2000)]));
    }

    async fn what_is_down_holds_up_nothing_that_another_part_of_a_route_takes(home) {
        let (taken, held, switch) = (Handed::default(), Handed::default(), Switch::default());
        switch.set(true);
        let down = fallible(&held, &switch);
        // It takes its time to say so, as one does that waits for a connection.
        let slow = custom(move |mut batch| {
            let intents: Vec<_> = std::iter::from_fn(|| batch.begin()).take(1).collect();
            let outcome = intents.first().map(|begun| down(begun.intent().clone()));
            Box::pin(async move {
                if outcome.as_ref().is_some_and(Result::is_err) {
                    tokio::time::sleep(Duration::from_millis(300)).await;
                }
                for (begun, outcome) in intents.into_iter().zip(outcome) {
                    begun.settle(outcome);
                }
            })
        });
        home.enqueue(|| (0..8_000).try_for_each(|number| other::enqueue(number).map(drop)));
        notes(&home, 2000);
        let route = Route::new().to::<(other,)>(slow).otherwise(taken.taking());
        let story = async {
            let start = std::time::Instant::now();
            home.until("the one part is done", async || {
                home.outbox.stats().await.expect("stats").count(OutboxState::Done) >= 2000
            })
            .await;
            assert!(start.elapsed() < Duration::from_secs(10), "it took {:?}", start.elapsed());
            assert!(held.all().is_empty());
        };
        home.run_while(relay(&home, route), story).await;
        // Those that go on come in their order, as the others keep none of them from being claimed.
        assert_eq!(taken.numbers(), (0..2000).collect::<Vec<_>>());
    }
}

#[test]
fn an_executor_that_is_down_is_told_once_and_once_when_it_is_back() {
    let home = Home::sqlite();
    let (handed, switch) = (Handed::default(), Switch::default());
    switch.set(true);
    notes(&home, 3000);
    home.enqueue(|| (0..30).try_for_each(|number| other::enqueue(number).map(drop)));
    // All on this thread, whose log it is.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let ((), log) = logged(|| {
        runtime.block_on(async {
            let story = async {
                home.until("they were tried", async || home.rows().await.iter().any(|row| row.error.is_some())).await;
                tokio::time::sleep(Duration::from_millis(500)).await;
                switch.set(false);
                home.all_have_ended().await;
            };
            home.run_while(relay(&home, fallible(&handed, &switch)), story).await;
        });
    });
    let warnings: Vec<_> = log
        .lines()
        .filter(|line| !line.starts_with("INFO") && !line.starts_with("DEBUG") && !line.starts_with("TRACE"))
        .collect();
    assert_eq!(warnings.len(), 1, "{log}");
    assert!(
        warnings[0].contains("rows are not taken, and wait; trying again")
            && warnings[0].contains("connection refused"),
        "{log}"
    );
    assert_eq!(log.matches("rows are taken again").count(), 1, "{log}");
}

#[test]
fn a_route_of_which_a_part_stays_down_is_told_once_a_minute_at_the_most() {
    let home = Home::sqlite();
    let (taken, held, switch) = (Handed::default(), Handed::default(), Switch::default());
    switch.set(true);
    let route = Route::new().to::<(other,)>(fallible(&held, &switch)).otherwise(taken.taking());
    // One of each every few milliseconds.
    home.enqueue(|| {
        (0..60).try_for_each(|number| {
            let later = || Options::new().delay(Duration::from_millis(number * 10));
            note::enqueue_with(later(), number)?;
            other::enqueue_with(later(), number).map(drop)
        })
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let ((), log) = logged(|| {
        runtime.block_on(async {
            let story = async {
                home.until("the one part is done", async || taken.all().len() == 60).await;
            };
            home.run_while(relay(&home, route), story).await;
        });
    });
    assert_eq!(log.matches("rows are not taken").count(), 1, "{log}");
    assert!(!log.contains("rows are taken again"), "{log}");
}
