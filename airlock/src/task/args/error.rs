//! What keeps arguments from being those of a task.

use crate::task::Parameter;

/// Arguments that don't fit a task's parameters. The value itself is never part of the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArgumentError {
    /// A parameter got no argument.
    #[error("argument `{parameter}` is missing")]
    Missing {
        /// The parameter.
        parameter: &'static str,
    },
    /// A named argument fits no parameter.
    #[error("there is no parameter `{name}`; the task takes {}", names(parameters))]
    Unexpected {
        /// The name given.
        name: String,
        /// The parameters there are.
        parameters: &'static [Parameter],
    },
    /// More positional arguments than parameters.
    #[error("{given} positional arguments were given; the task takes {takes}")]
    TooMany {
        /// How many were given.
        given: usize,
        /// How many parameters there are.
        takes: usize,
    },
    /// A parameter got more than one argument.
    #[error("argument `{parameter}` is given twice")]
    Twice {
        /// The parameter.
        parameter: &'static str,
    },
    /// An argument doesn't decode into the parameter's type.
    #[error("argument `{parameter}` is not a `{expected}`; {fault}")]
    Invalid {
        /// The parameter.
        parameter: &'static str,
        /// Its type, as written in the signature.
        expected: &'static str,
        /// What is wrong and where, without the value.
        fault: String,
    },
}

fn names(parameters: &[Parameter]) -> String {
    if parameters.is_empty() {
        return "none".to_owned();
    }
    parameters.iter().map(|parameter| format!("`{}`", parameter.name)).collect::<Vec<_>>().join(", ")
}
