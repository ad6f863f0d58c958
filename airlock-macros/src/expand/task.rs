//! The companion of a task: a static definition, the ways to enqueue it, and the registration.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned;

use super::direct::{self, Direct};
use super::run::run;
use super::stand_in::stand_in;
use super::{at, path_at, refuse};
use crate::args::{Slot, TaskArgs};
use crate::diag::Problems;
use crate::signature::{DefaultValue, Function, Parameter, Role};
use crate::spelling::spelling;
use crate::values::{duration_tokens, optional};
use crate::{check, parameter, variants};

/// The function as written, then its companion or what is wrong with it.
pub(crate) fn task(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut function: Function = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => return refuse(item, &error),
    };
    let mut problems = Problems::default();
    let args = TaskArgs::read(options.clone(), &mut problems);
    let krate = args.krate.or_airlock();
    if let Some(variants) = variants::split(&krate, &options, &function) {
        return variants;
    }
    let mut unfit = Problems::default();
    let parameters = check::signature(&function, &mut unfit);
    check::options(&args, &function, &parameters, &mut problems);
    let inputs = function.sig.inputs.clone();
    function.keep_parameter_attributes(parameter::is_passed_on);
    let fit = unfit.is_empty();
    problems.append(unfit);
    let errors = problems.finish().err();
    if !args.krate.is_sound() {
        return quote!(#function #errors);
    }
    // The lint asks for references, which a task can't take.
    let by_value = function.body.as_ref().map(|_| quote!(#[allow(clippy::needless_pass_by_value)]));
    let written = quote!(#by_value #function);
    let task = Task {
        companion: args.companion.get().unwrap_or(&function.sig.ident),
        krate,
        args: &args,
        function: &function,
        parameters: &parameters,
    };
    if !fit {
        // So that its callers are not told about it too.
        let stand_in = stand_in(&task, &inputs);
        return quote!(#written #stand_in #errors);
    }
    match Direct::of(&args, &function, errors.is_some()) {
        Direct::AsWritten => {
            let beside = companion(&task, &TokenStream::new());
            quote!(#written #beside #errors)
        }
        direct => {
            let stub = direct::stub(&task, direct);
            let beside = companion(&task, &direct::inner(&task, direct, &written));
            quote!(#stub #beside #errors)
        }
    }
}

/// All that is known of a task that has no mistakes.
pub(super) struct Task<'a> {
    pub(super) krate: Path,
    pub(super) args: &'a TaskArgs,
    pub(super) function: &'a Function,
    pub(super) parameters: &'a [Parameter],
    pub(super) companion: &'a Ident,
}

impl Task<'_> {
    /// The parameters that a message carries.
    pub(super) fn arguments(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(|parameter| !parameter.is_state())
    }

    pub(super) fn states(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(|parameter| parameter.is_state())
    }
}

/// The companion; `inner` stands where only it is seen from.
fn companion(task: &Task<'_>, inner: &TokenStream) -> TokenStream {
    let Task { krate, args, function, companion, .. } = task;
    let vis = &function.vis;
    let cfgs = function.cfgs();

    let name = args.name.get().map_or_else(|| function.name(), syn::LitStr::value);
    let described = task.arguments().map(|parameter| describe(krate, parameter));
    let options = options(krate, args);
    let extras = extras(task);
    let run = run(task);

    let names: Vec<_> = task.arguments().map(|parameter| &parameter.ident).collect();
    let types: Vec<_> = task.arguments().map(|parameter| &parameter.ty).collect();
    let arguments = format_ident!("arguments_{}", types.len());
    let arguments = quote!(#krate::checks::#arguments::<#(#types),*>());

    quote! {
        #(#cfgs)*
        #[doc(hidden)]
        #[allow(
            dead_code, missing_copy_implementations, missing_debug_implementations, non_camel_case_types,
            unreachable_pub, clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction
        )]
        #vis struct #companion {}

        #(#cfgs)*
        #[allow(
            dead_code, deprecated, private_bounds, private_interfaces, unreachable_pub, unused_qualifications,
            clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction
        )]
        const _: () = {
            #inner

            static __AIRLOCK_TASK: #krate::__private::TaskEntry<(#(#types,)*)> = #krate::__private::TaskEntry::new(
                #name,
                &[#(#described),*],
                #options,
                #krate::__private::module_path!(),
                #run,
                #arguments,
            ) #extras;

            impl #companion {
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
            impl __AirlockTyped for #companion {
                type Args = (#(#types,)*);
                fn entry() -> &'static #krate::__private::TaskEntry<Self::Args> {
                    &__AIRLOCK_TASK
                }
            }

            #[automatically_derived]
            impl<__AirlockArgs: #krate::Args> #krate::Task for #companion
            where
                #companion: __AirlockTyped<Args = __AirlockArgs>,
            {
                type Args = __AirlockArgs;
                const NAME: &'static #krate::__private::str = #name;

                fn __entry() -> &'static #krate::__private::TaskEntry<Self::Args> {
                    <#companion as __AirlockTyped>::entry()
                }
            }

            #krate::__private::inventory::submit! {
                #krate::__private::Registration(|| __AIRLOCK_TASK.erased())
            }
        };
    }
}

fn describe(krate: &Path, parameter: &Parameter) -> TokenStream {
    let (name, ty) = (parameter.name(), spelling(&parameter.ty));
    let described = quote!(#krate::__private::Parameter::new(#name, #ty));
    let Role::Argument { redacted, default } = &parameter.role else { return described };
    let shown = default.as_ref().map(|default| match default {
        _ if *redacted => "***".to_owned(),
        DefaultValue::OfType(_) => "Default::default()".to_owned(),
        DefaultValue::Expression(value) => spelling(value),
    });
    let default = shown.map(|shown| quote!(.default(#shown)));
    let redacted = redacted.then(|| quote!(.redacted()));
    quote!(#described #redacted #default)
}

/// What only some tasks have.
fn extras(task: &Task<'_>) -> TokenStream {
    let Task { krate, args, .. } = task;
    let aliases = args.aliases.get().map(|aliases| quote!(.aliases(&[#(#aliases),*])));
    let local = args.local.key().map(|_| quote!(.local()));
    let positional = args.positional.key().map(|_| quote!(.positional()));
    let states: Vec<_> = task
        .states()
        .map(|state| {
            let (name, ty, spelled) = (state.name(), &state.ty, spelling(&state.ty));
            let (place, krate) = (at(ty.span()), path_at(krate, ty.span()));
            quote_spanned!(place=> #krate::checks::StateParameter::of::<#ty>(#name, #spelled))
        })
        .collect();
    let states = (!states.is_empty()).then(|| quote!(.state(&[#(#states),*])));
    let defaults: Vec<_> =
        task.arguments().enumerate().filter_map(|(index, parameter)| default(krate, index, parameter)).collect();
    let defaults = (!defaults.is_empty()).then(|| {
        quote! {
            .defaults(|__airlock_index| match __airlock_index {
                #(#defaults)*
                _ => #krate::__private::None,
            })
        }
    });
    quote!(#aliases #local #positional #states #defaults)
}

/// The arm that makes the default of a parameter.
fn default(krate: &Path, index: usize, parameter: &Parameter) -> Option<TokenStream> {
    let Role::Argument { default: Some(default), .. } = &parameter.role else { return None };
    let ty = &parameter.ty;
    let value = match default {
        DefaultValue::OfType(place) => {
            let krate = path_at(krate, *place);
            quote_spanned!(at(*place)=> <#ty as #krate::__private::Default>::default())
        }
        DefaultValue::Expression(value) => quote!(#value),
    };
    Some(quote! {
        #index => {
            let __airlock_value: #ty = #value;
            #krate::__private::Some(#krate::__private::Box::new(__airlock_value))
        }
    })
}

fn options(krate: &Path, args: &TaskArgs) -> TokenStream {
    let delivery = [args.queue.key(), args.priority.key(), args.max_retries.key()];
    let times = [args.delay.key(), args.expires.key(), args.timeout.key()];
    if delivery.iter().chain(&times).all(Option::is_none) {
        return quote!(#krate::__private::Options::new());
    }
    let duration = |slot: &Slot<_>| optional(krate, slot.get().map(|duration| duration_tokens(krate, *duration)));
    let queue = optional(krate, args.queue.get());
    let priority = optional(krate, args.priority.get());
    let max_retries = optional(krate, args.max_retries.get());
    let [delay, expires, timeout] = [&args.delay, &args.expires, &args.timeout].map(duration);
    quote! {
        #krate::__private::Options::of_attribute(#queue, #priority, #max_retries, #delay, #expires, #timeout)
    }
}
