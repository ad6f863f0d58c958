//! What invokes functions.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_lambda::Client;
use tokio::sync::Semaphore;

use super::event::LambdaEvent;
use super::functions::Functions;
use super::sending::Sender;
use crate::dispatch::Rejection;
use crate::executors::{Batch, Executor, FlushContext, printed_name};
use crate::intent::Intent;
use crate::runtime::BoxFuture;

#[doc = include_str!("../../../docs/lambda.md")]
#[doc = include_str!("../../../docs/lambda-options.md")]
#[doc = include_str!("../../../docs/lambda-operations.md")]
#[derive(Clone)]
#[must_use = "it does nothing until a scope has it as its executor"]
pub struct LambdaExecutor {
    functions: Arc<Functions>,
    sender: Sender,
    concurrency: usize,
    name: Arc<str>,
}

impl LambdaExecutor {
    /// With this client, 32 invocations at a time. It needs to know which function runs which task:
    /// [`function`](Self::function), [`functions_by`](Self::functions_by).
    pub fn new(client: Client) -> Self {
        let (concurrency, connect_timeout) = (32, Duration::from_secs(3));
        let sender = Sender { client, connect_timeout, permits: Arc::new(Semaphore::new(concurrency)) };
        Self { functions: Arc::default(), sender, concurrency, name: "lambda".into() }
    }

    /// The function that runs the task: its name, its ARN or a part of that, with or without `:version` or `:alias`.
    pub fn function(mut self, task: impl Into<String>, function: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.functions).add(task.into(), function.into());
        self
    }

    /// What names the function of a task that has no [`function`](Self::function) of its own: by a pattern, or one for all
    /// tasks. A task for which it gives `None` is refused. It is asked twice for each intent, and has to say the same.
    ///
    /// ```
    /// # fn with(client: aws_sdk_lambda::Client) -> airlock::LambdaExecutor {
    /// # use airlock::LambdaExecutor;
    /// // `shop.send_receipt` runs in the function `prod-shop`.
    /// LambdaExecutor::new(client).functions_by(|intent| {
    ///     let (service, _) = intent.name().split_once('.')?;
    ///     Some(format!("prod-{service}"))
    /// })
    /// # }
    /// ```
    pub fn functions_by(mut self, choose: impl Fn(&Intent) -> Option<String> + Send + Sync + 'static) -> Self {
        Arc::make_mut(&mut self.functions).otherwise(choose);
        self
    }

    /// How many invocations are under way at a time, those of all flushes together; 32 unless set. This makes an
    /// executor with a count of its own: describe one first, then clone it.
    ///
    /// # Panics
    /// With 0 invocations.
    pub fn concurrency(mut self, invocations: usize) -> Self {
        assert!(invocations > 0, "without an invocation at a time nothing is ever sent; use 1 or more");
        self.sender.permits = Arc::new(Semaphore::new(invocations.min(Semaphore::MAX_PERMITS)));
        Self { concurrency: invocations, ..self }
    }

    /// How long an invocation waits for a connection; 3 seconds unless set, whatever the client is set to. What the
    /// client says of other timeouts holds.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.sender.connect_timeout = timeout;
        self
    }

    /// What reports call it; `lambda` unless set.
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: printed_name(name.into()), ..self }
    }

    /// The invocation that this executor would make for the intent. Nothing is sent: keep it in a table of the
    /// transaction that caused it, and send it when that has committed.
    ///
    /// # Errors
    /// What [`accepts`](crate::Executor::accepts) refuses.
    pub fn event(&self, intent: &Intent) -> Result<LambdaEvent, Rejection> {
        LambdaEvent::of(intent, &self.functions)
    }
}

impl Executor for LambdaExecutor {
    fn name(&self) -> &str {
        &self.name
    }

    fn accepts(&self, intent: &Intent, _: &FlushContext) -> Result<(), Rejection> {
        self.event(intent).map(drop)
    }

    fn dispatch<'a>(&'a self, batch: Batch) -> BoxFuture<'a, ()> {
        Box::pin(self.sender.send(&self.functions, batch))
    }
}

impl fmt::Debug for LambdaExecutor {
    /// Nothing of the client: it has the credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LambdaExecutor")
            .field("name", &self.name)
            .field("functions", &self.functions)
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}
