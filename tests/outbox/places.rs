//! Where the table may be, and who may be connected to it.

use airlock::{BrokerUrlError, Outbox, OutboxState, Worker};
use airlock_tests::servers::PgBouncer;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::SqlitePoolOptions;

use crate::home::{Home, block_on, on_both};
use crate::tasks::{plain, ran, unique};

on_both! {
    async fn migrating_again_or_at_the_same_time_changes_nothing(home) {
        let test = unique();
        home.enqueue(|| plain::enqueue(test.clone(), 1));
        let (first, second) = (home.outbox.clone(), home.outbox.clone());
        let both = tokio::join!(first.migrate(), second.migrate());
        assert!(both.0.is_ok() && both.1.is_ok(), "{both:?}");
        // Dropped half-way, wherever that is.
        for polls in 0..20 {
            let mut migration = Box::pin(home.outbox.migrate());
            for _ in 0..polls {
                let polled = futures::future::poll_fn(|cx| std::task::Poll::Ready(migration.as_mut().poll(cx))).await;
                if polled.is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        home.outbox.migrate().await.expect("nothing is in the way");
        assert_eq!(home.rows().await.len(), 1);
    }

    async fn a_schema_of_a_later_version_that_does_not_know_this_one_is_refused(home) {
        home.run("UPDATE airlock_outbox_schema SET version = 99, oldest = 1");
        home.outbox.migrate().await.expect("this version is known to that one");
        home.run("UPDATE airlock_outbox_schema SET oldest = 99");
        let refused = Worker::new(home.outbox.clone()).run_until(async {}).await.expect_err("it is too old");
        assert!(refused.to_string().contains("needs schema 99; this one knows 1"), "{refused}");
    }

    async fn a_table_that_is_not_there_is_told_with_the_remedy(home) {
        home.run("DROP TABLE airlock_outbox_schema");
        home.run("DROP TABLE airlock_outbox");
        let refused = Worker::new(home.outbox.clone()).run_until(async {}).await.expect_err("there is no table");
        assert!(refused.to_string().contains("call `Outbox::migrate`") && !refused.is_temporary(), "{refused}");
    }
}

#[test]
fn a_pool_lends_its_options_and_none_of_its_connections() {
    let (sqlite, postgres, test) = (Home::sqlite(), Home::postgres(), unique());
    block_on(async {
        let pool = SqlitePoolOptions::new().max_connections(1).connect(&sqlite.url).await.expect("a pool");
        let held = pool.acquire().await.expect("its only connection");
        let home = sqlite.with(Outbox::on(&pool).expect("a file"));
        home.enqueue(|| plain::enqueue(test.clone(), 1));
        home.drain(home.worker()).await;
        drop(held);

        let pool = PgPoolOptions::new().max_connections(1).connect(&postgres.url).await.expect("a pool");
        let held = pool.acquire().await.expect("its only connection");
        let home = postgres.with(Outbox::on(&pool).expect("a server"));
        home.enqueue(|| plain::enqueue(test.clone(), 2));
        home.drain(home.worker()).await;
        drop(held);
        assert_eq!(ran(&test), [1, 2]);

        let memory = SqlitePoolOptions::new().connect("sqlite::memory:").await.expect("a pool");
        assert_eq!(Outbox::on(&memory).expect_err("no other connection has it"), BrokerUrlError::Memory);
    });
}

#[test]
fn a_table_in_a_schema_of_its_own_is_found_there() {
    let (home, test) = (Home::postgres(), unique());
    home.run("DROP TABLE airlock_outbox, airlock_outbox_schema; CREATE SCHEMA \"my jobs\"");
    let outbox = home.outbox.clone().schema("my jobs");
    let home = home.with(outbox);
    block_on(async {
        home.outbox.migrate().await.expect("the table is made");
        home.enqueue(|| plain::enqueue(test.clone(), 1));
        home.insert(&test, true).await;
        home.drain(home.worker()).await;
        assert_eq!((ran(&test), home.states().await), (vec![1, 1], vec![(OutboxState::Done, 2)]));
    });
}

#[test]
fn a_worker_runs_through_a_pooler_that_lends_a_connection_for_each_transaction() {
    let (home, test) = (Home::postgres(), unique());
    let port = home.url.rsplit(':').next().and_then(|rest| rest.split('/').next()).expect("a port");
    let pooler = PgBouncer::start(port.parse().expect("a number"));
    let outbox = Outbox::new(pooler.url(&home.url)).expect("a URL");
    let home = home.with(outbox);
    block_on(async {
        home.outbox.migrate().await.expect("nothing is in the way");
        home.enqueue(|| (0..20).try_for_each(|number| plain::enqueue(test.clone(), number).map(drop)));
        home.drain(home.worker()).await;
        assert_eq!(home.states().await, [(OutboxState::Done, 20)]);
    });
}
