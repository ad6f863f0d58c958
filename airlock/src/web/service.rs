//! The service around another one.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response, request, response};
use tower_service::Service;

use super::future::ResponseFuture;
use super::hooks::{Hooks, OnFlushError};
use crate::scope::ScopeBuilder;

/// A service whose requests have a scope each: [`ScopeLayer`](super::ScopeLayer) makes it.
pub struct ScopeService<T, S, J, E> {
    inner: T,
    hooks: Arc<Hooks<S, J, E>>,
}

impl<T, S, J, E> ScopeService<T, S, J, E> {
    pub(super) fn new(inner: T, hooks: Arc<Hooks<S, J, E>>) -> Self {
        Self { inner, hooks }
    }
}

impl<T, S, J, E, Q, B> Service<Request<Q>> for ScopeService<T, S, J, E>
where
    T: Service<Request<Q>, Response = Response<B>>,
    S: Fn(&request::Parts) -> ScopeBuilder,
    J: Fn(&response::Parts) -> bool,
    E: OnFlushError<B>,
{
    type Response = Response<B>;
    type Error = T::Error;
    type Future = ResponseFuture<T::Future, B, S, J, E>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), T::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let (head, body) = request.into_parts();
        let open = (self.hooks.scope)(&head).open();
        let handle = open.handle();
        let future = handle.run(|| self.inner.call(Request::from_parts(head, body)));
        ResponseFuture::new(handle.carry(future), open, Arc::clone(&self.hooks))
    }
}

impl<T: Clone, S, J, E> Clone for ScopeService<T, S, J, E> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), hooks: Arc::clone(&self.hooks) }
    }
}

impl<T: fmt::Debug, S, J, E> fmt::Debug for ScopeService<T, S, J, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopeService").field("inner", &self.inner).finish_non_exhaustive()
    }
}
