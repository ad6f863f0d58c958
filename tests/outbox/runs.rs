//! From a flush to a task that has run.

use std::time::Duration;

use airlock::{Options, OutboxState};

use crate::home::on_both;
use crate::tasks::{
    asynchronous, elsewhere, fails, is_over, later, leaves, leaves_plainly, panics, plain, ran, unique,
};

on_both! {
    async fn promise_23_each_row_runs_once_and_ends_done(home) {
        let test = unique();
        home.enqueue(|| {
            (0..50).try_for_each(|number| plain::enqueue(test.clone(), number).map(drop))?;
            (50..100).try_for_each(|number| asynchronous::enqueue(test.clone(), number).map(drop))
        });
        let report = home.drain(home.worker()).await;
        let mut numbers = ran(&test);
        numbers.sort_unstable();
        assert_eq!(numbers, (0..100).collect::<Vec<_>>());
        assert_eq!(home.states().await, [(OutboxState::Done, 100)]);
        assert_eq!(report.to_string(), "100 done");
    }

    async fn rows_start_by_priority_then_due_time_then_order_of_insertion(home) {
        let test = unique();
        let with = |options: Options, number| plain::enqueue_with(options, test.clone(), number);
        let ago = |seconds| std::time::SystemTime::now() - Duration::from_secs(seconds);
        home.enqueue(|| {
            with(Options::new(), 5)?;
            with(Options::new().priority(9), 1)?;
            with(Options::new().priority(0), 8)?;
            with(Options::new(), 6)?;
            with(Options::new().priority(9), 2)?;
            with(Options::new().eta(ago(60)), 4)?;
            with(Options::new().queue("other").priority(4), 7)?;
            with(Options::new().queue("other").eta(ago(120)), 3)
        });
        home.drain(home.worker().concurrency(1)).await;
        assert_eq!(ran(&test), [1, 2, 3, 4, 5, 6, 7, 8]);
    }

    async fn the_same_intent_twice_is_one_row(home) {
        let test = unique();
        let (first, second) = (plain::intent(test.clone(), 1), plain::intent(test.clone(), 2));
        let again = || airlock::registry().decode(&serde_json::to_string(&first).expect("JSON")).expect("it is one");
        for intents in [vec![again(), again()], vec![again(), second]] {
            let scope = airlock::scope().executor(home.outbox.clone()).enter();
            for intent in intents {
                airlock::Scope::current().expect("a scope").push(intent).expect("it is taken");
            }
            scope.flush().expect("it is written");
        }
        assert_eq!(home.rows().await.len(), 2);
        home.drain(home.worker().concurrency(1)).await;
        assert_eq!(ran(&test), [1, 2]);
    }

    async fn what_fails_is_tried_again_and_dead_after_its_last_retry(home) {
        let (well, badly) = (unique(), unique());
        home.enqueue(|| {
            fails::enqueue(well.clone(), 3)?;
            fails::enqueue_with(Options::new().max_retries(2), badly.clone(), 9)
        });
        let report = home.drain(home.worker().max_retries(3)).await;
        assert_eq!((ran(&well), ran(&badly)), (vec![1, 2, 3, 4], vec![1, 2, 3]));
        assert_eq!((report.done, report.retried, report.dead), (1, 5, 1));
        let rows = home.rows().await;
        assert_eq!((rows[0].state, rows[0].attempts), (OutboxState::Done, 4));
        assert_eq!((rows[1].state, rows[1].attempts), (OutboxState::Dead, 3));
        assert_eq!(rows[1].error.as_deref(), Some("attempt 3 of 9 failed"));
    }

    async fn an_error_says_whether_and_when_it_is_tried_again(home) {
        let (over, late, broken) = (unique(), unique(), unique());
        home.enqueue(|| {
            is_over::enqueue(over.clone())?;
            later::enqueue(late.clone(), 100)?;
            panics::enqueue(broken.clone())
        });
        let start = std::time::Instant::now();
        home.drain(home.worker()).await;
        assert!(start.elapsed() >= Duration::from_millis(100));
        assert_eq!((ran(&over), ran(&late), ran(&broken)), (vec![1], vec![1, 2], vec![1, 1]));
        let rows = home.rows().await;
        assert_eq!(rows.iter().map(|row| row.state).collect::<Vec<_>>(), [OutboxState::Dead, OutboxState::Done, OutboxState::Dead]);
        assert_eq!(rows[0].error.as_deref(), Some("there is no such order"));
        assert_eq!(rows[2].error.as_deref(), Some("panicked: it broke"));
    }

    async fn promise_24_what_a_task_left_is_there_if_and_only_if_its_row_is_done(home) {
        let (well, badly) = (unique(), unique());
        home.enqueue(|| {
            leaves::enqueue(well.clone(), 3, true)?;
            leaves::enqueue(badly.clone(), 3, false)?;
            leaves_plainly::enqueue(well.clone(), 3, true)?;
            leaves_plainly::enqueue(badly.clone(), 3, false)
        });
        let report = home.drain(home.worker()).await;
        assert_eq!((ran(&well).len(), ran(&badly).len()), (6, 0));
        assert_eq!((report.done, report.dead), (8, 2));
    }

    async fn tasks_without_a_body_here_wait_for_those_who_have_it(home) {
        let test = unique();
        home.enqueue(|| {
            (0..700).try_for_each(|number| elsewhere::enqueue(number).map(drop))?;
            plain::enqueue(test.clone(), 1)
        });
        let done = home.until("the other one has run", async || ran(&test) == [1]);
        home.worker().run_until(done).await.expect("it starts");
        assert_eq!(home.states().await, [(OutboxState::Waiting, 700), (OutboxState::Done, 1)]);
        let stats = home.outbox.stats().await.expect("stats");
        assert_eq!(stats.unknown, [("shop.elsewhere".to_owned(), 700)]);
    }

    async fn what_is_past_its_expiry_when_its_turn_comes_ends_expired(home) {
        let test = unique();
        home.enqueue(|| plain::enqueue_with(Options::new().expires_in(Duration::from_secs(1)), test.clone(), 1));
        home.until("it is past", async || {
            let due = home.rows().await[0].enqueued + Duration::from_millis(1010);
            due < std::time::SystemTime::now()
        }).await;
        let report = home.drain(home.worker()).await;
        assert_eq!((ran(&test), report.expired), (vec![], 1));
        assert_eq!(home.states().await, [(OutboxState::Expired, 1)]);
    }
}
