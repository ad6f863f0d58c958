//! A function that is generic over the database, in handlers of axum behind the layer.

use airlock::web::ScopeLayer;
use airlock::{CommitError, OpenScope};
use airlock_tests::recorder::Recorder;
use airlock_tests::servers::DjangoDatabase;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use axum::routing::post;
use sqlx::{Database, PgPool, Pool, SqlitePool};
use tower::ServiceExt;

use crate::databases::{postgres_pool, shop, sqlite_pool};
use crate::shop::{block_on, django, mail, note, place, rows, run};

/// Places an order with its notes, and commits both.
async fn checkout<DB>(pool: &Pool<DB>, scope: OpenScope, notes: u64) -> Result<StatusCode, StatusCode>
where
    DB: Database,
    DB::Connection: airlock::SqlConnection,
    for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
{
    let failed = |_| StatusCode::INTERNAL_SERVER_ERROR;
    let mut transaction = pool.begin().await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    place(&scope, &mut transaction, notes, 0).await.map_err(failed)?;
    match scope.commit(transaction).await {
        Ok(_) => Ok(StatusCode::CREATED),
        Err(CommitError::NotCommitted(_)) => Err(StatusCode::CONFLICT),
        Err(_) => Err(StatusCode::BAD_GATEWAY),
    }
}

#[derive(Clone)]
struct App<P> {
    pool: P,
    executor: airlock::DjangoTasksExecutor,
}

#[axum::debug_handler]
async fn with_sqlite(State(app): State<App<SqlitePool>>, Path(notes): Path<u64>) -> Result<StatusCode, StatusCode> {
    // Outside of any transaction: with the response.
    mail::enqueue(notes).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    checkout(&app.pool, airlock::scope().executor(app.executor).open(), notes).await
}

#[axum::debug_handler]
async fn with_postgres(State(app): State<App<PgPool>>, Path(notes): Path<u64>) -> Result<StatusCode, StatusCode> {
    mail::enqueue(notes).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    checkout(&app.pool, airlock::scope().executor(app.executor).open(), notes).await
}

/// What it committed is there, whatever becomes of its request.
#[axum::debug_handler]
async fn fails_afterwards(state: State<App<SqlitePool>>, notes: Path<u64>) -> Result<StatusCode, StatusCode> {
    with_sqlite(state, notes).await?;
    Err(StatusCode::INTERNAL_SERVER_ERROR)
}

async fn status(router: Router, notes: u64) -> u16 {
    let request = Request::post(format!("/orders/{notes}")).body(Body::empty()).unwrap();
    router.oneshot(request).await.unwrap().status().as_u16()
}

/// The layer's scope names no executor, so that the handler's own decides what is written; its mails go to the one that is
/// configured.
async fn orders_by_request(router: Router, database: &DjangoDatabase, mails: &Recorder) {
    let router = router.layer(ScopeLayer::new());
    assert_eq!(status(router.clone(), 3).await, 201);
    assert_eq!((rows(database), mails.calls().len()), ((1, 3), 1));
    run(database, "ALTER TABLE django_tasks_database_dbtaskresult RENAME TO elsewhere");
    // The commit is refused, and the request with it.
    assert_eq!(status(router.clone(), 3).await, 409);
    assert_eq!(mails.calls().len(), 1);
    run(database, "ALTER TABLE elsewhere RENAME TO django_tasks_database_dbtaskresult");
    assert_eq!(status(router, 2).await, 201);
    assert_eq!((rows(database), mails.calls().len()), ((2, 5), 2));
}

#[test]
fn promise_22_one_generic_function_commits_within_a_request_on_sqlite() {
    let database = shop(DjangoDatabase::sqlite());
    let mails = Recorder::new();
    let settings = airlock::Settings::new().executor(mails.clone());
    airlock::testing::with_settings(settings, || {
        block_on(async {
            let pool: SqlitePool = sqlite_pool(&database).await;
            let app = App { pool, executor: django(&database) };
            let router = Router::new().route("/orders/{notes}", post(with_sqlite)).with_state(app);
            orders_by_request(router, &database, &mails).await;
        });
    });
}

#[test]
fn promise_22_what_was_committed_in_a_request_that_fails_stays() {
    let database = shop(DjangoDatabase::sqlite());
    let mails = Recorder::new();
    let settings = airlock::Settings::new().executor(mails.clone());
    airlock::testing::with_settings(settings, || {
        block_on(async {
            let app = App { pool: sqlite_pool(&database).await, executor: django(&database) };
            let router = Router::new().route("/orders/{notes}", post(fails_afterwards)).with_state(app);
            assert_eq!(status(router.layer(ScopeLayer::new()), 3).await, 500);
        });
    });
    assert_eq!((rows(&database), mails.calls().len()), ((1, 3), 0));
}

#[test]
fn promise_22_one_generic_function_commits_within_a_request_on_postgres() {
    let database = shop(DjangoDatabase::postgres());
    let mails = Recorder::new();
    let settings = airlock::Settings::new().executor(mails.clone());
    airlock::testing::with_settings(settings, || {
        block_on(async {
            let pool: PgPool = postgres_pool(&database).await;
            let app = App { pool, executor: django(&database) };
            let router = Router::new().route("/orders/{notes}", post(with_postgres)).with_state(app);
            orders_by_request(router, &database, &mails).await;
        });
    });
}

#[test]
fn promise_20_a_wrap_that_timed_out_never_flushes_whatever_its_caller_does() {
    let database = shop(DjangoDatabase::sqlite());
    block_on(async {
        let pool = sqlite_pool(&database).await;
        let scope = airlock::scope().executor(django(&database)).open();
        let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
        place(&scope, &mut transaction, 1, 0).await.unwrap();
        let hangs = scope.wrap(async {
            note::enqueue(1)?;
            std::future::pending::<airlock::Result<()>>().await
        });
        tokio::time::timeout(std::time::Duration::from_millis(5), hangs).await.unwrap_err();
        assert!(matches!(scope.commit(transaction).await, Err(CommitError::NotCommitted(_))));
    });
    assert_eq!(rows(&database), (0, 0));
}
