//! What stands under the function's name if calling it directly is no plain call: a stub with the same signature. The
//! function itself, as written, lies beside it where only the companion sees it.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, ReturnType};

use super::task::Task;
use super::{at, path_at};
use crate::args::TaskArgs;
use crate::signature::{Function, cfg_of};

/// What a direct call means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direct {
    /// A call.
    AsWritten,
    /// A compile error that names `enqueue`: the task is `enqueue_only`, or its body is elsewhere.
    Refused,
    /// An enqueue inside a scope, a call outside.
    Shimmed,
}

impl Direct {
    pub(super) fn of(args: &TaskArgs, function: &Function, mistaken: bool) -> Self {
        if function.body.is_none() {
            Self::Refused
        } else if mistaken {
            // What is wrong has been said; the calls are as right as they can be.
            Self::AsWritten
        } else if args.enqueue_only.key().is_some() {
            Self::Refused
        } else if args.shim.key().is_some() {
            Self::Shimmed
        } else {
            Self::AsWritten
        }
    }
}

/// The function itself, and the way to it.
pub(super) fn inner(task: &Task<'_>, direct: Direct, written: &TokenStream) -> TokenStream {
    if direct == Direct::Refused {
        return written.clone();
    }
    let Task { companion, function, .. } = task;
    let (ident, asyncness, output) = (&function.sig.ident, &function.sig.asyncness, &function.sig.output);
    let (names, typed) = parameters(task);
    let awaited = asyncness.map(|_| quote!(.await));
    quote! {
        #written

        impl #companion {
            #asyncness fn __call(#(#typed),*) #output {
                #ident(#(#names),*) #awaited
            }
        }
    }
}

pub(super) fn stub(task: &Task<'_>, direct: Direct) -> TokenStream {
    let attrs = task.function.attrs.iter().filter_map(|attr| stub_attr(attr, task.function.body.is_none()));
    let stub = if direct == Direct::Refused { refusing(task) } else { shim(task) };
    quote! {
        #(#attrs)*
        #[allow(dead_code, unused_variables, clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction)]
        #stub
    }
}

fn refusing(task: &Task<'_>) -> TokenStream {
    let Task { krate, args, companion, function, .. } = task;
    let Function { vis, sig, .. } = function;
    let (ident, output) = (&sig.ident, &sig.output);
    let (_, typed) = parameters(task);
    let place = args.enqueue_only.key().map_or_else(|| ident.span(), |key| key.span());
    let there = path_at(krate, place);
    // Asked of every lifetime, so that the compiler leaves the question to the call.
    let bound = quote_spanned!(at(place)=> for<'any> (): #there::checks::DirectCall<'any, #companion>);
    // An `async fn` would ask once more where it is awaited.
    let output = match (sig.asyncness, output) {
        (None, output) => quote!(#output),
        (Some(_), ReturnType::Default) => quote!(-> #krate::BoxFuture<'static, ()>),
        (Some(_), ReturnType::Type(_, ty)) => quote!(-> #krate::BoxFuture<'static, #ty>),
    };
    quote!(#vis fn #ident(#(#typed),*) #output where #bound { #krate::__private::never_called() })
}

fn shim(task: &Task<'_>) -> TokenStream {
    let Task { krate, companion, function, .. } = task;
    let Function { vis, sig, .. } = function;
    let (ident, asyncness, output) = (&sig.ident, &sig.asyncness, &sig.output);
    let (names, typed) = parameters(task);
    let note = format!("it is a task now, and in a scope a direct call enqueues; write `{companion}::enqueue(..)`");
    let place = match output {
        ReturnType::Default => ident.span(),
        ReturnType::Type(_, ty) => ty.span(),
    };
    let there = path_at(krate, place);
    let ty = function.output().map_or_else(|| quote!(()), |ty| quote!(#ty));
    let enqueued = quote_spanned!(at(place)=> #there::checks::shim_output::<#ty>);
    let arguments = task.arguments().map(|parameter| &parameter.ident);
    // The place of a call of an `async fn` can't be known to it.
    let tracked = asyncness.is_none().then(|| quote!(#[track_caller]));
    let awaited = asyncness.map(|_| quote!(.await));
    quote! {
        #[deprecated(note = #note)]
        #tracked
        #vis #asyncness fn #ident(#(#typed),*) #output {
            if #krate::__private::in_scope() {
                #enqueued(#companion::enqueue(#(#arguments),*))
            } else {
                #companion::__call(#(#names),*) #awaited
            }
        }
    }
}

/// The parameters by plain names, and with their types.
fn parameters(task: &Task<'_>) -> (Vec<TokenStream>, Vec<TokenStream>) {
    let named = task.parameters.iter().map(|parameter| {
        let (name, ty) = (&parameter.ident, &parameter.ty);
        let ty = if parameter.is_state() { quote!(&(#ty)) } else { quote!(#ty) };
        (quote!(#name), quote!(#name: #ty))
    });
    named.unzip()
}

/// The attributes that say something about the name rather than the body; of a declaration, all of them.
fn stub_attr(attr: &Attribute, declared: bool) -> Option<TokenStream> {
    let about_the_name = ["doc", "deprecated", "must_use"].iter().any(|known| attr.path().is_ident(known));
    if declared || about_the_name { Some(quote!(#attr)) } else { cfg_of(attr) }
}
