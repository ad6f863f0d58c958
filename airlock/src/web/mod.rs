//! A request as a scope, for services made of tower: axum, tonic, hyper.
//!
//! [`ScopeLayer`] opens a scope for each request, which is current in the inner service's `call` and in each poll of its
//! future. As soon as the head of the response is known, and before it is sent, the scope is judged: below 400 what was
//! enqueued is handed over, otherwise discarded. A service's own error, a panic and a request that is cancelled discard.
//!
//! ```
//! use airlock::web::ScopeLayer;
//! use http::{Request, Response, StatusCode};
//! use tower_layer::Layer;
//! use tower_service::Service;
//!
//! # #[airlock::task] fn send_receipt(order_id: u64) { let _ = order_id; }
//! # #[derive(Clone)] struct Handler;
//! # impl Service<Request<()>> for Handler {
//! #     type Response = Response<String>;
//! #     type Error = std::convert::Infallible;
//! #     type Future = std::future::Ready<Result<Self::Response, Self::Error>>;
//! #     fn poll_ready(
//! #         &mut self,
//! #         _: &mut std::task::Context<'_>,
//! #     ) -> std::task::Poll<Result<(), Self::Error>> {
//! #         std::task::Poll::Ready(Ok(()))
//! #     }
//! #     fn call(&mut self, _: Request<()>) -> Self::Future {
//! #         send_receipt::enqueue(42).expect("the layer has opened a scope");
//! #         std::future::ready(Ok(Response::new(String::new())))
//! #     }
//! # }
//! # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
//! # runtime.block_on(async {
//! // With axum: `Router::new().route(…).layer(ScopeLayer::new())`.
//! let mut service = ScopeLayer::new().layer(Handler);
//! let response = service.call(Request::new(())).await.unwrap();
//! assert_eq!(response.status(), StatusCode::OK);
//! let report = response.extensions().get::<airlock::FlushReport>().unwrap();
//! assert_eq!(report.counts().dispatched, 1);
//! # });
//! ```
//!
//! Guide: [web services](crate::guide::web), with failed flushes, dry runs, shutdown and tests.
//!
//! # Where it stands among other layers
//!
//! - Inside of `CatchPanicLayer`: a panic then goes through the scope, which discards, before it becomes a response.
//! - Inside of `TimeoutLayer`: a request that takes too long is dropped, and its scope with it. A timeout inside of the scope
//!   becomes an error or a response, which is judged as any other.
//! - Inside of `TraceLayer`, so that what the flush logs is in the request's span.
//! - A transaction that a layer commits is no part of the scope: give such a layer a place inside of this one, so that its
//!   commit comes first.
//!
//! # What is outside
//!
//! The body of a response that is streamed, an upgraded connection and tasks that were spawned run after the head was sent:
//! the scope has ended then, and an enqueue there is an error. Carry a scope of their own into them.

#[cfg_attr(not(feature = "tokio"), path = "not_detached.rs")]
mod detached;
mod future;
mod hooks;
mod layer;
mod service;

pub use future::ResponseFuture;
pub use hooks::{EmptyResponse, OnFlushError};
pub use layer::ScopeLayer;
pub use service::ScopeService;

use crate::scope::ScopeBody;

/// A response succeeds below status 400, unless its head has another `grpc-status` than 0: gRPC fails with status 200.
impl<B> ScopeBody for http::Response<B> {
    fn succeeded(&self) -> bool {
        hooks::is_success(self.status(), self.headers())
    }
}
