//! The queues that are declared before a message.

use std::collections::HashMap;
use std::sync::Arc;

use crate::brokers::{Addressed, AmqpMessage, AmqpQueue};
use crate::systems::format::Format;

/// What is to be declared before a message, once for each routing key.
pub(crate) struct Queues<'a> {
    format: &'a dyn Format,
    known: HashMap<String, Arc<[AmqpQueue]>>,
}

impl<'a> Queues<'a> {
    pub(crate) fn new(format: &'a dyn Format) -> Self {
        Self { format, known: HashMap::new() }
    }

    pub(crate) fn of(&mut self, message: AmqpMessage) -> Addressed {
        let message = Arc::new(message);
        if !self.format.common().declare {
            return Addressed { message, queues: None };
        }
        let key = &message.routing_key;
        let queues = match self.known.get(key) {
            Some(queues) => Arc::clone(queues),
            None => {
                let queues: Arc<[AmqpQueue]> = self.format.queues(key).into();
                self.known.insert(key.clone(), Arc::clone(&queues));
                queues
            }
        };
        Addressed { message, queues: Some(queues) }
    }
}
