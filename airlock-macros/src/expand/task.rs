//! The companion of a task: a static definition, the ways to enqueue it, and the registration.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Path, ReturnType};

use super::{at, refuse};
use crate::args::TaskArgs;
use crate::check;
use crate::diag::Problems;
use crate::signature::{Function, Parameter};
use crate::spelling::spelling;
use crate::values::{duration_tokens, optional};

/// The function as written, then its companion or what is wrong with it.
pub(crate) fn task(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut function: Function = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => return refuse(item, &error),
    };
    let mut problems = Problems::default();
    let args = TaskArgs::read(options, &mut problems);
    let parameters = check::task(&args, &function, &mut problems);
    let beside = match problems.finish() {
        Ok(()) => companion(&args, &function, &parameters),
        Err(errors) => errors,
    };
    function.strip(check::is_redact);
    quote!(#function #beside)
}

fn companion(args: &TaskArgs, function: &Function, parameters: &[Parameter]) -> TokenStream {
    let krate = args.krate.or_airlock();
    let Function { vis, sig, .. } = function;
    let ident = &sig.ident;
    let cfgs = function.cfgs();
    let attrs = companion_attrs(function);

    let name = args.name.get().map_or_else(|| function.name(), syn::LitStr::value);
    let aliases = args.aliases.get().into_iter().flatten();
    let described = parameters.iter().map(|Parameter { ident: _, ty, redacted }| (spelling(ty), redacted));
    let described = parameters.iter().map(Parameter::name).zip(described).map(|(name, (ty, redacted))| {
        quote!(#krate::__private::Parameter::new(#name, #ty, #redacted))
    });
    let options = options(&krate, args);
    let local = args.local.key().is_some();
    let run = run(&krate, function, parameters.len());

    let names: Vec<_> = parameters.iter().map(|parameter| &parameter.ident).collect();
    let types: Vec<_> = parameters.iter().map(|parameter| &parameter.ty).collect();
    let checks = checks(&krate, function, parameters);

    quote! {
        #(#attrs)*
        #[allow(
            dead_code, missing_copy_implementations, missing_debug_implementations, missing_docs,
            non_camel_case_types, unreachable_pub, clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction
        )]
        #vis struct #ident {}

        #(#cfgs)*
        #[allow(
            dead_code, deprecated, missing_docs, private_interfaces, unreachable_pub, unused_qualifications,
            clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction
        )]
        const _: () = {
            #checks

            static __AIRLOCK_TASK: #krate::__private::TaskEntry<(#(#types,)*)> = #krate::__private::TaskEntry::new(
                #name,
                &[#(#aliases),*],
                &[#(#described),*],
                #options,
                #local,
                #krate::__private::module_path!(),
                #krate::__private::file!(),
                #krate::__private::line!(),
                #run,
            );

            impl #ident {
                /// Records the wish to run this task in the current scope. It runs once the scope has ended well.
                ///
                /// # Errors
                /// There is no scope, it has ended, or a policy refuses.
                #[track_caller]
                #vis fn enqueue(
                    #(#names: #types),*
                ) -> #krate::__private::Result<#krate::IntentId, #krate::EnqueueError> {
                    #krate::__private::enqueue(&__AIRLOCK_TASK, #krate::__private::None, (#(#names,)*))
                }

                /// As `enqueue`, with options that override those of the attribute.
                ///
                /// # Errors
                /// There is no scope, it has ended, or a policy refuses.
                #[track_caller]
                #vis fn enqueue_with(
                    __airlock_options: #krate::Options
                    #(, #names: #types)*
                ) -> #krate::__private::Result<#krate::IntentId, #krate::EnqueueError> {
                    #krate::__private::enqueue(
                        &__AIRLOCK_TASK,
                        #krate::__private::Some(__airlock_options),
                        (#(#names,)*),
                    )
                }

                /// The wish to run this task, not in any scope yet.
                #[track_caller]
                #[must_use]
                #vis fn intent(#(#names: #types),*) -> #krate::Intent {
                    #krate::__private::make_intent(&__AIRLOCK_TASK, #krate::__private::None, (#(#names,)*))
                }
            }

            #[automatically_derived]
            impl #krate::Task for #ident {
                type Args = (#(#types,)*);
                const NAME: &'static str = #name;

                fn __entry() -> &'static #krate::__private::TaskEntry<Self::Args> {
                    &__AIRLOCK_TASK
                }
            }

            #krate::__private::inventory::submit! {
                #krate::__private::Registration(&__AIRLOCK_TASK)
            }
        };
    }
}

/// Beside a function, the companion is a technicality. Without a body, it is all that can carry the user's docs.
fn companion_attrs(function: &Function) -> Vec<TokenStream> {
    let hidden = quote!(#[doc(hidden)]);
    if function.body.is_some() {
        return function.cfgs().into_iter().chain([hidden]).collect();
    }
    let attrs = function.attrs.iter().map(|attr| quote!(#attr));
    let documented = function.attrs.iter().any(|attr| attr.path().is_ident("doc"));
    attrs.chain((!documented).then_some(hidden)).collect()
}

fn options(krate: &Path, args: &TaskArgs) -> TokenStream {
    let duration = |slot: &crate::args::Slot<_>| {
        optional(krate, slot.get().map(|duration| duration_tokens(krate, *duration)))
    };
    let queue = optional(krate, args.queue.get());
    let priority = optional(krate, args.priority.get());
    let max_retries = optional(krate, args.max_retries.get());
    let [delay, expires, timeout] = [&args.delay, &args.expires, &args.timeout].map(duration);
    quote! {
        #krate::__private::Options::of_attribute(#queue, #priority, #max_retries, #delay, #expires, #timeout)
    }
}

/// How to call the function with a tuple of its arguments.
fn run(krate: &Path, function: &Function, count: usize) -> TokenStream {
    if function.body.is_none() {
        return quote!(#krate::__private::Run::Elsewhere);
    }
    let ident = &function.sig.ident;
    let place = at(ident.span());
    // Not the parameters' own names: one of them may be the function's.
    let args: Vec<_> = (0..count).map(|index| quote::format_ident!("__airlock_{index}")).collect();
    if function.sig.asyncness.is_some() {
        quote_spanned! {place=>
            #krate::__private::Run::Async(|(#(#args,)*)| #krate::__private::Box::pin(async move {
                #krate::__private::task_output(#ident(#(#args),*).await)
            }))
        }
    } else {
        quote_spanned! {place=>
            #krate::__private::Run::Sync(|(#(#args,)*)| #krate::__private::task_output(#ident(#(#args),*)))
        }
    }
}

/// Asks the compiler about each type where the user wrote it.
fn checks(krate: &Path, function: &Function, parameters: &[Parameter]) -> TokenStream {
    let arguments = parameters.iter().map(|Parameter { ty, .. }| {
        quote_spanned!(at(ty.span())=> const _: () = #krate::__private::assert_argument::<#ty>();)
    });
    let _ = (function, ReturnType::Default);
    quote!(#(#arguments)*)
}
