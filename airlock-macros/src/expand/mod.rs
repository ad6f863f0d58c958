//! Tokens. All names are absolute, and all that is emitted is data and calls: the logic is in `airlock::__private`.

mod scoped;
mod task;

use proc_macro2::{Span, TokenStream};

pub(crate) use scoped::scoped;
pub(crate) use task::task;

/// Puts generated code at a place in the user's code, where the compiler's errors then point. It still counts as
/// generated, so that lints leave it alone.
fn at(place: Span) -> Span {
    Span::call_site().located_at(place)
}

/// What is emitted when the item could not even be parsed.
fn refuse(item: TokenStream, error: &syn::Error) -> TokenStream {
    let error = error.to_compile_error();
    quote::quote!(#item #error)
}
