//! What an answer says about an event, or that there is none. One table, as the documentation has it.
//!
//! Texts of AWS are left out: the one for a signature that doesn't match quotes the request with its session token.

use std::error::Error;
use std::io;

use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_lambda::operation::invoke::{InvokeError, InvokeOutput};

use crate::dispatch::DispatchError;

/// How much of the event had left when there was no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BytesLeft {
    /// None of it: the HTTP client had not asked for its body.
    Nothing,
    /// Some, or all.
    Something,
}

/// What the client says of one invocation.
pub(super) fn outcome(
    function: &str,
    answer: Result<InvokeOutput, SdkError<InvokeError>>,
    left: BytesLeft,
) -> Result<(), DispatchError> {
    let error = match answer {
        Ok(output) => return of_status(function, u16::try_from(output.status_code()).unwrap_or_default(), None),
        Err(error) => error,
    };
    match error.raw_response().map(|response| response.status().as_u16()) {
        Some(status) => of_status(function, status, error.code().filter(|code| is_code(code))),
        None => Err(unanswered(function, &cause(&error), left)),
    }
}

/// There was no answer, for this reason.
pub(super) fn unanswered(function: &str, cause: &str, left: BytesLeft) -> DispatchError {
    match left {
        BytesLeft::Nothing => DispatchError::unavailable(format!("`{function}`: nothing was sent to Lambda, {cause}")),
        BytesLeft::Something => DispatchError::unconfirmed(format!("`{function}`: Lambda did not answer, {cause}")),
    }
}

fn of_status(function: &str, status: u16, code: Option<&str>) -> Result<(), DispatchError> {
    let because = |meaning: &str| {
        let code = code.map_or_else(String::new, |code| format!(" ({code})"));
        format!("`{function}`: Lambda answered {status}{code}; {meaning}")
    };
    Err(match status {
        202 => return Ok(()),
        _ if code.is_some_and(|code| code.starts_with("Throttling")) => {
            DispatchError::unavailable(because("there were too many requests"))
        }
        408 => DispatchError::unavailable(because("the request was too slow")),
        409 => DispatchError::unavailable(because("the function is being changed")),
        429 => DispatchError::unavailable(because("there were too many requests, or its concurrency is used up")),
        400 => DispatchError::rejected(because("the request or the event is not valid")),
        401 | 403 => DispatchError::rejected(because("the client's credentials may not invoke it")),
        404 => DispatchError::rejected(because("there is no such function, version or alias")),
        413 => DispatchError::rejected(because("the event is too large")),
        // What stands in the way, or stands in for Lambda, can't do it and won't.
        501 => DispatchError::rejected(because("what answers there doesn't know the request; look at the endpoint")),
        505 => DispatchError::rejected(because("what answers there speaks another HTTP; look at the endpoint")),
        511 => DispatchError::rejected(because("the network wants a login first")),
        500..=599 => DispatchError::unconfirmed(because("that doesn't say whether the event is queued")),
        200..=299 => DispatchError::unconfirmed(because("only 202 says that an event is queued")),
        _ => DispatchError::rejected(because("the event was refused")),
    })
}

/// Whether it is the name of an exception, and no text of somebody between here and AWS.
fn is_code(code: &str) -> bool {
    !code.is_empty() && code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Why there is no answer, without the words of others: a provider of credentials may quote them.
fn cause(error: &SdkError<InvokeError>) -> String {
    let mut next = error.source();
    while let Some(source) = next {
        if let Some(fault) = source.downcast_ref::<io::Error>() {
            return match fault.get_ref() {
                // Some wrap their own error in one of I/O.
                Some(_) if fault.kind() == io::ErrorKind::Other => "the connection failed".to_owned(),
                _ => format!("{}", fault.kind()),
            };
        }
        next = source.source();
    }
    match error {
        SdkError::TimeoutError(_) => "the client's own timeout came first".to_owned(),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => "the client's own timeout came first".to_owned(),
        SdkError::DispatchFailure(failure) if failure.is_io() => "the connection failed".to_owned(),
        _ => "the client could not make or sign the request; look at its region, endpoint and credentials".to_owned(),
    }
}
