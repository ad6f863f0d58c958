//! RabbitMQ: publisher confirms over one connection.

mod answer;
mod connect;
mod in_flight;
mod kill_switch;
mod probe;
mod publisher;
mod publishing;
mod queues;
mod quiet;
mod refusal;
mod returned;
mod sizes;
mod table;
#[cfg_attr(not(feature = "amqp-tls"), path = "no_tls.rs")]
mod tls;

use std::sync::Arc;

use lapin::Connection as Lapin;
use tokio::sync::mpsc::UnboundedSender;

use super::connection::{Connection, Job, Liveness, Protocol, Requeue};
use super::message::{AmqpDeclaration, AmqpMessage};
use super::url::BrokerUrl;
use crate::dispatch::DispatchError;
use crate::runtime::BoxFuture;

use kill_switch::KillSwitch;

/// How a RabbitMQ server is spoken to.
#[derive(Debug)]
pub(crate) struct Amqp {
    url: BrokerUrl,
}

/// A message, and what has to be so before it is published; without that its queue has to be there.
#[derive(Debug, Clone)]
pub(crate) struct Addressed {
    pub(crate) message: Arc<AmqpMessage>,
    pub(crate) declarations: Option<Arc<[AmqpDeclaration]>>,
}

impl Amqp {
    pub(crate) fn new(url: BrokerUrl) -> Self {
        Self { url }
    }
}

impl Protocol for Amqp {
    type Message = Addressed;
    type Connection = AmqpConnection;

    fn size(message: &Addressed) -> usize {
        message.message.body.len()
    }

    fn place(&self) -> String {
        self.url.place()
    }

    fn connect(self: Arc<Self>, liveness: Liveness) -> BoxFuture<'static, Result<AmqpConnection, DispatchError>> {
        Box::pin(async move { connect::connect(&self.url, liveness).await })
    }
}

/// One connection, and the task that publishes through it.
pub(crate) struct AmqpConnection {
    place: Arc<str>,
    connection: Arc<Lapin>,
    jobs: UnboundedSender<(Job<Addressed>, Requeue<Addressed>)>,
    liveness: Liveness,
    kill_switch: KillSwitch,
}

impl Connection for AmqpConnection {
    type Message = Addressed;

    fn is_alive(&self) -> bool {
        self.liveness.get() && self.connection.status().connected() && !self.kill_switch.has_ended()
    }

    fn refuses(&self) -> Option<DispatchError> {
        // What is given to a blocked connection now would leave at some time after its flush has ended.
        self.connection.status().blocked().then(|| refusal::blocked(&self.place))
    }

    fn send(&mut self, job: Job<Addressed>, requeue: &Requeue<Addressed>) {
        if let Err(unsent) = self.jobs.send((job, requeue.clone())) {
            self.liveness.lost();
            requeue.give(unsent.0.0);
        }
    }
}
