//! A task: the function, and what stands beside it.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
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
    let inputs = function.sig.inputs.clone();
    function.keep_parameter_attributes(parameter::is_passed_on);
    let fit = unfit.is_empty();
    problems.append(unfit);
    let errors = problems.finish().err();
    if !args.krate.is_sound() {
        return quote!(#function #errors);
    }
    // These lints ask for references where a task can't take them, and for values where state is borrowed.
    let lints = quote!(#[allow(clippy::needless_pass_by_value, clippy::trivially_copy_pass_by_ref)]);
    let lints = function.body.as_ref().map(|_| lints);
    let written = quote!(#lints #function);
    let task = Task {
        companion: args.companion.get().unwrap_or(&function.sig.ident),
        krate,
        args: &args,
        function: &function,
        parameters: &parameters,
    };
    if !fit {
        // So that its callers don't get the same error too.
        let placeholder = placeholder(&task, &inputs);
        return quote!(#written #placeholder #errors);
    }
    match Direct::of(&args, &function, errors.is_some()) {
        direct @ Direct::AsWritten => {
            let (item, block) = companion(&task, direct);
            quote!(#written #item #block #errors)
        }
        direct => {
            let (item, block) = companion(&task, direct);
            let (stub, cfgs) = (direct::stub(&task, direct), function.cfgs());
            // The function lies where only its companion sees it, under no lint levels but its own.
            quote!(#stub #item #(#cfgs)* const _: () = { #written #block }; #errors)
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
