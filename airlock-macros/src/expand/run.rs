//! How to call the function with a tuple of its arguments.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};

use super::at;
use super::companion::airlock;
use super::direct::Direct;
use super::task::Task;

/// The way to call it, and an item that it needs. A function, not a closure: the compiler makes two of that.
pub(super) fn run(task: &Task<'_>) -> (TokenStream, TokenStream) {
    let Task { function, parameters, .. } = task;
    if function.body.is_none() {
        return (quote!(__airlock::elsewhere), TokenStream::new());
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
            states.push(quote!(let #name = __airlock_state.required::<#ty>()?;));
            passed.push(quote!(&*#name));
        } else {
            passed.push(quote!(#name));
            arguments.push(name);
        }
    }
    let called = quote_spanned!(place=> #ident(#(#passed),*));
    let shimmed = Direct::of(task.args, function, false) == Direct::Shimmed;
    // To the compiler, what a shim asks here and in its stub has to be one question, so that its answer is one error.
    let ended = match function.sig.asyncness {
        None if shimmed => quote_spanned!(place=> #airlock::done(#airlock::shim #output().task(#called))),
        None => quote_spanned!(place=> #airlock::task_output #output(#called)),
        Some(_) => {
            let result = if shimmed {
                quote_spanned!(place=> shim #output().task)
            } else {
                quote_spanned!(place=> task_result #output)
            };
            quote_spanned!(place=> #airlock::pending(#airlock::Box::pin(async move { #airlock::#result(#called.await) })))
        }
    };
    let types = task.arguments().map(|parameter| &parameter.ty);
    let state = if states.is_empty() { quote!(_) } else { quote!(__airlock_state) };
    let item = quote_spanned! {place=>
        fn __airlock_run((#(#arguments,)*): (#(#types,)*), #state: &#airlock::State) -> #airlock::CallResult {
            #(#states)*
            #ended
        }
    };
    (quote!(__airlock_run), item)
}
