//! What Postgres and a pooler before it answer: told from their texts where a code says too little.

use std::time::Duration;

use airlock_tests::process::until;
use airlock_tests::servers::{Database, DjangoDatabase, PgBouncer, PostgresServer};

use crate::sql_insert::{block_on, executor, sealed};
use crate::sql_systems::{DEADLINE, PATIENT, System, notes};
use crate::tasks::{Account, flush_notes};

fn flush_to(url: &str, wait: Duration) -> Account {
    let executor = airlock::HueyExecutor::new(url).expect("a URL").connect_timeout(wait);
    let account = flush_notes(executor, 2);
    let texts = account.texts.concat();
    assert!(!texts.contains("s3cret") && !texts.contains("p0stgres"), "{texts}");
    account
}

#[track_caller]
fn is_rejected(url: &str, says: &str) {
    let account = flush_to(url, PATIENT);
    account.says(says);
    account.expect(&[("rejected", 2)]);
}

#[track_caller]
fn is_unavailable(url: &str, says: &str) {
    // It is asked again and again for so long: on a busy machine, that may be too short for an answer.
    until(says, || {
        let account = flush_to(url, Duration::from_millis(200));
        assert_eq!(account.count("unavailable") + account.count("unattempted"), 2, "{account:?}");
        account.texts.concat().contains(says)
    });
}

/// The URL with another account.
fn of(url: &str, account: &str) -> String {
    let (_, place) = url.split_once('@').expect("an account");
    format!("postgres://{account}@{place}")
}

#[test]
fn promise_13_what_postgres_says_of_a_connection_that_begins_is_told_from_its_text() {
    let server = PostgresServer::start();
    let url = server.database("template0");
    let (_, name) = url.rsplit_once('/').expect("a name");
    let mut database = Database::at(&server.url("postgres"));
    for user in ["tls", "cert", "out", "shop"] {
        database.run(&format!("CREATE USER {user} PASSWORD 's3cret'"));
    }
    database.run("CREATE ROLE group_only PASSWORD 's3cret'");
    server.let_in(
        "hostssl all tls all scram-sha-256\n\
         host all out all reject\n\
         host all group_only,nobody,shop all scram-sha-256\n\
         local all all peer",
    );
    is_rejected(&of(&url, "tls:s3cret"), "wants TLS (28000); write `?sslmode=verify-full`");
    is_rejected(&of(&url, "out:s3cret"), "wants TLS (28000); write `?sslmode=verify-full`");
    is_rejected(&of(&url, "group_only:s3cret"), "without the right to log in");
    is_rejected(&of(&url, "nobody:s3cret"), "refuses user and password");
    let socket = format!("postgres://someone@/{name}?host={}&port={}", server.socket_folder().display(), server.port());
    is_rejected(&socket, "takes the user of the system for its own (peer)");
    is_rejected(&format!("{url}?options=-c%20no_such%3Ds3cret"), "doesn't know a setting that `options`");
    is_rejected(&format!("{url}?options=-c%20work_mem%3Ds3cret"), "refuses a setting that `options`");

    database.run(&format!("REVOKE CONNECT ON DATABASE {name} FROM PUBLIC"));
    is_rejected(&of(&url, "shop:s3cret"), "doesn't let this user into the database (42501); grant CONNECT on it");
    database.run(&format!("GRANT CONNECT ON DATABASE {name} TO PUBLIC; ALTER ROLE shop CONNECTION LIMIT 0"));
    is_unavailable(&of(&url, "shop:s3cret"), "too many connections of this user");
    database.run(&format!("ALTER ROLE shop CONNECTION LIMIT -1; ALTER DATABASE {name} CONNECTION LIMIT 0"));
    is_unavailable(&of(&url, "shop:s3cret"), "too many connections to this database");
    database.run(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
    is_unavailable(&url, "takes no connections to this database now");
}

#[test]
fn promise_13_a_pooler_that_has_one_code_for_all_is_told_from_its_text() {
    let server = PostgresServer::shared();
    let database = DjangoDatabase::postgres();
    let bouncer = PgBouncer::start_with(server.port(), "max_client_conn = 1\nquery_wait_timeout = 1");
    let url = bouncer.url(database.url());
    is_rejected(&of(&url, "postgres:s3cret"), "refuses user and password");
    is_rejected(&of(&url, "nobody:s3cret"), "refuses user and password");
    let (place, _) = url.rsplit_once('/').expect("a name");
    is_rejected(&format!("{place}/nowhere"), "has no such database");
    is_rejected(&format!("{url}?options=-c%20work_mem%3D1MB"), "leave `options` out of the URL");
    let one = System::Huey.executor(&url);
    notes(one.clone(), PATIENT, 1).expect(&[("dispatched", 1)]);
    is_unavailable(&url, "has as many clients as it takes");
    notes(one, PATIENT, 1).expect(&[("dispatched", 1)]);
    // Its server is down, or not there.
    let bouncer = PgBouncer::start_with(1, "server_connect_timeout = 1\nserver_login_retry = 1");
    let account = flush_to(&bouncer.url(database.url()), DEADLINE);
    assert_eq!(account.count("rejected") + account.count("dispatched"), 0, "{account:?}");
}

#[test]
fn promise_13_a_statement_that_takes_longer_than_its_timeout_is_told_so() {
    let database = DjangoDatabase::postgres();
    let mut other = database.open();
    other.run("BEGIN; LOCK TABLE huey_task IN ACCESS EXCLUSIVE MODE");
    let url = format!("{}?options=-c%20statement_timeout%3D50", database.url());
    let account = notes(System::Huey.executor(&url), DEADLINE, 3);
    account.says("ended a statement that took longer than `statement_timeout` allows (57014); raise it");
    assert_eq!(account.count("unavailable") + account.count("unattempted"), 3, "{account:?}");
    other.run("COMMIT");
    notes(System::Huey.executor(&url), PATIENT, 3).expect(&[("dispatched", 3)]);
}

#[test]
fn a_table_or_a_right_that_is_missing_is_told_with_the_schemas_that_were_looked_into() {
    let database = DjangoDatabase::postgres();
    let mut open = database.open();
    // Users are the server's, which other tests share.
    let user = format!("web_{}", database.url().rsplit_once('_').expect("a number").1);
    open.run(&format!("CREATE USER {user} PASSWORD 's3cret'; CREATE SCHEMA shop"));
    let url = of(database.url(), &format!("{user}:s3cret"));
    is_rejected(
        &format!("{}?options=-c%20search_path%3Dshop,shelf", database.url()),
        "has no table `huey_task` as it should be (42P01); start a consumer with this `PostgresHuey`, which makes it; it was \
         looked for in the schema `shop`, as `search_path` is `shop,shelf`",
    );
    is_rejected(
        &url,
        "doesn't let this user write to the table (42501); grant INSERT on it; it was looked for in the schema `public`",
    );
    open.run(&format!("GRANT INSERT ON huey_task TO {user}"));
    is_rejected(&url, "doesn't let this user take numbers for the table (42501); grant USAGE on its sequence");
    open.run(&format!(
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {user}; REVOKE USAGE ON SCHEMA public FROM PUBLIC"
    ));
    is_rejected(&url, "looked for in no schema, as `search_path` is `\"$user\", public`");
    is_rejected(&format!("{url}?options=-c%20search_path%3Dshop"), "has no table `huey_task`");
    open.run("GRANT USAGE ON SCHEMA public TO PUBLIC; ALTER TABLE huey_task ENABLE ROW LEVEL SECURITY");
    is_rejected(&url, "has a row-level security that refuses the row");
    open.run("ALTER TABLE huey_task DISABLE ROW LEVEL SECURITY");
    flush_to(&url, PATIENT).expect(&[("dispatched", 2)]);

    // In the transaction of a caller, which goes on.
    block_on(async {
        use sqlx::{Connection, PgConnection};
        let mut connection = PgConnection::connect(database.url()).await.expect("it can be opened");
        sqlx::query("SET search_path = shop").execute(&mut connection).await.expect("it can be set");
        let mut transaction = connection.begin().await.expect("a transaction");
        let error = executor().insert(&mut *transaction, sealed(2)).await.expect_err("there is no table");
        assert!(error.to_string().contains("looked for in the schema `shop`"), "{error}");
        sqlx::query("SELECT 1").execute(&mut *transaction).await.expect("it is none the worse");
        transaction.commit().await.expect("it is committed");
    });
    open.run(&format!("DROP OWNED BY {user}; DROP USER {user}"));
}

#[test]
#[cfg(feature = "postgres-tls")]
fn a_file_of_a_certificate_that_is_not_there_is_rejected_by_the_name_of_its_parameter() {
    let server = PostgresServer::shared();
    for name in ["sslrootcert", "sslcert", "sslkey"] {
        for mode in ["prefer", "require", "verify-ca", "verify-full"] {
            let url = format!("{}?sslmode={mode}&{name}=/no/s3cret.pem", server.url("postgres"));
            is_rejected(
                &url,
                &format!("the file that `{name}` of the database's URL names can't be read: entity not found"),
            );
        }
    }
}
