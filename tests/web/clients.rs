//! Clients that go before their answer, and connections with many requests.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use airlock::web::ScopeLayer;
use airlock::{Batch, BoxFuture, Deadline, Executor, Scope, scope};
use airlock_tests::recorder::Recorder;
use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use http::StatusCode;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::server::{PATIENCE, Server, note, recorded, stuck, until};

#[tokio::test]
async fn promise_22_a_client_that_closes_while_the_handler_runs_discards() {
    let (recorder, dropped) = (Recorder::new(), Arc::new(AtomicBool::new(false)));
    let began = Arc::new(AtomicBool::new(false));
    let (flag, started) = (Arc::clone(&dropped), Arc::clone(&began));
    let handler = move || {
        let (stuck, started) = (stuck(&flag), Arc::clone(&started));
        async move {
            note::enqueue(1).unwrap();
            started.store(true, Ordering::SeqCst);
            stuck.await;
        }
    };
    let server = Server::start(Router::new().route("/", get(handler)).layer(recorded(&recorder))).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: airlock\r\n\r\n").await.unwrap();
    until("the handler runs", || began.load(Ordering::SeqCst)).await;
    drop(stream);
    until("the request is dropped", || dropped.load(Ordering::SeqCst)).await;
    assert!(recorder.calls().is_empty());
    server.stop().await;
}

/// Hands over one intent for each permit.
#[derive(Clone)]
struct Gated {
    permits: Arc<Semaphore>,
    begun: Arc<AtomicUsize>,
    recorder: Recorder,
}

impl Executor for Gated {
    fn name(&self) -> &str {
        "gated"
    }

    fn dispatch<'a>(&'a self, mut batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            while let Some(begun) = batch.begin() {
                self.begun.fetch_add(1, Ordering::SeqCst);
                self.permits.acquire().await.unwrap().forget();
                self.recorder.note(begun.intent().to_string());
                begun.settle(Ok(()));
            }
        })
    }
}

const MANY: usize = 10_000;

async fn many() -> StatusCode {
    for request in 0..MANY {
        note::enqueue(request as u32).unwrap();
    }
    StatusCode::OK
}

#[tokio::test]
async fn a_flush_goes_on_when_its_client_has_gone_and_shutdown_waits_for_it() {
    let gated = Gated { permits: Arc::new(Semaphore::new(10)), begun: Arc::default(), recorder: Recorder::new() };
    let executor = gated.clone();
    let layer = ScopeLayer::new()
        .scope(move |_| scope().name("request").executor(executor.clone()).deadline(Duration::from_secs(60)));
    let server = Server::start(Router::new().route("/", get(many)).layer(layer)).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: airlock\r\n\r\n").await.unwrap();
    until("the flush is under way", || gated.begun.load(Ordering::SeqCst) == 11).await;
    drop(stream);
    // Hyper drops the request once it has heard of that, and stops.
    server.stop().await;

    let unfinished = airlock::shutdown_async(Deadline::after(Duration::from_millis(50))).await;
    assert_eq!(unfinished.running, 1, "the flush of the request is under way");
    gated.permits.add_permits(MANY);
    let unfinished = airlock::shutdown_async(Deadline::after(PATIENCE)).await;
    assert!(unfinished.is_empty(), "{unfinished:?}");
    assert_eq!(gated.recorder.calls().len(), MANY);
}

/// Enqueues its number, lets others run, and sees its own intents alone.
async fn own(Path(request): Path<u32>) -> StatusCode {
    for _ in 0..5 {
        note::enqueue(request).unwrap();
        tokio::task::yield_now().await;
    }
    let prefix = format!("web.note(request={request})");
    let intents = Scope::current().unwrap().intents();
    let is_own = intents.len() == 5 && intents.iter().all(|intent| intent.to_string() == prefix);
    if is_own { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_of_a_pipeline_sees_another_s_intents() {
    let recorder = Recorder::new();
    let server = Server::start(Router::new().route("/{request}", get(own)).layer(recorded(&recorder))).await;
    let mut stream = server.connect().await;
    let requests: String = (0..50).map(|n| format!("GET /{n} HTTP/1.1\r\nhost: airlock\r\n\r\n")).collect();
    stream.write_all(requests.as_bytes()).await.unwrap();
    let mut answers = String::new();
    while answers.matches("HTTP/1.1 200").count() < 50 {
        let mut bytes = [0; 4096];
        let read = timeout(PATIENCE, stream.read(&mut bytes)).await.unwrap().unwrap();
        assert!(read > 0, "{answers}");
        answers.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
        assert!(!answers.contains("HTTP/1.1 500"), "{answers}");
    }
    assert_eq!(recorder.calls().len(), 250);
    drop(stream);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_stream_of_an_http_2_connection_sees_another_s_intents() {
    let recorder = Recorder::new();
    let server = Server::start(Router::new().route("/{request}", get(own)).layer(recorded(&recorder))).await;
    let io = TokioIo::new(server.connect().await);
    let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    let driver = tokio::spawn(connection);
    let answers = (0..100).map(|n| {
        let mut sender = sender.clone();
        tokio::spawn(async move {
            let request = http::Request::get(format!("http://airlock/{n}")).body(Empty::<Bytes>::new()).unwrap();
            let response = sender.send_request(request).await.unwrap();
            let status = response.status();
            response.into_body().collect().await.unwrap();
            status
        })
    });
    for answer in answers.collect::<Vec<_>>() {
        assert_eq!(timeout(PATIENCE, answer).await.unwrap().unwrap(), StatusCode::OK);
    }
    let calls = recorder.calls();
    assert_eq!((calls.len(), calls.iter().collect::<BTreeSet<_>>().len()), (500, 100));
    drop(sender);
    timeout(PATIENCE, driver).await.unwrap().unwrap().unwrap();
    server.stop().await;
}

#[tokio::test]
async fn a_graceful_shutdown_lets_requests_under_way_flush() {
    let recorder = Recorder::new();
    let (began, go_on) = (Arc::new(AtomicBool::new(false)), Arc::new(Semaphore::new(0)));
    let (started, permits) = (Arc::clone(&began), Arc::clone(&go_on));
    let handler = move || {
        let (started, permits) = (Arc::clone(&started), Arc::clone(&permits));
        async move {
            note::enqueue(1).unwrap();
            started.store(true, Ordering::SeqCst);
            permits.acquire().await.unwrap().forget();
        }
    };
    let server = Server::start(Router::new().route("/", get(handler)).layer(recorded(&recorder))).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: airlock\r\nconnection: close\r\n\r\n").await.unwrap();
    until("the handler runs", || began.load(Ordering::SeqCst)).await;
    let stopping = tokio::spawn(server.stop());
    go_on.add_permits(1);
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    stopping.await.unwrap();
    assert_eq!(recorder.calls(), ["web.note(request=1)"]);
}
