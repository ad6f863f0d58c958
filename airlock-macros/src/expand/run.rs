//! How to call the function with a tuple of its arguments.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};

use super::task::Task;
use super::{at, path_at};

pub(super) fn run(task: &Task<'_>) -> TokenStream {
    let Task { krate, function, parameters, .. } = task;
    if function.body.is_none() {
        return quote!(#krate::__private::Run::Elsewhere);
    }
    let ident = &function.sig.ident;
    let place = at(ident.span());
    let krate = path_at(krate, ident.span());
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
    let pattern = quote!((#(#arguments,)*));
    let call = match function.sig.asyncness {
        None => quote_spanned!(place=> #krate::checks::task_output #output(#ident(#(#passed),*))),
        Some(_) => quote_spanned! {place=>
            #krate::__private::Box::pin(async move { #krate::checks::task_output #output(#ident(#(#passed),*).await) })
        },
    };
    let kind = match (function.sig.asyncness, states.is_empty()) {
        (None, true) => quote!(Sync),
        (None, false) => quote!(SyncWith),
        (Some(_), true) => quote!(Async),
        (Some(_), false) => quote!(AsyncWith),
    };
    if states.is_empty() {
        return quote_spanned!(place=> #krate::__private::Run::#kind(|#pattern| #call));
    }
    quote_spanned! {place=>
        #krate::__private::Run::#kind(|#pattern, __airlock_state| {
            #(#states)*
            #krate::__private::Some(#call)
        })
    }
}
