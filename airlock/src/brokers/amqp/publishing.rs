//! One message on its way: written, confirmed, known.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use lapin::options::BasicPublishOptions;
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, Confirmation, PublisherConfirm};

use super::refusal;
use super::returned::Returned;
use crate::brokers::connection::JobOutcome;
use crate::brokers::message::AmqpMessage;
use crate::runtime::BoxFuture;

pub(super) enum Publishing {
    /// In the client's hands, and not written as a whole: if that fails, the server can't have it.
    Sending(BoxFuture<'static, lapin::Result<PublisherConfirm>>),
    Confirming(PublisherConfirm),
    Unsent(lapin::Error),
    Done(JobOutcome),
}

impl Publishing {
    /// Puts the message behind all that were published before.
    pub(super) fn publish(
        channel: &Channel,
        message: &Arc<AmqpMessage>,
        key: ShortString,
        properties: BasicProperties,
    ) -> Self {
        let (channel, message) = (channel.clone(), Arc::clone(message));
        Self::Sending(Box::pin(async move {
            let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
            let exchange = ShortString::from(message.exchange);
            channel.basic_publish(exchange, key, mandatory, &message.body, properties).await
        }))
    }

    /// Follows it; ready once it is over.
    pub(super) fn poll(
        &mut self,
        place: &str,
        message: &AmqpMessage,
        returned: &mut Returned,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        loop {
            *self = match self {
                Self::Sending(future) => match future.as_mut().poll(cx) {
                    Poll::Ready(Ok(confirm)) => Self::Confirming(confirm),
                    Poll::Ready(Err(error)) => Self::Unsent(error),
                    Poll::Pending => return Poll::Pending,
                },
                Self::Confirming(confirm) => match Pin::new(confirm).poll(cx) {
                    Poll::Ready(Ok(confirmation)) => {
                        let outcome = match &confirmation {
                            Confirmation::Ack(_) => Ok(()),
                            Confirmation::Nack(_) => Err(refusal::nacked(place, message.queue())),
                            // Confirms were asked for when the channel was opened.
                            Confirmation::NotRequested => Err(refusal::late(place, false)),
                        };
                        confirmation.take_message().into_iter().for_each(|message| returned.add(message));
                        Self::Done(outcome)
                    }
                    Poll::Ready(Err(error)) => Self::Done(Err(refusal::unconfirmed(place, message.body.len(), &error))),
                    Poll::Pending => return Poll::Pending,
                },
                Self::Unsent(_) | Self::Done(_) => return Poll::Ready(()),
            };
        }
    }
}
