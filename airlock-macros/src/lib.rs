//! A detail of the `airlock` crate; do not depend on it directly.
//!
//! Both macros are documented here once more, by each form they accept; `airlock` re-exports them.

mod args;
mod borrow;
mod check;
mod diag;
mod expand;
mod parameter;
mod signature;
mod spelling;
mod values;
mod variants;

use proc_macro::TokenStream;

/// Makes a free function a task: it can be enqueued, and is registered under a stable name.
///
/// The function stays as written. Beside it stands a companion of the same name with `enqueue(args…)`,
/// `enqueue_with(options, args…)` and `intent(args…)`. A function without a body, `fn notify(order_id: u64);`, declares
/// a task that runs elsewhere.
///
/// | option | meaning |
/// | --- | --- |
/// | `name = "shop.send"` | the name on every wire; the function's own name unless set |
/// | `aliases = ["send", "mail"]` | older names under which messages still find the task |
/// | `queue = "mail"` | the queue to deliver to |
/// | `priority = 5` | 0 to 9, higher is sooner |
/// | `max_retries = 3` | how often a worker may run it again after it failed |
/// | `delay = "5m"` | runs no sooner than this long after the hand-over |
/// | `expires = "1h30m"` | not worth running later than this long after the hand-over |
/// | `timeout = "90s"` | how long one run may take |
/// | `local` | runs in this process whatever executor a scope has |
/// | `crate = ::path` | where `airlock` is, for crates that re-export it |
///
/// Durations are written in `d`, `h`, `m`, `s` and `ms`, largest first: `"2d"`, `"1h30m"`, `"500ms"`. Options of a
/// call override those of the attribute.
///
/// | parameter attribute | meaning |
/// | --- | --- |
/// | `#[redact]` | values print as `***` |
#[proc_macro_attribute]
pub fn task(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::task(options.into(), item.into()).into()
}

/// Runs a function or method in a scope of its own: flushed when it returns `Ok`, discarded when it fails or panics.
///
/// The function may be sync, async, generic, a method, and may borrow. It returns `Result<T, E>` with
/// `E: From<FlushError>`, or names in `on_flush_error` what becomes of a flush error.
///
/// | option | meaning |
/// | --- | --- |
/// | `policy = AllowAll` | any expression that is a policy |
/// | `executor = InlineExecutor::new()` | any expression that is an executor |
/// | `lifecycle = AlwaysFlush` | any expression that is a lifecycle |
/// | `name = "checkout"` | the scope's name in reports; the function's own name unless set |
/// | `on_failure = OnFailure::FailFast` | what one failed dispatch means for the others |
/// | `deadline = "5s"` | how long a flush may take |
/// | `on_flush_error = path` | a `fn(FlushError)`, for functions that can't return one |
/// | `crate = ::path` | where `airlock` is, for crates that re-export it |
///
/// Above `#[tokio::main]` and `#[tokio::test]`, not below: those make the function sync. With `#[task]` it stacks in
/// both orders.
#[proc_macro_attribute]
pub fn scoped(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::scoped(options.into(), item.into()).into()
}
