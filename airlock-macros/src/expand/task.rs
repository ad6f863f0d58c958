//! The companion of a task: a static definition, the ways to enqueue it, and the registration.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::Path;

use super::{at, path_at, refuse};
use crate::args::{Slot, TaskArgs};
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
    function.keep_parameter_attributes(check::is_passed_on);
    // The lint asks for references, which a task can't take.
    let by_value = function.body.as_ref().map(|_| quote!(#[allow(clippy::needless_pass_by_value)]));
    quote!(#by_value #function #beside)
}

fn companion(args: &TaskArgs, function: &Function, parameters: &[Parameter]) -> TokenStream {
    let krate = args.krate.or_airlock();
    let Function { vis, sig, .. } = function;
    let ident = &sig.ident;
    let cfgs = function.cfgs();
    let attrs = companion_attrs(function);

    let name = args.name.get().map_or_else(|| function.name(), syn::LitStr::value);
    let aliases = args.aliases.get().into_iter().flatten();
    let described = parameters.iter().map(|parameter| {
        let (name, ty, redacted) = (parameter.name(), spelling(&parameter.ty), parameter.redacted);
        quote!(#krate::__private::Parameter::new(#name, #ty, #redacted))
    });
    let options = options(&krate, args);
    let local = args.local.key().is_some();
    let run = run(&krate, function, parameters.len());

    let names: Vec<_> = parameters.iter().map(|parameter| &parameter.ident).collect();
    let types: Vec<_> = parameters.iter().map(|parameter| &parameter.ty).collect();
    let arguments = format_ident!("arguments_{}", parameters.len());
    let arguments = quote!(#krate::__private::#arguments::<#(#types),*>());

    quote! {
        #(#attrs)*
        #[allow(
            dead_code, missing_copy_implementations, missing_debug_implementations, non_camel_case_types,
            unreachable_pub, clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction
        )]
        #vis struct #ident {}

        #(#cfgs)*
        #[allow(
            dead_code, deprecated, private_bounds, private_interfaces, unreachable_pub, unused_qualifications,
            clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction
        )]
        const _: () = {
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
                #arguments,
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

            // Names the types where no one else can: an argument may be less visible than its task, and the types of a
            // public trait's implementation may not.
            trait __AirlockTyped {
                type Args: 'static;
                fn entry() -> &'static #krate::__private::TaskEntry<Self::Args>;
            }

            #[automatically_derived]
            impl __AirlockTyped for #ident {
                type Args = (#(#types,)*);
                fn entry() -> &'static #krate::__private::TaskEntry<Self::Args> {
                    &__AIRLOCK_TASK
                }
            }

            #[automatically_derived]
            impl<__AirlockArgs: #krate::Args> #krate::Task for #ident
            where
                #ident: __AirlockTyped<Args = __AirlockArgs>,
            {
                type Args = __AirlockArgs;
                const NAME: &'static #krate::__private::str = #name;

                fn __entry() -> &'static #krate::__private::TaskEntry<Self::Args> {
                    <#ident as __AirlockTyped>::entry()
                }
            }

            #krate::__private::inventory::submit! {
                #krate::__private::Registration(|| __AIRLOCK_TASK.erased())
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
    let duration = |slot: &Slot<_>| optional(krate, slot.get().map(|duration| duration_tokens(krate, *duration)));
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
    let krate = path_at(krate, ident.span());
    // Not the parameters' own names: one of them may be the function's.
    let args: Vec<_> = (0..count).map(|index| format_ident!("__airlock_{index}")).collect();
    let output = function.output().map(|ty| quote!(::<#ty>));
    if function.sig.asyncness.is_some() {
        quote_spanned! {place=>
            #krate::__private::Run::Async(|(#(#args,)*)| #krate::__private::Box::pin(async move {
                #krate::__private::task_output #output(#ident(#(#args),*).await)
            }))
        }
    } else {
        quote_spanned! {place=>
            #krate::__private::Run::Sync(|(#(#args,)*)| #krate::__private::task_output #output(#ident(#(#args),*)))
        }
    }
}
