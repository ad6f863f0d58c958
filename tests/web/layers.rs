//! The layer beside those of others, and a handler that panics or takes too long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use airlock::{FlushReport, scope};
use airlock_tests::recorder::Recorder;
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::server::{Server, note, recorded, stuck};

async fn panics() -> StatusCode {
    note::enqueue(1).unwrap();
    panic!("in a handler")
}

async fn fine() -> StatusCode {
    note::enqueue(2).unwrap();
    StatusCode::OK
}

#[tokio::test]
async fn promise_22_a_panic_discards_whichever_side_of_the_scope_it_is_caught_on() {
    let routes = || Router::new().route("/panics", get(panics)).route("/fine", get(fine));
    for is_caught_inside in [false, true] {
        let recorder = Recorder::new();
        let router = if is_caught_inside {
            routes().layer(CatchPanicLayer::new()).layer(recorded(&recorder))
        } else {
            routes().layer(recorded(&recorder)).layer(CatchPanicLayer::new())
        };
        let server = Server::start(router.layer(TraceLayer::new_for_http())).await;
        assert!(server.get("/panics").await.starts_with("HTTP/1.1 500"));
        assert!(recorder.calls().is_empty(), "caught inside: {is_caught_inside}");
        assert!(server.get("/fine").await.starts_with("HTTP/1.1 200"));
        assert_eq!(recorder.calls(), ["web.note(request=2)"]);
        server.stop().await;
    }
}

#[tokio::test]
async fn promise_22_without_a_layer_that_catches_it_a_panic_discards_too() {
    let recorder = Recorder::new();
    let router = Router::new().route("/panics", get(panics)).layer(recorded(&recorder));
    let server = Server::start(router).await;
    assert_eq!(server.get("/panics").await, "", "hyper closes the connection");
    assert!(recorder.calls().is_empty());
    server.stop().await;
}

#[tokio::test]
async fn promise_22_a_request_that_takes_too_long_discards_whichever_side_the_timeout_is_on() {
    for is_inside in [false, true] {
        let (recorder, dropped) = (Recorder::new(), Arc::new(AtomicBool::new(false)));
        let flag = Arc::clone(&dropped);
        let slow = move || {
            let stuck = stuck(&flag);
            async move {
                note::enqueue(1).unwrap();
                stuck.await;
            }
        };
        let limit = TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_millis(50));
        let routes = Router::new().route("/slow", get(slow));
        let router = if is_inside {
            routes.layer(limit).layer(recorded(&recorder))
        } else {
            routes.layer(recorded(&recorder)).layer(limit)
        };
        let server = Server::start(router).await;
        assert!(server.get("/slow").await.starts_with("HTTP/1.1 408"), "inside: {is_inside}");
        assert!(dropped.load(Ordering::SeqCst) && recorder.calls().is_empty(), "inside: {is_inside}");
        server.stop().await;
    }
}

#[tokio::test]
async fn a_layer_in_a_layer_is_captured_by_the_outer_one() {
    let (inner, outer) = (Recorder::new(), Recorder::new());
    let look = |response: Response| async move {
        let report = response.extensions().get::<FlushReport>().unwrap();
        assert_eq!((report.counts().captured, report.counts().dispatched), (1, 0), "{report}");
        response
    };
    let router = Router::new()
        .route("/fine", get(fine))
        .layer(recorded(&inner))
        .layer(axum::middleware::map_response(look))
        .layer(recorded(&outer));
    let server = Server::start(router).await;
    assert!(server.get("/fine").await.starts_with("HTTP/1.1 200"));
    assert!(inner.calls().is_empty());
    assert_eq!(outer.calls(), ["web.note(request=2)"]);
    server.stop().await;
}

#[tokio::test]
async fn a_scope_of_the_handler_s_own_and_a_spawned_task_keep_to_their_rules() {
    async fn handler() -> StatusCode {
        scope().run_async(async { note::enqueue(1).map(drop).map_err(airlock::Error::from) }).await.unwrap();
        let outside = tokio::spawn(async { note::enqueue(2).is_err() }).await.unwrap();
        let carried = airlock::Scope::current().unwrap().wrap(async { note::enqueue(3).is_ok() });
        let inside = tokio::spawn(carried).await.unwrap();
        if outside && inside { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR }
    }
    let recorder = Recorder::new();
    let server = Server::start(Router::new().route("/", get(handler)).layer(recorded(&recorder))).await;
    assert!(server.get("/").await.starts_with("HTTP/1.1 200"));
    assert_eq!(recorder.calls(), ["web.note(request=1)", "web.note(request=3)"]);
    server.stop().await;
}
