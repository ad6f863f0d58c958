//! Messages that came back because no queue took them.
//!
//! The client attaches what came back to the next confirm that arrives, which may be that of another message: several
//! are under way, and those that are stored are confirmed later. So what came back is looked for by what it says.

use lapin::message::BasicReturnMessage;

use crate::brokers::message::AmqpMessage;

#[derive(Debug, Default)]
pub(super) struct Returned(Vec<BasicReturnMessage>);

impl Returned {
    pub(super) fn add(&mut self, message: BasicReturnMessage) {
        self.0.push(message);
    }

    /// Whether this one came back; asked once for each.
    pub(super) fn take(&mut self, message: &AmqpMessage) -> bool {
        let is_it = |returned: &BasicReturnMessage| {
            let id = returned.delivery.properties.correlation_id().as_ref().map(|id| id.as_str());
            returned.delivery.routing_key.as_str() == message.routing_key
                && id == message.properties.correlation_id.as_deref()
                && returned.delivery.data == message.body
        };
        let at = self.0.iter().position(is_it);
        at.map(|at| self.0.swap_remove(at)).is_some()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
