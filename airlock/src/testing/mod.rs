//! The test kit, under the feature `testing`: what would escape, asserted in one line, and nothing escapes.
//!
//! ```
//! use airlock::testing::capture;
//! use airlock::{assert_enqueued, assert_not_enqueued};
//!
//! #[airlock::task]
//! fn send_email(order_id: u64, #[redact] token: String) { let _ = (order_id, token); }
//! #[airlock::task(queue = "warehouse")]
//! fn notify(order_id: u64) { let _ = order_id; }
//!
//! fn process(order_id: u64) -> airlock::Result<&'static str> {
//!     send_email::enqueue(order_id, "secret".to_owned())?;
//!     notify::enqueue(order_id)?;
//!     Ok("processed")
//! }
//!
//! let captured = capture(|| process(42));
//! assert_eq!(captured.value().as_ref().ok(), Some(&"processed"));
//! assert_enqueued!(captured, send_email { order_id: 42, .. });
//! assert_enqueued!(captured, notify, queue "warehouse", times 1);
//! assert_not_enqueued!(captured, send_email { order_id: 43, .. });
//! ```
//!
//! | to | there is |
//! | --- | --- |
//! | see what code would let out | [`capture`], [`capture_async`], [`capture_in`] |
//! | assert on it | [`assert_enqueued!`](crate::assert_enqueued), [`assert_not_enqueued!`](crate::assert_not_enqueued), [`assert_enqueued_in_order!`](crate::assert_enqueued_in_order), [`assert_nothing_enqueued!`](crate::assert_nothing_enqueued) |
//! | run it, and what that enqueues | [`drain`], [`drain_async`] |
//! | run one task as a worker would | [`perform`], [`perform_async`]; with state, [`perform_in`], [`perform_in_async`] |
//! | run tasks with the retries, attempts and follow-ups of a `Worker` | `TestWorker` (feature `worker`) |
//! | have an outbox in a temporary file, with a worker beside | `temporary_outbox` (features `outbox` and `sqlite`) |
//! | give one test settings of its own | [`with_settings`], [`with_settings_async`] |
//! | put an executor into a whole program | [`RecordingExecutor`] |
//! | fail a test that loses intents | [`no_leaks`], [`no_leaks_async`] |
//! | see that code survives a broken executor | [`FaultExecutor`] |
//! | see that the values of a type are read back as they were | [`assert_reads_back`] |
//! | fail a test whose change strands messages in a queue | [`assert_task_lock`] |
//!
//! What fails shows argument values, except those marked `#[redact]`, and no header or extra.
//!
//! Everything here sends arguments through their encoding and back, so a type that can't be read back, or is written
//! differently afterwards, is found in a test and not in production. So is a value whose text is that of another one, where
//! the two are written by different methods of serde: `Some(None)` is read as `None`, `Some(())` as well, and the first
//! variant of an untagged enum that takes the text is the one that is read. What a type never writes, such as a field with
//! `#[serde(skip)]`, is lost unseen, and the task runs with its default; so are two untagged variants of one type.
//! [`assert_reads_back`] compares values and finds those, too. The page of [`Argument`](crate::Argument) lists the types that are not
//! read back.
//!
//! Nothing is global, so tests run side by side: plain `#[test]`, `#[tokio::test]` and runners that give each test a process.

mod asserting;
mod capture;
mod drain;
mod expected;
mod fault;
mod json;
mod leaks;
mod lock;
mod lock_breaks;
mod lock_file;
mod macros;
mod options;
mod overrides;
mod perform;
mod read_back;
mod recording;
mod running;
mod text;
#[cfg_attr(not(feature = "worker"), path = "no_worker.rs")]
mod worker;

#[doc(hidden)]
pub use asserting::{assert_enqueued, assert_in_order, assert_not_enqueued, assert_nothing};
pub use capture::{Captured, capture, capture_async, capture_in, capture_in_async};
pub use drain::{DrainError, Drained, MAX_DRAINED, drain, drain_async};
pub use expected::Expected;
pub use fault::{Fault, FaultExecutor};
pub use leaks::{no_leaks, no_leaks_async};
pub use lock::{LockMode, TaskLock, TaskLockError, assert_task_lock};
pub use lock_breaks::Break;
pub use overrides::{with_settings, with_settings_async};
pub use perform::{perform, perform_async, perform_in, perform_in_async};
pub use read_back::assert_reads_back;
pub use recording::{Recorded, RecordingExecutor};
#[allow(unused_imports, unreachable_pub, reason = "without workers there is nothing in it for users")]
pub use worker::*;
