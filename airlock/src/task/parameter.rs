//! A parameter of a task.

/// One parameter of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameter {
    /// Its name, which is its key in named arguments: that of the function's parameter, or of its attribute `name`.
    pub name: &'static str,
    /// Its type, as written in the signature.
    pub type_name: &'static str,
    /// Whether its values print as `***`.
    pub redacted: bool,
    /// What a message that lacks it gets, as written in the attribute: an expression, `***` if values are redacted.
    pub default: Option<&'static str>,
    /// What the function calls it, if that is another name.
    pub(crate) ident: Option<&'static str>,
}

impl Parameter {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(name: &'static str, type_name: &'static str) -> Self {
        Self { name, type_name, redacted: false, default: None, ident: None }
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn redacted(mut self) -> Self {
        self.redacted = true;
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn of_ident(mut self, ident: &'static str) -> Self {
        self.ident = Some(ident);
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn default(mut self, expression: &'static str) -> Self {
        self.default = Some(expression);
        self
    }
}
