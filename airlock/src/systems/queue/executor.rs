//! The executor of every system with a queue, and the macro that makes a system's public one of it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::format::Format;
use super::publish::publish;
use crate::brokers::{Broker, BrokerMessage, Transport};
use crate::dispatch::{Rejection, SqlKind};
use crate::executors::{Batch, Capabilities, FlushContext, printed_name};
use crate::intent::Intent;

/// Sends intents through a broker, in the wire format of one system.
#[derive(Clone)]
pub(crate) struct QueueExecutor<F> {
    pub(super) name: Arc<str>,
    pub(super) format: Arc<F>,
    pub(super) broker: Broker,
}

impl<F: Format + Clone> QueueExecutor<F> {
    pub(crate) fn new(name: &str, broker: Broker, format: F) -> Self {
        Self { name: name.into(), format: Arc::new(format), broker }
    }

    pub(crate) fn named(self, name: String) -> Self {
        Self { name: printed_name(name), ..self }
    }

    /// Executors that were cloned from this one keep what they have.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut F)) -> Self {
        change(Arc::make_mut(&mut self.format));
        self
    }

    pub(crate) fn connect_timeout(self, timeout: Duration) -> Self {
        Self { broker: self.broker.with_connect_timeout(timeout), ..self }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn format(&self) -> &F {
        &self.format
    }

    pub(crate) fn accepts(&self, intent: &Intent, flush: &FlushContext) -> Result<(), Rejection> {
        self.format.accepts(self.broker.transport(), intent, flush)
    }

    pub(crate) fn writes_to(&self, intent: &Intent, kind: SqlKind) -> bool {
        let is_its_database = self.broker.transport() == kind.into() && !self.format.is_elsewhere();
        is_its_database && !intent.task().local
    }

    pub(crate) async fn dispatch(&self, batch: Batch) {
        publish(&self.broker, &*self.format, batch).await;
        self.format.written(true);
    }

    /// Its table of intents, if it has one.
    pub(crate) fn tables(&self) -> Vec<String> {
        self.format.table_of_intents(&self.broker).into_iter().collect()
    }

    pub(crate) fn capabilities(&self) -> Capabilities {
        // A batch is one transaction there.
        let all_or_nothing = matches!(self.broker.transport(), Transport::Sqlite | Transport::Postgres);
        Capabilities { all_or_nothing, ..Capabilities::default() }
    }

    pub(crate) fn broker(&self) -> &Broker {
        &self.broker
    }

    /// What [`dispatch`](Self::dispatch) would send for the intent now.
    pub(crate) fn message(&self, intent: &Intent, now: SystemTime) -> Result<BrokerMessage, Rejection> {
        self.accepts(intent, &FlushContext::outside(now))?;
        match self.broker.transport() {
            Transport::Redis => self.format.redis(intent, now).map(BrokerMessage::Redis),
            Transport::Amqp => self.format.amqp(intent, now).map(BrokerMessage::Amqp),
            transport => self.format.row(transport, intent, now, 0).map(BrokerMessage::Sql),
        }
    }

    pub(crate) fn debug(&self, executor: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(executor).field("name", &self.name).field("broker", self.broker.url()).finish()
    }
}

/// A system's public executor: the type, its options, and the traits. An option changes the system's format:
///
/// ```text
/// pub fn declare(format) from flag { format.common.declare = true }
/// ```
///
/// See [`builder_options`](crate::executors::builder_options) for the rest. `named` and `connect_timeout` are options of
/// every system. What is no option, `new` among it, is written beside the macro.
macro_rules! queue_executor {
    (
        $(#[$about:meta])*
        pub struct $executor:ident($format:ty), named $name:literal;
        $(
            $(#[$about_option:meta])*
            pub fn $option:ident($changed:ident $(, $argument:ident: $taken:ty)?) from $read:ident $change:block
        )*
    ) => {
        $(#[$about])*
        #[derive(Clone)]
        #[must_use = "it does nothing until a scope has it as its executor"]
        pub struct $executor(pub(crate) $crate::systems::queue::QueueExecutor<$format>);

        impl $executor {
            fn of(broker: $crate::brokers::Broker, format: $format) -> Self {
                Self($crate::systems::queue::QueueExecutor::new($name, broker, format))
            }
        }

        $crate::executors::builder_options! {
            impl $executor;

            #[doc = concat!("What reports call it; `", $name, "` unless set.")]
            pub fn named(executor, name: impl Into<String>) from text { Self(executor.0.named(name.into())) }

            $(
                $(#[$about_option])*
                pub fn $option(executor $(, $argument: $taken)?) from $read {
                    Self(executor.0.with(|$changed| $change))
                }
            )*

            /// How long a flush waits for a connection, at most until its own deadline; 3 seconds unless set. Attempts
            /// that fail are repeated within that time.
            ///
            /// This makes a connection of its own: describe an executor first, then clone it.
            pub fn connect_timeout(executor, timeout: std::time::Duration) from duration {
                Self(executor.0.connect_timeout(timeout))
            }
        }

        impl $crate::executors::Executor for $executor {
            fn name(&self) -> &str {
                self.0.name()
            }

            fn accepts(
                &self,
                intent: &$crate::intent::Intent,
                flush: &$crate::executors::FlushContext,
            ) -> Result<(), $crate::dispatch::Rejection> {
                self.0.accepts(intent, flush)
            }

            fn dispatch<'a>(&'a self, batch: $crate::executors::Batch) -> $crate::runtime::BoxFuture<'a, ()> {
                Box::pin(self.0.dispatch(batch))
            }

            fn writes_to(&self, intent: &$crate::intent::Intent, kind: $crate::dispatch::SqlKind) -> bool {
                self.0.writes_to(intent, kind)
            }

            fn tables(&self) -> Vec<String> {
                self.0.tables()
            }

            fn capabilities(&self) -> $crate::executors::Capabilities {
                self.0.capabilities()
            }

            #[cfg(feature = "_sql")]
            fn write<'a>(
                &'a self,
                batch: $crate::executors::Batch,
                transaction: &'a mut $crate::dispatch::OpenTransaction<'_>,
            ) -> $crate::runtime::BoxFuture<'a, ()> {
                Box::pin(self.0.write(batch, transaction))
            }
        }

        impl std::fmt::Debug for $executor {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.debug(stringify!($executor), f)
            }
        }
    };
}

pub(crate) use queue_executor;
