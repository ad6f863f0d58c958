//! Promise 22: a request is one scope, judged by the head of its response before that is sent.

use std::sync::{Arc, Mutex};

use airlock::web::ScopeLayer;
use airlock::{DropAll, FlushError, FlushReport, Scope, scope};
use airlock_tests::recorder::Recorder;
use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::server::{Server, note, recorded, unreachable_broker};

async fn answer(Path(status): Path<u16>) -> Response {
    note::enqueue(status.into()).unwrap();
    assert_eq!(Scope::current().unwrap().info().name(), Some("request"));
    StatusCode::from_u16(status).unwrap().into_response()
}

#[tokio::test]
async fn promise_22_below_400_flushes_and_everything_else_discards() {
    let recorder = Recorder::new();
    let server = Server::start(Router::new().route("/{status}", get(answer)).layer(recorded(&recorder))).await;
    for status in [200, 201, 204, 302, 304, 400, 404, 409, 500, 503] {
        let response = server.get(&format!("/{status}")).await;
        assert!(response.starts_with(&format!("HTTP/1.1 {status}")), "{response}");
    }
    let expected: Vec<_> = [200, 201, 204, 302, 304].map(|status| format!("web.note(request={status})")).into();
    assert_eq!(recorder.calls(), expected);
    assert!(server.get("/nowhere/else").await.starts_with("HTTP/1.1 404"));
    server.stop().await;
}

#[tokio::test]
async fn promise_22_a_failed_flush_is_no_success_to_the_client() {
    let server = Server::start(Router::new().route("/{status}", get(answer)).layer(unreachable_broker())).await;
    let response = server.get("/201").await;
    assert!(response.starts_with("HTTP/1.1 500") && response.ends_with("\r\n\r\n"), "{response}");
    assert!(server.get("/404").await.starts_with("HTTP/1.1 404"), "nothing was to be flushed");
    server.stop().await;
}

#[tokio::test]
async fn promise_22_on_flush_error_answers_in_its_place_and_may_keep_the_intents() {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&kept);
    let layer = unreachable_broker().on_flush_error(move |error: FlushError, response: Response| {
        assert_eq!(response.status(), StatusCode::CREATED, "it is given the service's response");
        keep.lock().unwrap().extend(error.into_intents());
        StatusCode::ACCEPTED.into_response()
    });
    let server = Server::start(Router::new().route("/{status}", get(answer)).layer(layer)).await;
    assert!(server.get("/201").await.starts_with("HTTP/1.1 202"));
    assert_eq!(kept.lock().unwrap().len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn flush_if_decides_in_place_of_the_status() {
    let recorder = Recorder::new();
    let layer = recorded(&recorder).flush_if(|head| head.status != StatusCode::NO_CONTENT);
    let server = Server::start(Router::new().route("/{status}", get(answer)).layer(layer)).await;
    for status in [204, 500] {
        server.get(&format!("/{status}")).await;
    }
    assert_eq!(recorder.calls(), ["web.note(request=500)"]);
    server.stop().await;
}

#[tokio::test]
async fn the_scope_is_made_of_the_head_of_the_request() {
    let recorder = Recorder::new();
    let executor = recorder.clone();
    let layer = ScopeLayer::new().scope(move |head| {
        let scope = scope().name("request").executor(executor.clone());
        if head.headers.contains_key("x-dry-run") { scope.policy(DropAll) } else { scope }
    });
    let server = Server::start(Router::new().route("/{status}", get(answer)).layer(layer)).await;
    server.request("GET /200 HTTP/1.1\r\nx-dry-run: 1").await;
    assert!(recorder.calls().is_empty());
    server.get("/200").await;
    assert_eq!(recorder.calls().len(), 1);
    server.stop().await;
}

/// A service of tower without axum.
async fn call(
    layer: impl Layer<Inner, Service: Service<http::Request<()>, Response = http::Response<String>, Error = String>>,
    answer: Answer,
) -> Result<http::Response<String>, String> {
    let service: Inner = service_fn(answer as fn(http::Request<()>) -> std::future::Ready<_>);
    layer.layer(service).oneshot(http::Request::new(())).await
}

type Answer = fn(http::Request<()>) -> std::future::Ready<Result<http::Response<String>, String>>;
type Inner = tower::util::ServiceFn<Answer>;

fn grpc(status: Option<&'static str>) -> http::Response<String> {
    let mut response = http::Response::new("message".to_owned());
    response.headers_mut().insert(header::CONTENT_TYPE, "application/grpc".parse().unwrap());
    if let Some(status) = status {
        response.headers_mut().insert("grpc-status", status.parse().unwrap());
    }
    response
}

#[tokio::test]
async fn calls_of_grpc_fail_with_status_200_and_are_judged_by_their_own() {
    let recorder = Recorder::new();
    let answers: [(Answer, bool); 3] =
        [(|_| respond(grpc(None)), true), (|_| respond(grpc(Some("0"))), true), (|_| respond(grpc(Some("5"))), false)];
    for (place, (answer, flushes)) in answers.into_iter().enumerate() {
        let before = recorder.calls().len();
        call(recorded(&recorder), answer).await.unwrap();
        assert_eq!(recorder.calls().len() - before, usize::from(flushes), "{place}");
    }
    let response = call(unreachable_broker(), |_| respond(grpc(Some("0")))).await.unwrap();
    assert_eq!((response.status(), response.body().as_str()), (StatusCode::OK, ""));
    assert_eq!(response.headers()["grpc-status"], "13");
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/grpc");
}

fn respond(response: http::Response<String>) -> std::future::Ready<Result<http::Response<String>, String>> {
    note::enqueue(1).unwrap();
    std::future::ready(Ok(response))
}

#[tokio::test]
async fn promise_22_an_error_of_the_service_discards_and_passes_through_unchanged() {
    let recorder = Recorder::new();
    let error = call(recorded(&recorder), |_| {
        note::enqueue(1).unwrap();
        std::future::ready(Err("the database is on fire".to_owned()))
    });
    assert_eq!(error.await.unwrap_err(), "the database is on fire");
    assert!(recorder.calls().is_empty());
}

#[tokio::test]
async fn the_report_is_in_the_extensions_of_the_response() {
    let report = |response: http::Response<String>| response.extensions().get::<FlushReport>().unwrap().clone();
    let flushed = report(call(recorded(&Recorder::new()), |_| respond(http::Response::default())).await.unwrap());
    assert_eq!(flushed.counts().dispatched, 1);
    let discarded = |_| {
        let mut response = http::Response::default();
        *response.status_mut() = StatusCode::CONFLICT;
        respond(response)
    };
    assert_eq!(report(call(recorded(&Recorder::new()), discarded).await.unwrap()).counts().discarded, 1);
    let failed = report(call(unreachable_broker(), |_| respond(http::Response::default())).await.unwrap());
    assert_eq!(failed.counts().failed, 1, "{failed}");
    let empty = |_: http::Request<()>| std::future::ready(Ok(http::Response::default()));
    assert_eq!(report(call(recorded(&Recorder::new()), empty).await.unwrap()).counts().enqueued, 0);
}
