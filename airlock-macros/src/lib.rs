//! A detail of the `airlock` crate; do not depend on it directly.
//!
//! `airlock` re-exports both macros, and its documentation has a page for each.

mod args;
mod borrow;
mod check;
mod diag;
mod entry;
mod expand;
mod parameter;
mod signature;
mod sizes;
mod spelling;
mod values;
mod variants;

use proc_macro::TokenStream;

// Documented where users find them: on the re-exports of `airlock`.

#[allow(missing_docs, reason = "see above")]
#[proc_macro_attribute]
pub fn task(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::task(options.into(), item.into()).into()
}

#[allow(missing_docs, reason = "see above")]
#[proc_macro_attribute]
pub fn scoped(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::scoped(options.into(), item.into()).into()
}

/// What stands beside a companion, as the arguments of an attribute of its: where the compiler refuses a type, in an
/// `impl` or a `trait`, it drops that with its attributes, and says so once.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn beside(items: TokenStream, companion: TokenStream) -> TokenStream {
    TokenStream::from_iter([companion, items])
}
