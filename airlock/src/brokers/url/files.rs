//! Files that a URL names: certificates and keys.

use super::BrokerUrl;
use crate::brokers::connection::BrokerFault;
use crate::dispatch::DispatchError;

impl BrokerUrl {
    /// What is in the file that the parameter names, if it names one. A file that isn't there is there in a second neither.
    pub(crate) fn file(&self, name: &str) -> Result<Option<Vec<u8>>, DispatchError> {
        let Some(path) = self.parameters.get(name) else { return Ok(None) };
        std::fs::read(path).map(Some).map_err(|error| {
            let what = format!("the file that `{name}` of the broker's URL names can't be read: {}", error.kind());
            DispatchError::rejected(BrokerFault::new(what))
        })
    }
}
