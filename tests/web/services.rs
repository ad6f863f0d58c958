//! What comes after the head: streamed bodies, trailers, upgraded connections.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use airlock_tests::recorder::Recorder;
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::get;
use futures::stream;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tower::{Layer, ServiceExt, service_fn};

use crate::server::{PATIENCE, Server, note, recorded};

#[tokio::test]
async fn a_streamed_body_comes_after_the_flush_and_is_outside_of_the_scope() {
    let recorder = Recorder::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (calls, noted) = (recorder.clone(), Arc::clone(&seen));
    let handler = move || {
        let (calls, noted) = (calls.clone(), Arc::clone(&noted));
        async move {
            note::enqueue(1).unwrap();
            Body::from_stream(stream::iter(0..3).map_frames(move |part| {
                noted.lock().unwrap().push((calls.calls().len(), note::enqueue(2).is_err()));
                format!("part {part};")
            }))
        }
    };
    let server = Server::start(Router::new().route("/", get(handler)).layer(recorded(&recorder))).await;
    let answer = server.get("/").await;
    assert!(answer.contains("part 0;") && answer.contains("part 2;"), "{answer}");
    assert_eq!(*seen.lock().unwrap(), [(1, true); 3], "flushed before, and no scope while the body is sent");
    server.stop().await;
}

trait MapFrames: futures::Stream<Item = u32> + Send + 'static + Sized {
    fn map_frames(
        self,
        make: impl FnMut(u32) -> String + Send + 'static,
    ) -> impl futures::Stream<Item = Result<String, Infallible>> + Send + 'static {
        let mut make = make;
        futures::StreamExt::map(self, move |part| Ok(make(part)))
    }
}

impl<S: futures::Stream<Item = u32> + Send + 'static> MapFrames for S {}

#[tokio::test]
async fn trailers_of_a_body_pass_through_as_a_service_of_grpc_sends_them() {
    let recorder = Recorder::new();
    let service = recorded(&recorder).layer(service_fn(|_: http::Request<()>| async {
        note::enqueue(1).unwrap();
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", "0".parse().unwrap());
        let frames = [Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"message"))), Ok(Frame::trailers(trailers))];
        let mut response = http::Response::new(Body::new(StreamBody::new(stream::iter(frames))));
        response.headers_mut().insert(header::CONTENT_TYPE, "application/grpc".parse().unwrap());
        Ok::<_, Infallible>(response)
    }));
    let response = service.oneshot(http::Request::new(()));
    let collected = response.await.unwrap().into_body().collect().await.unwrap();
    assert_eq!(collected.trailers().unwrap()["grpc-status"], "0");
    assert_eq!(collected.to_bytes(), "message");
    assert_eq!(recorder.calls().len(), 1);
}

#[tokio::test]
async fn an_upgraded_connection_goes_on_after_its_scope() {
    async fn handler(mut request: axum::extract::Request) -> Response {
        note::enqueue(1).unwrap();
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let mut io = TokioIo::new(upgrade.await.unwrap());
            let outside = note::enqueue(2).is_err();
            io.write_all(if outside { b"outside" } else { b"inside!" }).await.unwrap();
        });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        response.headers_mut().insert(header::UPGRADE, "airlock".parse().unwrap());
        response.headers_mut().insert(header::CONNECTION, "upgrade".parse().unwrap());
        response
    }
    let recorder = Recorder::new();
    let server = Server::start(Router::new().route("/", get(handler)).layer(recorded(&recorder))).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: airlock\r\nconnection: upgrade\r\nupgrade: airlock\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 101") && answer.ends_with("outside"), "{answer}");
    assert_eq!(recorder.calls(), ["web.note(request=1)"]);
    server.stop().await;
}
