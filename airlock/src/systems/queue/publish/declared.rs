//! What is declared before a message.

use std::collections::HashMap;
use std::sync::Arc;

use crate::brokers::amqp::Addressed;
use crate::brokers::{AmqpDeclaration, AmqpMessage};
use crate::systems::queue::Format;

type Declarations = Option<Arc<[AmqpDeclaration]>>;

/// What has to be so before a message, made once for each queue and exchange.
pub(crate) struct Declared<'a> {
    format: &'a dyn Format,
    /// By queue; most messages of a flush have one exchange.
    known: HashMap<String, Vec<(&'static str, Declarations)>>,
}

impl<'a> Declared<'a> {
    pub(crate) fn new(format: &'a dyn Format) -> Self {
        Self { format, known: HashMap::new() }
    }

    pub(crate) fn before(&mut self, message: AmqpMessage) -> Addressed {
        let message = Arc::new(message);
        let mut known = self.known.get(message.queue()).into_iter().flatten();
        if let Some((_, declarations)) = known.find(|(exchange, _)| *exchange == message.exchange) {
            return Addressed { declarations: declarations.clone(), message };
        }
        let declarations: Declarations = self.format.declarations(&message).map(Into::into);
        let of_queue = self.known.entry(message.queue().to_owned()).or_default();
        of_queue.push((message.exchange, declarations.clone()));
        Addressed { message, declarations }
    }
}
