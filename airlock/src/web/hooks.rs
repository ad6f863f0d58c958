//! What a layer asks of its user.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Response, StatusCode, request, response};

use crate::flush::FlushError;
use crate::scope::ScopeBuilder;

/// The header in which gRPC says how a call ended.
const GRPC_STATUS: &str = "grpc-status";

/// The functions of one layer, shared by its services and their futures.
#[derive(Debug)]
pub(super) struct Hooks<S, J, E> {
    /// Makes the scope of a request.
    pub(super) scope: S,
    /// Whether a response is one to flush on.
    pub(super) flush_if: J,
    /// What to answer when the flush failed.
    pub(super) on_flush_error: E,
}

pub(super) fn default_scope(_: &request::Parts) -> ScopeBuilder {
    crate::scope().name("request")
}

pub(super) fn default_flush_if(head: &response::Parts) -> bool {
    is_success(head.status, &head.headers)
}

pub(super) fn is_success(status: StatusCode, headers: &HeaderMap) -> bool {
    status.as_u16() < 400 && headers.get(GRPC_STATUS).is_none_or(|status| status == "0")
}

/// What the client is answered when the flush of its request failed: [`ScopeLayer::on_flush_error`](super::ScopeLayer).
///
/// Implemented by functions and closures `Fn(FlushError, Response<B>) -> Response<B>`, and by [`EmptyResponse`].
pub trait OnFlushError<B> {
    /// The response to send in place of the service's. An error that is dropped is logged, and its intents go to
    /// [`on_lost`](crate::Settings::on_lost).
    fn response(&self, error: FlushError, response: Response<B>) -> Response<B>;
}

impl<B, F: Fn(FlushError, Response<B>) -> Response<B>> OnFlushError<B> for F {
    fn response(&self, error: FlushError, response: Response<B>) -> Response<B> {
        self(error, response)
    }
}

/// The answer to a failed flush unless the layer says otherwise: status 500 without a body, and for a call of gRPC
/// `grpc-status: 13`. Nothing of the service's own response is kept: a failed flush is no success to the client.
#[derive(Debug, Clone, Copy, Default)]
pub struct EmptyResponse;

impl<B: Default> OnFlushError<B> for EmptyResponse {
    fn response(&self, error: FlushError, response: Response<B>) -> Response<B> {
        // Logged, and its intents handed to `on_lost`, before the client knows.
        drop(error);
        let mut failed = Response::new(B::default());
        match response.headers().get(CONTENT_TYPE).filter(|kind| kind.as_bytes().starts_with(b"application/grpc")) {
            Some(kind) => {
                failed.headers_mut().insert(CONTENT_TYPE, kind.clone());
                failed.headers_mut().insert(GRPC_STATUS, HeaderValue::from_static("13"));
            }
            None => *failed.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
        }
        failed
    }
}
