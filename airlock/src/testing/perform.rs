//! One task, from its arguments.

use std::future::Future;
use std::panic::Location;

use super::capture::Captured;
use super::recording::unchanged;
use super::running::{run, run_async};
use crate::dispatch::DispatchError;
use crate::encode::Shape;
use crate::intent::Intent;
use crate::scope::ScopeBuilder;
use crate::task::args::{Args, Arguments};
use crate::task::{Task, args};

/// Runs a task as a worker would: its arguments go through their encoding and back, its context is empty, and what its
/// own scopes let out is captured.
///
/// Arguments are encoded, read back and encoded again, and the two encodings compared: what a type never writes, such as
/// a field with `#[serde(skip)]`, is not missed, and the task runs with its default. A `#[state]` parameter is given
/// what the process provides ([`airlock::provide`](crate::provide)); [`perform_in`] gives one test a state of its own.
///
/// ```
/// # #[airlock::task] fn notify(order_id: u64) { let _ = order_id; }
/// use airlock::testing::perform;
///
/// #[airlock::task]
/// #[airlock::scoped]
/// fn nightly(orders: Vec<u64>) -> airlock::Result<()> {
///     orders.into_iter().try_for_each(|order| notify::enqueue(order).map(drop))?;
///     Ok(())
/// }
///
/// let performed = perform::<nightly>((vec![1, 2],))?;
/// airlock::assert_enqueued!(performed, notify, times 2);
/// # Ok::<(), airlock::DispatchError>(())
/// ```
///
/// # Errors
/// `TaskFailed` if the task fails or panics; `Rejected` if its arguments don't survive their encoding, if it is an
/// `async fn`, or has no body here.
#[track_caller]
pub fn perform<T: Task>(args: T::Args) -> Result<Captured<()>, DispatchError> {
    outcome(run(crate::scope(), arrived::<T>(args, Location::caller())?))
}

/// Like [`perform`], with the state of a scope of your own; its executor, policy and lifecycle have no part in it.
///
/// ```
/// use airlock::testing::perform_in;
///
/// struct Mailer { from: &'static str }
///
/// #[airlock::task]
/// fn send_email(#[state] mailer: &Mailer, order_id: u64) -> Result<(), String> {
///     if mailer.from.is_empty() { Err(format!("nobody sends {order_id}")) } else { Ok(()) }
/// }
///
/// let scope = || airlock::scope();
/// assert!(perform_in::<send_email>(scope().state(Mailer { from: "shop" }), (42,)).is_ok());
/// assert!(perform_in::<send_email>(scope().state(Mailer { from: "" }), (42,)).is_err());
/// ```
///
/// # Errors
/// As [`perform`].
#[track_caller]
pub fn perform_in<T: Task>(scope: ScopeBuilder, args: T::Args) -> Result<Captured<()>, DispatchError> {
    outcome(run(scope, arrived::<T>(args, Location::caller())?))
}

/// Like [`perform_in`], for tasks that are `async` as well as for others.
///
/// # Errors
/// As [`perform`].
#[track_caller]
pub fn perform_in_async<T: Task>(
    scope: ScopeBuilder,
    args: T::Args,
) -> impl Future<Output = Result<Captured<()>, DispatchError>> + use<T> {
    let location = Location::caller();
    async move { outcome(run_async(scope, arrived::<T>(args, location)?).await) }
}

/// Like [`perform`], for tasks that are `async` as well as for others.
///
/// # Errors
/// As [`perform`].
#[track_caller]
pub fn perform_async<T: Task>(args: T::Args) -> impl Future<Output = Result<Captured<()>, DispatchError>> + use<T> {
    let location = Location::caller();
    async move { outcome(run_async(crate::scope(), arrived::<T>(args, location)?).await) }
}

pub(super) fn arrived<T: Task>(given: T::Args, location: &'static Location<'static>) -> Result<Intent, DispatchError> {
    let sent =
        args::to_json(T::definition(), Shape::Object, |index| given.get(index)).map_err(DispatchError::rejected)?;
    let calls = args::calls(T::definition(), |index| given.get(index)).map_err(DispatchError::rejected)?;
    let arguments: Arguments = serde_json::from_str(&sent).map_err(DispatchError::rejected)?;
    let arrived = T::definition().decode(None, arguments, None, location).map_err(DispatchError::rejected)?;
    unchanged(arrived, &sent, &calls).map_err(DispatchError::rejected)
}

fn outcome(ran: Captured<Result<(), DispatchError>>) -> Result<Captured<()>, DispatchError> {
    match ran.value() {
        Ok(()) => Ok(ran.map(drop)),
        Err(error) => Err(error.clone()),
    }
}
