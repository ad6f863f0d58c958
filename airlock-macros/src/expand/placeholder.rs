//! What stands for the companion of a function that can't be a task: the same names to call, for the same arguments. The
//! mistakes in the signature have been reported; that there is no task of this name would be reported again at every call.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::punctuated::Punctuated;
use syn::{FnArg, Token};

use super::task::Task;
use super::unjudged;
use crate::parameter;

/// `inputs` still have all their attributes.
pub(super) fn placeholder(task: &Task<'_>, inputs: &Punctuated<FnArg, Token![,]>) -> TokenStream {
    let Task { krate, companion, function, .. } = task;
    let (vis, sig) = (&function.vis, &function.sig);
    let typed: Option<Vec<_>> = inputs
        .iter()
        .enumerate()
        .filter(|(_, input)| !parameter::is_state(input))
        .map(|(index, input)| match input {
            FnArg::Typed(typed) => {
                let ty = &typed.ty;
                // The compiler has said that it can't know this one.
                let ty =
                    if parameter::is_inferred(input) { quote!(impl #krate::__private::Sized) } else { quote!(#ty) };
                Some((format_ident!("__airlock_{index}"), ty))
            }
            FnArg::Receiver(_) => None,
        })
        .collect();
    // A method's companion would have no place to stand.
    let (Some(typed), None) = (typed, &sig.variadic) else { return TokenStream::new() };
    let parameters = typed.iter().map(|(name, ty)| quote!(#name: #ty)).collect::<Vec<_>>();
    let (generics, bounds) = (&sig.generics, &sig.generics.where_clause);
    let enqueued = quote!(#krate::__private::Enqueued);
    let body = quote!(#krate::__private::never_called());
    let (cfgs, unjudged) = (function.cfgs(), unjudged());
    let block = quote! {
        #(#cfgs)*
        #[allow(warnings)]
        #unjudged
        const _: () = {
            impl #companion {
                #vis fn enqueue #generics (#(#parameters),*) -> #enqueued #bounds { #body }
                #vis fn enqueue_with #generics (_: #krate::Options #(, #parameters)*) -> #enqueued #bounds { #body }
                #vis fn intent #generics (#(#parameters),*) -> #krate::Intent #bounds { #body }
            }
        };
    };
    quote! {
        #[#krate::checks::beside(#block)]
        #(#cfgs)*
        #[doc(hidden)]
        #[allow(warnings)]
        #unjudged
        #vis struct #companion {}
    }
}
