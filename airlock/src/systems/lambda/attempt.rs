//! One invocation through the user's client.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::config::{Config, ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_lambda::error::BoxError;
use aws_sdk_lambda::primitives::{Blob, SdkBody};
use aws_sdk_lambda::types::InvocationType;
use http_body::{Body, Frame, SizeHint};

use super::answer::{BytesLeft, outcome, unanswered};
use super::event::LambdaEvent;
use crate::dispatch::DispatchError;
use crate::runtime::{Deadline, timer};

const APART: Duration = Duration::from_nanos(1);

/// Invokes once: the client's own retries would send again what may have been accepted.
pub(super) async fn invoke(
    client: &Client,
    connect_timeout: Duration,
    deadline: Deadline,
    event: LambdaEvent,
) -> Result<(), DispatchError> {
    let LambdaEvent { function, qualifier, tenant_id, payload } = event;
    let body = Watch::default();
    let config = Config::builder()
        .retry_config(RetryConfig::disabled())
        // Connections are pooled by their timeouts. No program has this one: those made here are driven here, and not by a
        // runtime that is parked, or ends.
        .timeout_config(TimeoutConfig::builder().connect_timeout(connect_timeout.saturating_add(APART)).build())
        .interceptor(body.clone());
    let answer = client
        .invoke()
        .function_name(&function)
        .set_qualifier(qualifier)
        .set_tenant_id(tenant_id)
        .invocation_type(InvocationType::Event)
        .payload(Blob::new(payload))
        .customize()
        .config_override(config)
        .send();
    match timer::until(deadline, answer).await {
        Some(answer) => outcome(&function, answer, body.left()),
        None => Err(unanswered(&function, "the flush's deadline came first", body.left())),
    }
}

/// Watches whether the HTTP client asks for the body of the request. Until it does, no event is on its way, whatever
/// the client is: what it waits for is a connection, or it has failed to make one.
#[derive(Debug, Clone, Default)]
struct Watch(Arc<AtomicBool>);

impl Watch {
    fn left(&self) -> BytesLeft {
        if self.0.load(Ordering::Relaxed) { BytesLeft::Something } else { BytesLeft::Nothing }
    }
}

impl Intercept for Watch {
    fn name(&self) -> &'static str {
        "airlock"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let body = request.take_body();
        *request.body_mut() = SdkBody::from_body_1_x(WatchedBody { body, asked: Arc::clone(&self.0) });
        Ok(())
    }
}

struct WatchedBody {
    body: SdkBody,
    asked: Arc<AtomicBool>,
}

impl Body for WatchedBody {
    type Data = <SdkBody as Body>::Data;
    type Error = <SdkBody as Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        self.asked.store(true, Ordering::Relaxed);
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        Body::size_hint(&self.body)
    }
}
