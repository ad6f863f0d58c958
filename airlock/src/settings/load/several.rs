//! Several policies under one setting.

use std::sync::Arc;

use super::file::Value;
use super::value::Setting;
use crate::intent::Intent;
use crate::policy::{Policy, Violation};

/// Policies that have to agree, asked in order.
pub(super) struct All {
    policies: Vec<Arc<dyn Policy>>,
    name: String,
}

impl All {
    pub(super) fn new(policies: Vec<Arc<dyn Policy>>) -> Self {
        let names: Vec<_> = policies.iter().map(|policy| policy.name()).collect();
        let name = names.join(" and ");
        Self { policies, name }
    }
}

impl Policy for All {
    fn name(&self) -> &str {
        &self.name
    }

    fn on_enqueue(&self, intent: &Intent) -> Result<(), Violation> {
        self.policies.iter().try_for_each(|policy| policy.on_enqueue(intent))
    }

    fn allows(&self, intent: &Intent) -> bool {
        self.policies.iter().all(|policy| policy.allows(intent))
    }

    fn judges_enqueue(&self) -> bool {
        self.policies.iter().any(|policy| policy.judges_enqueue())
    }

    fn judges_flush(&self) -> bool {
        self.policies.iter().any(|policy| policy.judges_flush())
    }
}

/// A name, or a list of them.
pub(super) struct OneOrMore(pub(super) Vec<String>);

impl Setting for OneOrMore {
    fn expected() -> String {
        "a name or a list of names".to_owned()
    }

    fn example() -> String {
        "drop_all".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        Vec::from_text(text).map(Self)
    }

    fn from_value(value: &Value) -> Option<Self> {
        String::from_value(value).map(|name| vec![name]).or_else(|| Vec::from_value(value)).map(Self)
    }

    fn shown(&self) -> String {
        self.0.shown()
    }
}
