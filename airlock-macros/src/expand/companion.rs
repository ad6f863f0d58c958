//! The companion of a task: a static definition, the ways to enqueue it, and the registration.
//!
//! All of it is data and calls: a task costs the compiler little more than its parameters. Names come from one import
//! that no other item has.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::direct::{self, Direct};
use super::naming::Naming;
use super::run::run;
use super::task::Task;
use super::{at, unjudged};
use crate::args::{Slot, TaskArgs};
use crate::signature::{DefaultValue, Parameter, Role};
use crate::spelling::spelling;
use crate::values::duration_tokens;

const ENQUEUE: &str = "Records the wish to run this task in the current scope. It runs once the scope has ended well.\n\n\
                       # Errors\nThere is no scope, it has ended, or a policy refuses.";
const ENQUEUE_WITH: &str = "As `enqueue`, with options that override those of the attribute.\n\n\
                            # Errors\nThere is no scope, it has ended, or a policy refuses.";
const INTENT: &str = "The wish to run this task, not in any scope yet.";

/// What the import is called, at a place in the user's code.
pub(super) fn airlock(place: Span) -> Ident {
    Ident::new("__airlock", at(place))
}

/// The companion's type, and the block with all that there is of it.
pub(super) fn companion(task: &Task<'_>, direct: Direct) -> (TokenStream, TokenStream) {
    let Task { krate, args, function, companion, .. } = task;
    let vis = &function.vis;
    // If there is no such thing, the error stands at the path the user gave.
    let place = krate.segments.last().map_or_else(Span::call_site, |last| last.ident.span());
    let checks = quote_spanned!(place=> #krate::checks);
    let (cfgs, lints, deprecated) = (function.cfgs(), function.allowed(), function.deprecated());

    let name = args.name.get().map_or_else(|| function.name(), syn::LitStr::value);
    let described = task.arguments().map(describe);
    let (run, way_to_run) = run(task);
    let names: Vec<_> = task.arguments().map(|parameter| &parameter.ident).collect();
    let types: Vec<_> = task.arguments().map(|parameter| &parameter.ty).collect();
    let make = format_ident!("task_{}", types.len());
    let known = quote!(&__AIRLOCK_TASK, #name, __airlock::module_path!(), &[#(#described),*], #run);
    let options = options(args);
    let options_set = options.as_ref().map(|_| quote!(.options(&__AIRLOCK_OPTIONS)));
    let options = options.map(|options| quote!(static __AIRLOCK_OPTIONS: __airlock::Options = #options;));
    let extras = extras(task);
    let inner_call = (direct == Direct::Shimmed).then(|| direct::inner_call(task));

    let naming = Naming::of(&types, vis);
    let implementation = implementation(task, &types, naming);
    // To take it from the trait costs less, but also asks whether the types are arguments, and would be reported once more.
    let definition = match naming {
        Naming::Known => quote!(<#companion as __airlock::Task>::DEFINITION),
        Naming::LikeKnown | Naming::Other(_) => quote!(&__AIRLOCK_TASK.definition),
    };

    let place = at(naming.place());
    // Of the types of others, so that what is wrong with those is reported where they are named, and not here again.
    let args = match naming {
        Naming::Known | Naming::LikeKnown => quote!((#(#types,)*)),
        Naming::Other(_) => quote_spanned!(place=> <#companion as __AirlockTyped>::Args),
    };

    // The call is where the definition says that the task is.
    let made = quote!(__airlock::#make::<#(#types),*>(#known) #options_set #extras);
    let entry = quote_spanned!(place=> static __AIRLOCK_TASK: __airlock::TaskEntry<#args> = #made;);
    let unjudged = unjudged();
    let item = quote! {
        #(#cfgs)*
        #(#lints)*
        #deprecated
        #[doc(hidden)]
        #[allow(dead_code, missing_debug_implementations, non_camel_case_types, unreachable_pub)]
        #unjudged
        #vis struct #companion {}
    };
    let block = quote! {
        #(#cfgs)*
        #(#lints)*
        #[allow(dead_code, deprecated, non_snake_case, private_interfaces, unreachable_code)]
        #unjudged
        const _: () = {
            use #checks as __airlock;

            #options
            #way_to_run
            #entry

            impl #companion {
                #[doc = #ENQUEUE]
                #[track_caller]
                #vis fn enqueue(#(#names: #types),*) -> __airlock::Enqueued {
                    __airlock::enqueue(&__AIRLOCK_TASK, (#(#names,)*))
                }

                #[doc = #ENQUEUE_WITH]
                #[track_caller]
                #vis fn enqueue_with(
                    __airlock_options: __airlock::Options #(, #names: #types)*
                ) -> __airlock::Enqueued {
                    __airlock::enqueue_with(&__AIRLOCK_TASK, __airlock_options, (#(#names,)*))
                }

                #[doc = #INTENT]
                #[track_caller]
                #[must_use]
                #vis fn intent(#(#names: #types),*) -> __airlock::Intent {
                    __airlock::make_intent(&__AIRLOCK_TASK, (#(#names,)*))
                }

                #inner_call
            }

            #implementation

            __airlock::inventory::submit! { #definition }
        };
    };
    (item, block)
}

/// What makes the companion a task in the eyes of generic code.
fn implementation(task: &Task<'_>, types: &[&Type], naming: Naming) -> TokenStream {
    let companion = task.companion;
    let items = quote! {
        const DEFINITION: &'static __airlock::TaskDefinition = &__AIRLOCK_TASK.definition;
    };
    // Where the compiler finds a lifetime that is left out, which it can't say of one type of several.
    let place = at(naming.place());
    let airlock = airlock(place);
    let (typed, bound) = match naming {
        Naming::Known => {
            return quote!(impl __airlock::Task for #companion { type Args = (#(#types,)*); #items });
        }
        // Always so: it says which type that is, in a bound, where the compiler does not ask who may name it.
        Naming::LikeKnown => (None, quote!(fn((#(#types,)*)): #airlock::NoLifetimeLeftOut<Type = __AirlockArgs>)),
        Naming::Other(_) => {
            (Some(typed(companion, types, place)), quote!(#companion: __AirlockTyped<Args = __AirlockArgs>))
        }
    };
    // Names the types where an implementation may: an argument may be less visible than its task, and the types of a
    // public trait's implementation may not. Nor is the compiler asked once more whether they are arguments.
    quote_spanned! {place=>
        #typed

        impl<__AirlockArgs: #airlock::Args> #airlock::Task for #companion
        where
            #bound,
        {
            type Args = __AirlockArgs;
            #items
        }
    }
}

/// A trait more, by which the compiler says of each type whether it leaves out a lifetime.
fn typed(companion: &Ident, types: &[&Type], place: Span) -> TokenStream {
    let args = types.iter().map(|ty| {
        let airlock = airlock(ty.span());
        quote_spanned!(at(ty.span())=> <fn(#ty) as #airlock::NoLifetimeLeftOut>::Type)
    });
    quote_spanned! {place=>
        trait __AirlockTyped {
            type Args;
        }

        impl __AirlockTyped for #companion {
            type Args = (#(#args,)*);
        }
    }
}

fn describe(parameter: &Parameter) -> TokenStream {
    let (name, wire_name, ty) = (parameter.name(), parameter.wire_name(), spelling(&parameter.ty));
    let described = quote!(__airlock::Parameter::new(#wire_name, #ty));
    let Role::Argument { redacted, default, .. } = &parameter.role else { return described };
    let shown = default.as_ref().map(|default| match default {
        _ if *redacted => "***".to_owned(),
        DefaultValue::OfType(_) => "Default::default()".to_owned(),
        DefaultValue::Expression(value) => spelling(value),
    });
    let default = shown.map(|shown| quote!(.default(#shown)));
    let redacted = redacted.then(|| quote!(.redacted()));
    let renamed = (name != wire_name).then(|| quote!(.of_ident(#name)));
    quote!(#described #redacted #default #renamed)
}

/// What only some tasks have.
fn extras(task: &Task<'_>) -> TokenStream {
    let (args, function) = (task.args, task.function);
    let kind = match (&function.body, function.sig.asyncness) {
        (None, _) => Some(quote!(.elsewhere())),
        (Some(_), Some(_)) => Some(quote!(.asynchronous())),
        (Some(_), None) => None,
    };
    let aliases = args.aliases.get().map(|aliases| quote!(.aliases(&[#(#aliases),*])));
    let local = args.local.key().map(|_| quote!(.local()));
    let positional = args.positional.key().map(|_| quote!(.positional()));
    let states: Vec<_> = task.states().map(state).collect();
    let states = (!states.is_empty()).then(|| quote!(.state(&[#(#states),*])));
    let defaults: Vec<_> =
        task.arguments().enumerate().filter_map(|(index, parameter)| default(index, parameter)).collect();
    let defaults = (!defaults.is_empty()).then(|| {
        quote! {
            .defaults(|__airlock_index| match __airlock_index {
                #(#defaults)*
                _ => __airlock::None,
            })
        }
    });
    quote!(#kind #aliases #local #positional #states #defaults)
}

fn state(state: &Parameter) -> TokenStream {
    let (name, ty, spelled) = (state.name(), &state.ty, spelling(&state.ty));
    let airlock = airlock(ty.span());
    quote_spanned!(at(ty.span())=> #airlock::StateParameter::of::<#ty>(#name, #spelled))
}

/// The arm that makes the default of a parameter.
fn default(index: usize, parameter: &Parameter) -> Option<TokenStream> {
    let Role::Argument { default: Some(default), .. } = &parameter.role else { return None };
    let ty = &parameter.ty;
    let value = match default {
        DefaultValue::OfType(place) => {
            let airlock = airlock(*place);
            quote_spanned!(at(*place)=> <#ty as #airlock::Default>::default())
        }
        DefaultValue::Expression(value) => quote!(#value),
    };
    Some(quote! {
        #index => {
            let __airlock_value: #ty = #value;
            __airlock::Some(__airlock::Box::new(__airlock_value))
        }
    })
}

/// The delivery options, if any is set.
fn options(args: &TaskArgs) -> Option<TokenStream> {
    fn optional(value: Option<impl ToTokens>) -> TokenStream {
        value.map_or_else(|| quote!(__airlock::None), |value| quote!(__airlock::Some(#value)))
    }
    let delivery = [args.queue.key(), args.priority.key(), args.max_retries.key()];
    let times = [args.delay.key(), args.expires.key(), args.timeout.key()];
    if delivery.iter().chain(&times).all(Option::is_none) {
        return None;
    }
    let duration = |slot: &Slot<_>| optional(slot.get().map(|value| duration_tokens(&quote!(__airlock), *value)));
    let (queue, priority) = (optional(args.queue.get()), optional(args.priority.get()));
    let max_retries = optional(args.max_retries.get());
    let [delay, expires, timeout] = [&args.delay, &args.expires, &args.timeout].map(duration);
    Some(quote!(__airlock::Options::of_attribute(#queue, #priority, #max_retries, #delay, #expires, #timeout)))
}
