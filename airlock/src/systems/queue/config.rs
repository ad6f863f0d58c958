//! What a deployment sets, whatever its system is.

use std::borrow::Cow;

use crate::encode::MAX_BYTES;
use crate::intent::Intent;
use crate::options::MAX_PRIORITY;

/// The part of a system's configuration that the systems share. A system without such a thing never sets it.
#[derive(Debug, Clone)]
pub(crate) struct CommonConfig {
    /// The queue of intents that name none.
    pub(crate) default_queue: String,
    /// Goes before every task's name.
    pub(crate) task_prefix: String,
    /// For intents without one: 0 to 9, higher is sooner.
    pub(crate) default_priority: Option<u8>,
    /// `x-max-priority` of the queues on RabbitMQ.
    pub(crate) max_priority: Option<u8>,
    /// How many bytes a message may take, or its body, or its arguments: whichever the system counts.
    pub(crate) body_limit: usize,
    /// Whether queues on RabbitMQ are declared before anything is published to them.
    pub(crate) declare: bool,
    /// Whether the table is in another database than those that the program commits to.
    pub(crate) elsewhere: bool,
}

impl CommonConfig {
    pub(crate) fn new(default_queue: &str) -> Self {
        Self {
            default_queue: default_queue.to_owned(),
            task_prefix: String::new(),
            default_priority: None,
            max_priority: None,
            body_limit: MAX_BYTES,
            declare: false,
            elsewhere: false,
        }
    }

    pub(crate) fn set_default_priority(&mut self, priority: u8) {
        assert!(priority <= MAX_PRIORITY, "a priority is a number from 0 to 9; higher is sooner");
        self.default_priority = Some(priority);
    }

    pub(crate) fn queue<'i>(&'i self, intent: &'i Intent) -> &'i str {
        intent.options().get_queue().unwrap_or(&self.default_queue)
    }

    pub(crate) fn priority(&self, intent: &Intent) -> Option<u8> {
        intent.options().get_priority().or(self.default_priority)
    }

    /// The name under which workers know the task.
    pub(crate) fn task_name(&self, intent: &Intent) -> Cow<'static, str> {
        if self.task_prefix.is_empty() {
            return Cow::Borrowed(intent.name());
        }
        Cow::Owned(format!("{}{}", self.task_prefix, intent.name()))
    }
}
