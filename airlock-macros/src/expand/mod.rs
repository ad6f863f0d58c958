//! Tokens. All names are absolute, and all that is emitted is data and calls: the logic is in `airlock::__private`.

mod companion;
mod direct;
mod naming;
mod output;
mod parameters;
mod placeholder;
mod run;
mod scoped;
mod task;
#[cfg(test)]
mod tests;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Path;

pub(crate) use scoped::scoped;
pub(crate) use task::task;

/// Puts generated code at a place in the user's code, where the compiler's errors then point. It still counts as
/// generated, so that lints leave it alone.
fn at(place: Span) -> Span {
    Span::call_site().located_at(place)
}

/// The path of the crate, at that place: an expression stands where its first token does.
fn path_at(krate: &Path, place: Span) -> TokenStream {
    let located = |mut tree: TokenTree| {
        tree.set_span(tree.span().located_at(place));
        tree
    };
    krate.to_token_stream().into_iter().map(located).collect()
}

/// A generated statement or item with something of the user's in it, which clippy is not to judge once more.
fn quiet(tokens: &TokenStream) -> TokenStream {
    let unjudged = unjudged();
    quote::quote!(#unjudged #tokens)
}

/// Has clippy leave an item alone. It is said to clippy only: the compiler looks each lint up that it does not know, among
/// all of those that it does.
fn unjudged() -> TokenStream {
    quote::quote!(#[cfg_attr(clippy, allow(clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction))])
}

/// What is emitted when the item could not even be parsed.
fn refuse(item: TokenStream, error: &syn::Error) -> TokenStream {
    let error = error.to_compile_error();
    quote::quote!(#item #error)
}
