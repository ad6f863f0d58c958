//! The assertions.

/// Asserts that a task was enqueued, with these arguments and options, and how often.
///
/// First what has the intents: [`capture`](crate::testing::capture)'s result, a
/// [`RecordingExecutor`](crate::testing::RecordingExecutor), a [`Scope`](crate::Scope), or a `Vec<Intent>`. Then the task,
/// alone or with arguments by name: all of them, or some and `..`. Then, if wanted, any setter of
/// [`Options`](crate::Options) with its value, `options` with several, and `times`; without `times` once is enough.
///
/// Values are compared by their encoding: see [`Expected`](crate::testing::Expected).
///
/// ```
/// # #[airlock::task] fn send_email(order_id: u64, subject: String) { let _ = (order_id, subject); }
/// use std::time::Duration;
/// use airlock::{Options, assert_enqueued};
///
/// let captured = airlock::testing::capture(|| -> airlock::Result<()> {
///     send_email::enqueue_with(Options::new().queue("mail").delay(Duration::from_secs(60)), 42, "hello".to_owned())?;
///     Ok(())
/// });
/// assert_enqueued!(captured, send_email);
/// assert_enqueued!(captured, send_email { order_id: 42, .. });
/// assert_enqueued!(captured, send_email { order_id: 42, subject: "hello" }, queue "mail", times 1);
/// let order_id = 42;
/// assert_enqueued!(captured, send_email { order_id, .. }, delay Duration::from_secs(60));
/// ```
///
/// # Panics
/// There is none, or not so many: the message has the near misses with what differs. A name that is no parameter is
/// reported with the nearest.
#[macro_export]
macro_rules! assert_enqueued {
    ($recorded:expr, $task:path $({ $($fields:tt)* })? $(, $key:ident $value:expr)* $(,)?) => {{
        let expected = $crate::__expected!($task $({ $($fields)* })?);
        $(let expected = $crate::__expected_option!(expected, $key, $value);)*
        $crate::testing::assert_enqueued(&$recorded, &expected);
    }};
}

/// Asserts that a task was not enqueued with these arguments and options; the same form as
/// [`assert_enqueued!`](crate::assert_enqueued), without `times`.
///
/// ```
/// # #[airlock::task] fn send_email(order_id: u64) { let _ = order_id; }
/// let captured = airlock::testing::capture(|| send_email::enqueue(42).is_ok());
/// airlock::assert_not_enqueued!(captured, send_email { order_id: 43 });
/// airlock::assert_not_enqueued!(captured, send_email { order_id: 42 }, queue "mail");
/// ```
///
/// # Panics
/// There is one, or a name is no parameter.
#[macro_export]
macro_rules! assert_not_enqueued {
    ($recorded:expr, $task:path $({ $($fields:tt)* })? $(, $key:ident $value:expr)* $(,)?) => {{
        let expected = $crate::__expected!($task $({ $($fields)* })?);
        $(let expected = $crate::__expected_option!(expected, $key, $value);)*
        $crate::testing::assert_not_enqueued(&$recorded, &expected);
    }};
}

/// Asserts that these were enqueued one after the other; others may lie in between.
///
/// ```
/// # #[airlock::task] fn charge(order_id: u64) { let _ = order_id; }
/// # #[airlock::task] fn send_email(order_id: u64) { let _ = order_id; }
/// let captured = airlock::testing::capture(|| -> airlock::Result<()> {
///     charge::enqueue(42)?;
///     send_email::enqueue(42)?;
///     Ok(())
/// });
/// airlock::assert_enqueued_in_order!(captured, [charge { order_id: 42 }, send_email]);
/// ```
///
/// # Panics
/// They were not, or a name is no parameter.
#[macro_export]
macro_rules! assert_enqueued_in_order {
    ($recorded:expr, [$($task:path $({ $($fields:tt)* })?),* $(,)?] $(,)?) => {{
        $crate::testing::assert_in_order(&$recorded, &[$($crate::__expected!($task $({ $($fields)* })?)),*]);
    }};
}

/// Asserts that nothing was enqueued.
///
/// ```
/// let captured = airlock::testing::capture(|| "pure");
/// airlock::assert_nothing_enqueued!(captured);
/// ```
///
/// # Panics
/// Something was.
#[macro_export]
macro_rules! assert_nothing_enqueued {
    ($recorded:expr $(,)?) => {{
        $crate::testing::assert_nothing(&$recorded);
    }};
}

// `send_email`, `send_email { order_id: 42 }`, `send_email { order_id, .. }`
#[doc(hidden)]
#[macro_export]
macro_rules! __expected {
    ($task:path) => {
        $crate::testing::Expected::of::<$task>()
    };
    ($task:path { $($fields:tt)* }) => {
        $crate::__expected_fields!($crate::testing::Expected::of::<$task>(); $($fields)*)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __expected_fields {
    ($expected:expr;) => {
        $expected.exactly()
    };
    ($expected:expr; ..) => {
        $expected
    };
    ($expected:expr; $field:ident : $value:expr $(, $($rest:tt)*)?) => {
        $crate::__expected_fields!($expected.field(::core::stringify!($field), &$value); $($($rest)*)?)
    };
    ($expected:expr; $field:ident $(, $($rest:tt)*)?) => {
        $crate::__expected_fields!($expected.field(::core::stringify!($field), &$field); $($($rest)*)?)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __expected_option {
    ($expected:expr, times, $value:expr) => {
        $expected.times($value)
    };
    ($expected:expr, options, $value:expr) => {
        $expected.options($value)
    };
    ($expected:expr, $key:ident, $value:expr) => {
        $expected.option(|options| options.$key($value))
    };
}
