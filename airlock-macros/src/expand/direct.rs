//! What stands under the function's name if calling it directly is no plain call: a stub with the same signature. The
//! function itself, as written, lies beside it where only the companion sees it.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, ReturnType};

use super::task::Task;
use super::{at, path_at, unjudged};
use crate::args::TaskArgs;
use crate::signature::{Function, Parameter, cfg_of};

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

/// The way to the function itself from under its name.
pub(super) fn inner_call(task: &Task<'_>) -> TokenStream {
    let sig = &task.function.sig;
    let (ident, asyncness, output) = (&sig.ident, &sig.asyncness, &sig.output);
    let typed = task.parameters.iter().enumerate().map(|(index, parameter)| {
        // One of the parameters may have the function's name.
        let (name, ty) = (format_ident!("__airlock_{index}"), passed_type(parameter));
        (name.clone(), quote!(#name: #ty))
    });
    let (names, typed): (Vec<_>, Vec<_>) = typed.unzip();
    let awaited = asyncness.map(|_| quote!(.await));
    quote! {
        #asyncness fn __call(#(#typed),*) #output {
            #ident(#(#names),*) #awaited
        }
    }
}

/// What stands under the function's name.
pub(super) fn stub(task: &Task<'_>, direct: Direct) -> TokenStream {
    let function = task.function;
    let attrs = function.attrs.iter().filter_map(|attr| stub_attr(attr, function.body.is_none()));
    let lints = function.allowed();
    let unjudged = unjudged();
    let stub = if direct == Direct::Refused { refusing(task) } else { shim(task) };
    quote! {
        #(#attrs)*
        #(#lints)*
        #[allow(dead_code, deprecated, unused_variables)]
        #unjudged
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
    let enqueued = quote_spanned!(at(place)=> #there::checks::shim::<#ty>().enqueued);
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
        let (name, ty) = (&parameter.ident, passed_type(parameter));
        (quote!(#name), quote!(#name: #ty))
    });
    named.unzip()
}

fn passed_type(parameter: &Parameter) -> TokenStream {
    let ty = &parameter.ty;
    if parameter.is_state() { quote!(&(#ty)) } else { quote!(#ty) }
}

/// The attributes that say something about the name rather than the body; of a declaration, all but lint levels, which
/// are kept in any case.
fn stub_attr(attr: &Attribute, declared: bool) -> Option<TokenStream> {
    let is = |names: &[&str]| names.iter().any(|known| attr.path().is_ident(known));
    if is(&["allow", "expect"]) {
        None
    } else if declared || is(&["doc", "deprecated", "must_use"]) {
        Some(quote!(#attr))
    } else {
        cfg_of(attr)
    }
}
