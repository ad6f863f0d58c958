//! Tuples of parameters to and from JSON, by name or by position, without a derive: names live in a static list
//! beside the task, so that a task costs the compiler a tuple and not a serde implementation of its own.

mod error;
mod fault;
pub(crate) mod tuples;

use std::fmt;

use serde::de::{DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{AnyCall, Parameter, TaskDefinition};
use crate::encode::{Encode, EncodeError, Encoder, Shape};

pub use error::ArgumentError;

/// What a type needs to be a parameter of a task: it is stored, encoded, decoded, and cloned for a second hand-over.
///
/// A value that is accepted is read back as it was, to the last bit of a float and the last digit of a `u128`. What has no
/// text of its own is refused with an [`EncodeError`](crate::EncodeError): floats that are not finite, maps whose keys repeat. With serde and JSON as
/// they are, some types write values that are read as others or not at all, which `airlock::testing` finds in tests:
///
/// | type | what becomes of it |
/// | --- | --- |
/// | `Option<Option<T>>`, `Option<()>`, `Option<serde_json::Value>` | `Some(None)`, `Some(())` and `Some(Null)` are `null`, and read as `None` |
/// | `#[serde(untagged)]` | the first variant that takes the text is read |
/// | `i128`, `u128` in what is `tag`ged, `untagged` or `flatten`ed | can't be read, whatever the value: serde keeps it in between in a type without them |
/// | keys of maps that are numbers or booleans, in the same places | can't be read: they are texts there |
/// | tagged variants that hold a struct with a field named like the tag | can't be read |
/// | `#[serde(skip)]` | is not written, and read as its default |
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a task argument",
    label = "can't be a task argument",
    note = "it needs `Serialize`, `Deserialize`, `Clone`, `Send`, `Sync` and `'static`"
)]
pub trait Argument: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static> Argument for T {}

/// A function of one parameter, whose type leaves out no lifetime: it would be a function for every one.
pub trait NoLifetimeLeftOut {
    /// The type of the parameter.
    type Type;
}

impl<T> NoLifetimeLeftOut for fn(T) {
    type Type = T;
}

/// The parameters of a task as a tuple, up to sixteen.
#[diagnostic::on_unimplemented(message = "`{Self}` can't be the arguments of a task")]
pub trait Args: Sized + Send + Sync + 'static {
    /// The argument of the parameter at `index`.
    #[doc(hidden)]
    fn get(&self, index: usize) -> &dyn Encode;
}

/// Writes the arguments as one JSON object by parameter name, or as an array.
pub(crate) fn to_json<'a>(
    task: &TaskDefinition,
    shape: Shape,
    argument: impl Fn(usize) -> &'a dyn Encode,
) -> Result<String, EncodeError> {
    let mut encoder = Encoder::new();
    encoder.begin(shape)?;
    for (index, parameter) in task.parameters.iter().enumerate() {
        encoder.name(shape, parameter.name)?;
        let written = argument(index).encode(&mut encoder);
        written.map_err(|error| error.of_parameter(parameter.name))?;
    }
    encoder.end(shape)
}

/// For each argument, in which way its type writes it.
pub(crate) fn calls<'a>(
    task: &TaskDefinition,
    argument: impl Fn(usize) -> &'a dyn Encode,
) -> Result<Vec<u64>, EncodeError> {
    (0..task.parameters.len()).map(|index| Encoder::calls(argument(index))).collect()
}

/// Writes the arguments as a person would in a call: `order_id=42, token=***`.
pub(crate) fn write_call(call: &dyn AnyCall, task: &TaskDefinition, out: &mut dyn fmt::Write) -> fmt::Result {
    for (index, parameter) in task.parameters.iter().enumerate() {
        let separator = if index > 0 { ", " } else { "" };
        write!(out, "{separator}{}=", parameter.name)?;
        if parameter.redacted {
            out.write_str("***")?;
            continue;
        }
        let mut encoder = Encoder::new();
        let encoded = call.argument(index).encode(&mut encoder).and_then(|()| encoder.finish());
        // What can't be encoded still has to print: the report that names the fault shows this very call.
        out.write_str(encoded.as_ref().map_or("<not encodable>", |json| json.get()))?;
    }
    Ok(())
}

/// Arguments in JSON that no type has been given yet: positional ones, named ones, or both.
///
/// Values stay the text they are until the task's types are known, so 128-bit integers survive.
///
/// ```
/// use airlock::Arguments;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let positional: Arguments = serde_json::from_str("[42, true]")?;
/// let named: Arguments = serde_json::from_str(r#"{"order_id": 42, "express": true}"#)?;
/// let mixed = Arguments::new().positional(&42)?.named("express", &true)?;
/// assert_eq!(format!("{mixed:?}"), "Arguments { positional: 1, named: [\"express\"] }");
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
pub struct Arguments {
    positional: Vec<Box<RawValue>>,
    named: Vec<(String, Box<RawValue>)>,
}

impl Arguments {
    /// No arguments.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a positional argument.
    ///
    /// # Errors
    /// The value can't be encoded.
    pub fn positional<T: Serialize + ?Sized>(mut self, value: &T) -> Result<Self, EncodeError> {
        self.positional.push(Encoder::encode(value)?);
        Ok(self)
    }

    /// Appends a named argument.
    ///
    /// # Errors
    /// The value can't be encoded.
    pub fn named<T: Serialize + ?Sized>(mut self, name: &str, value: &T) -> Result<Self, EncodeError> {
        self.named.push((name.to_owned(), Encoder::encode(value)?));
        Ok(self)
    }

    /// The positional arguments of one and the named ones of the other, if they have no others.
    pub(crate) fn of_call(positional: Self, named: Self) -> Option<Self> {
        let apart = positional.named.is_empty() && named.positional.is_empty();
        apart.then_some(Self { positional: positional.positional, named: named.named })
    }

    /// The named arguments, if there are no others: how messages are read without a derive.
    pub(crate) fn into_named(self) -> Option<Vec<(String, Box<RawValue>)>> {
        self.positional.is_empty().then_some(self.named)
    }

    /// Assigns each argument to its parameter, like a call: positional ones first, then named ones.
    pub(crate) fn bind(self, task: &'static TaskDefinition) -> Result<BoundArguments, ArgumentError> {
        let parameters = task.parameters;
        if self.positional.len() > parameters.len() {
            return Err(ArgumentError::TooMany { given: self.positional.len(), takes: parameters.len() });
        }
        let mut values: Vec<Option<Box<RawValue>>> = self.positional.into_iter().map(Some).collect();
        values.resize_with(parameters.len(), || None);
        for (name, value) in self.named {
            let Some(index) = parameters.iter().position(|parameter| parameter.name == name) else {
                return Err(ArgumentError::Unexpected { name, parameters });
            };
            if values[index].replace(value).is_some() {
                return Err(ArgumentError::Twice { parameter: parameters[index].name });
            }
        }
        Ok(BoundArguments { task, values, error: None })
    }
}

impl fmt::Debug for Arguments {
    /// Counts and names only: values don't belong in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.named.iter().map(|(name, _)| name).collect();
        f.debug_struct("Arguments").field("positional", &self.positional.len()).field("named", &names).finish()
    }
}

impl<'de> Deserialize<'de> for Arguments {
    /// An array gives positional arguments, an object named ones; a key given twice is kept and refused when bound.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ArgumentsVisitor;

        impl<'de> Visitor<'de> for ArgumentsVisitor {
            type Value = Arguments;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of positional arguments or an object of named ones")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Arguments, A::Error> {
                let mut arguments = Arguments::new();
                while let Some(value) = seq.next_element()? {
                    arguments.positional.push(value);
                }
                Ok(arguments)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Arguments, A::Error> {
                let mut arguments = Arguments::new();
                while let Some(entry) = map.next_entry()? {
                    arguments.named.push(entry);
                }
                Ok(arguments)
            }
        }

        deserializer.deserialize_any(ArgumentsVisitor)
    }
}

/// Arguments assigned to parameters, not decoded yet. Parameters without one have their default, or are missing.
pub(crate) struct BoundArguments {
    task: &'static TaskDefinition,
    values: Vec<Option<Box<RawValue>>>,
    /// The first one that was missing or of another type.
    error: Option<ArgumentError>,
}

impl fmt::Debug for BoundArguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundArguments").field("task", &self.task).finish_non_exhaustive()
    }
}

impl BoundArguments {
    fn take<T: Argument>(&mut self, index: usize) -> Option<T> {
        match self.values[index].take() {
            None => {
                let default = (self.task.defaults)(index).and_then(|value| value.downcast().ok());
                default.map(|value: Box<T>| *value).or_else(|| self.missing(index))
            }
            Some(raw) => match serde_json::from_str(raw.get()) {
                Ok(value) => Some(value),
                Err(error) => self.invalid(index, raw.get(), &error),
            },
        }
    }

    fn missing<T>(&mut self, index: usize) -> Option<T> {
        self.error = Some(ArgumentError::Missing { parameter: self.task.parameters[index].name });
        None
    }

    fn invalid<T>(&mut self, index: usize, json: &str, error: &serde_json::Error) -> Option<T> {
        let Parameter { name, type_name, .. } = self.task.parameters[index];
        let fault = fault::describe(json, error);
        self.error = Some(ArgumentError::Invalid { parameter: name, expected: type_name, fault });
        None
    }

    /// What kept the arguments from being decoded.
    pub(crate) fn into_error(self) -> ArgumentError {
        self.error.unwrap_or_else(|| unreachable!("arguments that don't decode have an error"))
    }
}
