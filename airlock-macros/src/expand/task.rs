//! A task: the function, and what stands beside it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Path;

use super::companion::companion;
use super::direct::{self, Direct};
use super::placeholder::placeholder;
use super::refuse;
use crate::args::TaskArgs;
use crate::diag::Problems;
use crate::signature::{Function, Parameter};
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
    let mut inputs = function.sig.inputs.clone();
    function.keep_parameter_attributes(parameter::is_passed_on);
    // What the compiler can't infer it says itself, at the function.
    let fit = unfit.is_empty() && !inputs.iter().any(parameter::is_inferred);
    if !fit {
        function.sig.inputs.iter_mut().chain(&mut inputs).for_each(parameter::give_size);
    }
    problems.append(unfit);
    let errors = problems.finish().err();
    if !args.krate.is_sound() {
        return quote!(#function #errors);
    }
    let lints = function.body.as_ref().map(|_| lints(Direct::of(&args, &function, errors.is_some())));
    let written = quote!(#lints #function);
    let task = Task {
        companion: args.companion.get().unwrap_or(&function.sig.ident),
        krate,
        args: &args,
        function: &function,
        parameters: &parameters,
    };
    if check::hides_a_type(&args, &function) {
        return quote!(#written #errors);
    }
    if !fit {
        // So that its callers don't get the same error too.
        let placeholder = placeholder(&task, &inputs);
        return quote!(#written #placeholder #errors);
    }
    let direct = Direct::of(&args, &function, errors.is_some());
    let (item, block) = companion(&task, direct);
    let place = task.krate.segments.last().map_or_else(Span::call_site, |last| last.ident.span());
    let krate = &task.krate;
    let beside = |items: TokenStream| quote_spanned!(place=> #[#krate::checks::beside(#items)]);
    if direct == Direct::AsWritten {
        let beside = beside(block);
        quote!(#written #beside #item #errors)
    } else {
        let (stub, cfgs) = (direct::stub(&task, direct), function.cfgs());
        // The function lies where only its companion sees it, under no lint levels but its own.
        let beside = beside(quote!(#stub #(#cfgs)* const _: () = { #written #block };));
        quote!(#beside #item #errors)
    }
}

/// What lints are not to ask of the function: for references where a task can't take them, for values where state is
/// borrowed, and who calls it; said to clippy alone, as by [`unjudged`](super::unjudged). Where only its companion sees it,
/// also what they don't ask of a public function.
fn lints(direct: Direct) -> TokenStream {
    let own = quote! {
        #[cfg_attr(
            clippy,
            allow(clippy::needless_pass_by_value, clippy::single_call_fn, clippy::trivially_copy_pass_by_ref)
        )]
    };
    if direct == Direct::AsWritten {
        return own;
    }
    quote! {
        #own
        #[allow(unreachable_pub)]
        #[cfg_attr(
            clippy,
            allow(
                clippy::box_collection,
                clippy::large_types_passed_by_value,
                clippy::linkedlist,
                clippy::option_option,
                clippy::rc_buffer,
                clippy::rc_mutex,
                clippy::redundant_allocation,
                clippy::ref_option,
                clippy::unnecessary_wraps,
                clippy::vec_box
            )
        )]
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
