//! From arguments that a message carries to an intent.

use std::panic::Location;

use crate::intent::{Identity, Intent, IntentId};
use crate::options::Options;
use crate::task::{ArgumentError, Arguments, TaskDefinition, with_options};

impl TaskDefinition {
    /// Decodes arguments into an intent that no scope has seen yet.
    pub(crate) fn decode(
        &'static self,
        id: Option<IntentId>,
        arguments: Arguments,
        options: Option<Options>,
        location: &'static Location<'static>,
    ) -> Result<Intent, ArgumentError> {
        self.decode_with(id, arguments, options.map(|options| self.over(options)), location)
    }

    /// The same, with these options and none of the task's.
    pub(crate) fn decode_with(
        &'static self,
        id: Option<IntentId>,
        arguments: Arguments,
        options: Option<Box<Options>>,
        location: &'static Location<'static>,
    ) -> Result<Intent, ArgumentError> {
        let mut bound = arguments.bind(self)?;
        let Some(body) = self.typed.decode(&mut bound) else { return Err(bound.into_error()) };
        let body = with_options(body, options);
        let id = id.unwrap_or_else(IntentId::fresh);
        Ok(Intent::new(Identity { id, task: self, location }, body))
    }
}
