//! How to call the function with a tuple of its arguments.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};

use super::at;
use super::companion::airlock;
use super::direct::Direct;
use super::task::Task;

pub(super) fn run(task: &Task<'_>) -> TokenStream {
    let Task { function, parameters, .. } = task;
    if function.body.is_none() {
        return quote!(__airlock::Run::Elsewhere);
    }
    let ident = &function.sig.ident;
    let place = at(ident.span());
    let airlock = airlock(ident.span());
    let output = function.output().map(|ty| quote!(::<#ty>));

    // Not the parameters' own names: one of them may be the function's.
    let (mut arguments, mut states, mut passed) = (Vec::new(), Vec::new(), Vec::new());
    for (index, parameter) in parameters.iter().enumerate() {
        let name = format_ident!("__airlock_{index}");
        if parameter.is_state() {
            let ty = &parameter.ty;
            states.push(quote!(let #name = __airlock_state.get::<#ty>()?;));
            passed.push(quote!(&*#name));
        } else {
            passed.push(quote!(#name));
            arguments.push(name);
        }
    }
    // The same question as that of the stub, so that its answer is one error.
    let end = match Direct::of(task.args, function, false) {
        Direct::Shimmed => quote!(shim #output().task),
        Direct::AsWritten | Direct::Refused => quote!(task_output #output),
    };
    let pattern = quote!((#(#arguments,)*));
    let call = match function.sig.asyncness {
        None => quote_spanned!(place=> #airlock::#end(#ident(#(#passed),*))),
        Some(_) => quote_spanned! {place=>
            #airlock::Box::pin(async move { #airlock::#end(#ident(#(#passed),*).await) })
        },
    };
    let kind = match (function.sig.asyncness, states.is_empty()) {
        (None, true) => quote!(Sync),
        (None, false) => quote!(SyncWith),
        (Some(_), true) => quote!(Async),
        (Some(_), false) => quote!(AsyncWith),
    };
    if states.is_empty() {
        return quote_spanned!(place=> #airlock::Run::#kind(|#pattern| #call));
    }
    quote_spanned! {place=>
        #airlock::Run::#kind(|#pattern, __airlock_state| {
            #(#states)*
            #airlock::Some(#call)
        })
    }
}
