//! A web service over a SQLite file: effects of a request by middleware, and effects of its data by commit.
//!
//! ```text
//! cargo run -p airlock-examples --features web --example web
//! cargo run -p airlock-examples --features web --example web -- --serve
//! ```
//!
//! It listens on a free port, sends itself ten requests over TCP, and prints what became of each effect. With `--serve` it
//! sends none and stays up until Ctrl-C.

#![allow(clippy::print_stdout, reason = "a program for people")]

use std::future::pending;
use std::net::SocketAddr;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use airlock::web::ScopeLayer;
use airlock::{
    BlockTasks, CommitError, Deadline, Error, FlushReport, HueyExecutor, InlineExecutor, LogExecutor, Options, Route,
    ScopeBuilder, Settings, configure, scope, shutdown_async,
};
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, SqlitePool};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tower_http::catch_panic::CatchPanicLayer;

/// The shop's own tables, and that of a `SqliteHuey`, which its consumers make where it isn't there.
const TABLES: &str = "
    CREATE TABLE products (name text PRIMARY KEY);
    INSERT INTO products VALUES ('tea'), ('piano');
    CREATE TABLE orders (
        id integer PRIMARY KEY,
        product text REFERENCES products DEFERRABLE INITIALLY DEFERRED
    );
    CREATE TABLE task (
        id integer NOT NULL PRIMARY KEY,
        queue text NOT NULL,
        data blob NOT NULL,
        priority real NOT NULL DEFAULT 0.0
    )";

/// Huey's consumers have the body. It is written with the order.
#[airlock::task(name = "shop.send_receipt")]
fn send_receipt(order_id: i64);

/// Follows the commit of the order.
#[airlock::task(name = "shop.notify_warehouse")]
fn notify_warehouse(order_id: i64, product: String) {
    println!("    warehouse: pack the {product} of order {order_id}");
}

/// Belongs to the request, and follows its success.
#[airlock::task(name = "shop.count")]
fn count(what: String) {
    println!("    statistics: one more {what}");
}

/// Domain code, deep in the call stack: rows and effects, and no idea of when either is final.
async fn order(connection: &mut SqliteConnection, id: i64, product: &str) -> airlock::Result<()> {
    let insert = sqlx::query("INSERT INTO orders (id, product) VALUES (?, ?)").bind(id).bind(product);
    insert.execute(connection).await.map_err(Error::other)?;
    let options = Options::new();
    // Consumers of Huey 2 know no time limits, so that this is refused before the commit.
    let options = if product == "piano" { options.timeout(Duration::from_secs(60)) } else { options };
    send_receipt::enqueue_with(options, id)?;
    notify_warehouse::enqueue(id, product.to_owned())?;
    Ok(())
}

/// What handlers share.
#[derive(Clone)]
struct Shop {
    pool: SqlitePool,
    seen: Arc<Seen>,
}

/// What the client of the example waits for.
#[derive(Debug, Default)]
struct Seen {
    is_slow: Notify,
    is_dropped: Notify,
}

async fn place_order(
    State(shop): State<Shop>,
    Path((id, product)): Path<(i64, String)>,
    headers: HeaderMap,
) -> Result<StatusCode, Failed> {
    count::enqueue("order".to_owned())?;
    if id == 0 {
        return Ok(StatusCode::UNPROCESSABLE_ENTITY);
    }
    let scope = scope().name("order").open();
    let mut transaction = shop.pool.begin_with("BEGIN IMMEDIATE").await.map_err(Error::other)?;
    scope.wrap(order(&mut transaction, id, &product)).await?;
    if headers.contains_key("x-dry-run") {
        transaction.rollback().await.map_err(Error::other)?;
        // Into the scope of the request, whose executor says what would be done.
        scope.flush_async().await?;
        return Ok(StatusCode::OK);
    }
    let error = match scope.commit(transaction).await {
        Ok(report) => {
            show(&report);
            return Ok(StatusCode::CREATED);
        }
        Err(error) => error,
    };
    println!("    {error}");
    show(error.report());
    Ok(match error {
        // Nothing has happened.
        CommitError::NotCommitted(_) => StatusCode::CONFLICT,
        // The order is placed. What is late goes to `on_lost` with the error, or is sent again by hand.
        CommitError::NotHandedOver(_) => StatusCode::ACCEPTED,
        // Look whether the order is there, and answer what you find.
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    })
}

async fn refund(Path(_): Path<i64>) -> Result<StatusCode, Failed> {
    count::enqueue("refund".to_owned())?;
    Ok(StatusCode::BAD_GATEWAY) // The bank doesn't answer.
}

async fn invoice(Path(id): Path<i64>) -> Result<StatusCode, Failed> {
    count::enqueue("invoice".to_owned())?;
    panic!("order {id} has no address")
}

async fn slow(State(shop): State<Shop>) -> Result<StatusCode, Failed> {
    count::enqueue("patient client".to_owned())?;
    shop.seen.is_slow.notify_one();
    pending().await
}

/// Any error that has no answer of its own.
struct Failed(Error);

impl<E: Into<Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        println!("    {}", self.0);
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

/// The scope of a request: no mail from the admin's pages, and a dry run on demand.
fn scope_of(head: &Parts) -> ScopeBuilder {
    let scope = scope().name("request");
    let scope = match head.uri.path().starts_with("/admin/") {
        true => scope.policy(BlockTasks::of::<(send_receipt,)>()),
        false => scope,
    };
    match head.headers.contains_key("x-dry-run") {
        true => scope.executor(LogExecutor::new().to_writer(std::io::stdout()).with_arguments()),
        false => scope,
    }
}

fn service(shop: Shop) -> Router {
    Router::new()
        .route("/orders/{id}/{product}", post(place_order))
        .route("/admin/orders/{id}/{product}", post(place_order))
        .route("/refunds/{id}", post(refund))
        .route("/invoices/{id}", post(invoice))
        .route("/slow", post(slow))
        // What is added later is around what is there.
        .layer(ScopeLayer::new().scope(scope_of))
        .layer(CatchPanicLayer::new())
        .layer(from_fn_with_state(shop.clone(), print))
        .with_state(shop)
}

/// Around everything: the request, its answer, and the report that the layer left in it.
async fn print(State(shop): State<Shop>, request: Request, next: Next) -> Response {
    /// A request whose client has gone is dropped.
    struct Answered(bool, Arc<Seen>);
    impl Drop for Answered {
        fn drop(&mut self) {
            if !self.0 {
                println!("<- no answer: the client has gone, the request is dropped, and its scope with it");
                self.1.is_dropped.notify_one();
            }
        }
    }
    println!("-> {} {}", request.method(), request.uri());
    let mut answered = Answered(false, shop.seen);
    let response = next.run(request).await;
    answered.0 = true;
    match response.extensions().get::<FlushReport>() {
        Some(report) => show(report),
        None => println!("    no report: the scope was dropped"),
    }
    println!("<- {}", response.status());
    response
}

fn show(report: &FlushReport) {
    println!("    {}", report.to_string().replace('\n', "\n    "));
}

#[tokio::main]
async fn main() -> airlock::Result<()> {
    let file = std::env::temp_dir().join(format!("airlock-web-{}.db", std::process::id()));
    let ended = run(&file).await;
    std::fs::remove_file(&file).map_err(Error::other)?;
    ended
}

async fn run(file: &FilePath) -> airlock::Result<()> {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await.map_err(Error::other)?;
    sqlx::raw_sql(TABLES).execute(&pool).await.map_err(Error::other)?;

    // Neither the requests nor the handlers name an executor: this one knows what is written and what follows.
    let huey = HueyExecutor::new(format!("sqlite://{}", file.display())).map_err(Error::other)?.default_queue("shop");
    configure(Settings::new().executor(Route::new().to::<(send_receipt,)>(huey).otherwise(InlineExecutor::new())));

    let shop = Shop { pool: pool.clone(), seen: Arc::default() };
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(Error::other)?;
    let address = listener.local_addr().map_err(Error::other)?;
    let (stop, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, service(shop.clone())).with_graceful_shutdown(async { drop(stopped.await) });
    let server = tokio::spawn(server.into_future());
    if std::env::args().any(|argument| argument == "--serve") {
        println!("try: curl -i -X POST http://{address}/orders/1/tea");
        tokio::signal::ctrl_c().await.map_err(Error::other)?;
    } else {
        play(address, &shop.seen).await.map_err(Error::other)?;
    }
    // First no new requests, then what was accepted: flushes whose clients have gone, and pools.
    drop(stop);
    server.await.map_err(Error::other)?.map_err(Error::other)?;
    let unfinished = shutdown_async(Deadline::after(Duration::from_secs(10))).await;
    println!("effects left at the end: {}", unfinished.intents.len() + unfinished.running);

    for (table, what) in [("orders", "orders in the database"), ("task", "receipts for Huey's consumers")] {
        let count = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {table}")));
        let count: i64 = count.fetch_one(&pool).await.map_err(Error::other)?;
        println!("{what}: {count}");
    }
    pool.close().await;
    Ok(())
}

/// Ten requests, each on a connection of its own.
async fn play(address: SocketAddr, seen: &Seen) -> std::io::Result<()> {
    let tell = |title: &str| println!("\n{title}");
    tell("1. An order: the receipt is written with it, the warehouse hears of it afterwards");
    send(address, "POST /orders/1/tea").await?;
    tell("2. No order: 4xx discards");
    send(address, "POST /orders/0/tea").await?;
    tell("3. The bank is down: 5xx discards");
    send(address, "POST /refunds/1").await?;
    tell("4. A panic discards");
    send(address, "POST /invoices/1").await?;
    tell("5. A client that goes away discards");
    let client = connect(address, "POST /slow").await?;
    seen.is_slow.notified().await;
    drop(client);
    seen.is_dropped.notified().await;
    tell("6. The database refuses the COMMIT: no order, no receipt, and the warehouse hears nothing");
    send(address, "POST /orders/2/moon").await?;
    tell("7. The executor refuses the receipt: the order is rolled back");
    send(address, "POST /orders/3/piano").await?;
    tell("8. An admin's order: no receipt");
    send(address, "POST /admin/orders/4/tea").await?;
    tell("9. A dry run");
    send(address, "POST /orders/5/tea HTTP/1.1\r\nx-dry-run: yes").await?;
    tell("10. Nothing there");
    send(address, "GET /nowhere").await?;
    println!();
    Ok(())
}

async fn connect(address: SocketAddr, head: &str) -> std::io::Result<TcpStream> {
    let version = if head.contains("HTTP/1.1") { "" } else { " HTTP/1.1" };
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("{head}{version}\r\nhost: {address}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    Ok(stream)
}

/// Reads until the server closes the connection.
async fn send(address: SocketAddr, head: &str) -> std::io::Result<()> {
    let mut answer = Vec::new();
    connect(address, head).await?.read_to_end(&mut answer).await?;
    Ok(())
}
