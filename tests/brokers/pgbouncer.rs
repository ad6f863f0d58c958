//! Postgres behind a pooler that lends a connection for the time of a transaction.

use std::thread;

use airlock_tests::servers::{DjangoDatabase, PgBouncer, PostgresServer};
use sqlx::{Connection, PgConnection};

use crate::sql_insert::{COUNT, all_dispatched, block_on, executor, sealed};
use crate::sql_systems::{PATIENT, each, notes};

/// Statements of several connections meet on one of the server's, and each of them meets several.
#[test]
fn promise_13_flushes_arrive_through_a_pooler_that_lends_connections_by_transaction() {
    arrive_through(&PgBouncer::start(PostgresServer::shared().port()));
}

/// It drops what connections ask for at their start, and does not refuse it.
#[test]
fn promise_13_flushes_arrive_through_a_pooler_that_ignores_settings_of_connections() {
    let settings = "ignore_startup_parameters = options";
    arrive_through(&PgBouncer::start_with(PostgresServer::shared().port(), settings));
}

fn arrive_through(bouncer: &PgBouncer) {
    each(|system| {
        let database = DjangoDatabase::postgres();
        let url = bouncer.url(database.url());
        thread::scope(|scope| {
            for _ in 0..5 {
                scope.spawn(|| {
                    let executor = system.executor(&url);
                    for count in [1, 300, 1, 40] {
                        let account = notes(executor.clone(), PATIENT, count);
                        let dispatched = account.count("dispatched") as u64;
                        assert_eq!(dispatched, count, "{system:?}: {:?}", account.texts);
                    }
                });
            }
        });
        assert_eq!(system.count(database.url()), 5 * 342, "{system:?}");
    });
}

#[test]
fn promise_21_an_insertion_into_the_callers_transaction_goes_through_such_a_pooler() {
    let server = PostgresServer::shared();
    let bouncer = PgBouncer::start(server.port());
    let database = DjangoDatabase::postgres();
    block_on(async {
        let options: sqlx::postgres::PgConnectOptions = bouncer.url(database.url()).parse().expect("a URL");
        for _ in 0..4 {
            let mut connection =
                PgConnection::connect_with(&options.clone().extra_float_digits(None)).await.expect("it can be opened");
            let mut transaction = connection.begin().await.expect("a transaction");
            all_dispatched(&executor().insert(&mut *transaction, sealed(300)).await.expect("it is written"), 300);
            transaction.commit().await.expect("it is committed");
        }
    });
    assert_eq!(database.open().number(COUNT), 1200);
}
