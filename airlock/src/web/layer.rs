//! What makes the service.

use std::fmt;
use std::sync::Arc;

use http::{Response, request, response};
use tower_layer::Layer;

use super::hooks::{EmptyResponse, Hooks, OnFlushError, default_flush_if, default_scope};
use super::service::ScopeService;
use crate::flush::FlushError;
use crate::scope::ScopeBuilder;

/// One scope a request: see [the module](super).
pub struct ScopeLayer<S = fn(&request::Parts) -> ScopeBuilder, J = fn(&response::Parts) -> bool, E = EmptyResponse> {
    hooks: Arc<Hooks<S, J, E>>,
}

impl ScopeLayer {
    /// A scope from the configured defaults for each request, flushed if the status is below 400 and `grpc-status` is
    /// missing or 0.
    #[must_use]
    pub fn new() -> Self {
        Self::of(Hooks { scope: default_scope, flush_if: default_flush_if, on_flush_error: EmptyResponse })
    }
}

impl Default for ScopeLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S, J, E> ScopeLayer<S, J, E> {
    fn of(hooks: Hooks<S, J, E>) -> Self {
        Self { hooks: Arc::new(hooks) }
    }

    /// The scope of a request with this head: another executor or policy by route or header, a name.
    ///
    /// ```
    /// use airlock::web::ScopeLayer;
    /// use airlock::{LogExecutor, scope};
    ///
    /// let layer = ScopeLayer::new().scope(|head| {
    ///     let scope = scope().name("request");
    ///     // A dry run on demand.
    ///     if head.headers.contains_key("x-dry-run") { scope.executor(LogExecutor::new()) } else { scope }
    /// });
    /// # let _ = layer;
    /// ```
    #[must_use]
    pub fn scope<N: Fn(&request::Parts) -> ScopeBuilder>(self, scope: N) -> ScopeLayer<N, J, E>
    where
        J: Clone,
        E: Clone,
    {
        let (flush_if, on_flush_error) = (self.hooks.flush_if.clone(), self.hooks.on_flush_error.clone());
        ScopeLayer::of(Hooks { scope, flush_if, on_flush_error })
    }

    /// Whether to flush on a response with this head. The default flushes on a status below 400 without a `grpc-status` but 0.
    #[must_use]
    pub fn flush_if<N: Fn(&response::Parts) -> bool>(self, flush_if: N) -> ScopeLayer<S, N, E>
    where
        S: Clone,
        E: Clone,
    {
        let (scope, on_flush_error) = (self.hooks.scope.clone(), self.hooks.on_flush_error.clone());
        ScopeLayer::of(Hooks { scope, flush_if, on_flush_error })
    }

    /// What to answer when the flush failed, in place of the service's response, which the function is given. The default
    /// is [`EmptyResponse`], which needs a body with a `Default`.
    ///
    /// ```
    /// use airlock::FlushError;
    /// use airlock::web::ScopeLayer;
    /// use http::{Response, StatusCode};
    ///
    /// let layer = ScopeLayer::new().on_flush_error(|error: FlushError, _: Response<String>| {
    ///     let text = format!("accepted, and {} effects wait", error.undispatched().len());
    ///     // Keep the intents for later; dropped, the error is logged, and they go to `on_lost`.
    ///     drop(error.into_intents());
    ///     let mut response = Response::new(text);
    ///     *response.status_mut() = StatusCode::ACCEPTED;
    ///     response
    /// });
    /// # let _ = layer;
    /// ```
    #[must_use]
    pub fn on_flush_error<B, N>(self, on_flush_error: N) -> ScopeLayer<S, J, N>
    where
        S: Clone,
        J: Clone,
        N: Fn(FlushError, Response<B>) -> Response<B> + OnFlushError<B>,
    {
        let (scope, flush_if) = (self.hooks.scope.clone(), self.hooks.flush_if.clone());
        ScopeLayer::of(Hooks { scope, flush_if, on_flush_error })
    }
}

impl<T, S, J, E> Layer<T> for ScopeLayer<S, J, E> {
    type Service = ScopeService<T, S, J, E>;

    fn layer(&self, inner: T) -> Self::Service {
        ScopeService::new(inner, Arc::clone(&self.hooks))
    }
}

impl<S, J, E> Clone for ScopeLayer<S, J, E> {
    fn clone(&self) -> Self {
        Self { hooks: Arc::clone(&self.hooks) }
    }
}

impl<S, J, E> fmt::Debug for ScopeLayer<S, J, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopeLayer").finish_non_exhaustive()
    }
}
