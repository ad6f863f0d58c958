//! The rules for tasks that a signature, or a signature and the options together, can break.

use quote::ToTokens;
use syn::{Attribute, ReturnType, Safety, Type};

use crate::args::TaskArgs;
use crate::diag::Problems;
use crate::parameter;
use crate::signature::{Function, PRIMITIVES, Parameter, Role, has_impl};
use crate::spelling::spelling;

const MOST_PARAMETERS: usize = 16;

/// Checks what a function needs to be a task at all, and returns its parameters.
pub(crate) fn signature(function: &Function, problems: &mut Problems) -> Vec<Parameter> {
    qualifiers(function, problems);
    let inputs = &function.sig.inputs;
    let parameters: Vec<_> = inputs.iter().filter_map(|input| parameter::check(input, problems)).collect();
    let arguments: Vec<_> = parameters.iter().filter(|parameter| !parameter.is_state()).collect();
    if let Some(extra) = arguments.get(MOST_PARAMETERS) {
        let count = arguments.len();
        let message = format!("takes {count} parameters; a task has at most {MOST_PARAMETERS}; put them into a struct");
        problems.push(&extra.ident, message);
    }
    for (index, parameter) in arguments.iter().enumerate() {
        let name = parameter.wire_name();
        let is_taken = arguments[..index].iter().any(|earlier| earlier.wire_name() == name);
        // Two parameters of one name in Rust are the compiler's to report.
        if is_taken && arguments[..index].iter().all(|earlier| earlier.ident != parameter.ident) {
            problems.push(&parameter.ident, format!("messages already have a parameter `{name}`; name one otherwise"));
        }
    }
    parameters
}

/// Checks the options beside each other and beside the function.
pub(crate) fn options(args: &TaskArgs, function: &Function, parameters: &[Parameter], problems: &mut Problems) {
    names(args, function, problems);
    if hides_a_type(args, function) {
        let ident = &function.sig.ident;
        let message = format!(
            "the task's companion would hide the type `{ident}`; give it another name, like `companion = Send`"
        );
        problems.push(ident, message);
    }
    times(args, problems);
    local(args, problems);
    direct_calls(args, function, problems);
    if function.body.is_none() {
        declaration(args, function, parameters, problems);
    }
    positions(args, function, parameters, problems);
}

/// Whether the companion would stand for a type that all code beside it uses.
pub(crate) fn hides_a_type(args: &TaskArgs, function: &Function) -> bool {
    let name = function.sig.ident.to_string();
    args.companion.key().is_none() && (name == "str" || PRIMITIVES.contains(&&*name))
}

/// Checks a function that becomes a scope.
pub(crate) fn scoped(function: &Function, problems: &mut Problems) {
    if let Some(token) = &function.sig.constness {
        problems.push(token, "a `const fn` can't open a scope; remove `const`");
    }
    if function.body.is_none() {
        problems.push(&function.sig, "a scope needs a body to run; put the attribute on the implementation");
    }
}

fn names(args: &TaskArgs, function: &Function, problems: &mut Problems) {
    let mut names = vec![args.name.get().map_or_else(|| function.name(), syn::LitStr::value)];
    for alias in args.aliases.get().into_iter().flatten() {
        if names.contains(&alias.value()) {
            problems.push(alias, format!("the task already has the name {:?}; remove it here", alias.value()));
        }
        names.push(alias.value());
    }
    if let Some(companion) = args.companion.get()
        && *companion == function.sig.ident
    {
        problems
            .push(companion, format!("the companion is called `{companion}` anyway; pick another name or remove it"));
    }
}

fn times(args: &TaskArgs, problems: &mut Problems) {
    if let (Some(delay), Some(expires), Some(key)) = (args.delay.get(), args.expires.get(), args.expires.key())
        && expires <= delay
    {
        problems.push(key, "the task expires before its `delay` is over; make `expires` longer than `delay`");
    }
}

fn local(args: &TaskArgs, problems: &mut Problems) {
    if args.local.key().is_none() {
        return;
    }
    let delivery = [
        args.queue.key(),
        args.priority.key(),
        args.max_retries.key(),
        args.delay.key(),
        args.expires.key(),
        args.timeout.key(),
        args.positional.key(),
    ];
    for key in delivery.into_iter().flatten() {
        problems
            .push(key, format!("a `local` task is never delivered, so `{key}` has no effect; remove one of the two"));
    }
}

/// What a direct call of the function means.
fn direct_calls(args: &TaskArgs, function: &Function, problems: &mut Problems) {
    let (shim, enqueue_only) = (args.shim.key(), args.enqueue_only.key());
    if let (Some(shim), Some(_)) = (shim, enqueue_only) {
        problems.push(shim, "`shim` keeps direct calls working and `enqueue_only` forbids them; remove one of the two");
    }
    let deprecated = function.attrs.iter().find(|attr| attr.path().is_ident("deprecated"));
    if let (Some(_), Some(deprecated)) = (shim, deprecated) {
        problems.push(deprecated, "`shim` deprecates direct calls by itself; remove `#[deprecated]`");
    }
    if let (Some(_), ReturnType::Type(_, ty)) = (shim.or(enqueue_only), &function.sig.output)
        && has_impl(ty.to_token_stream())
    {
        problems.push(ty, "this task's value goes nowhere; return `()` or `Result<(), E>`");
    }
}

/// What arguments by position need.
fn positions(args: &TaskArgs, function: &Function, parameters: &[Parameter], problems: &mut Problems) {
    let Some(key) = args.positional.key() else { return };
    let arguments: Vec<_> = parameters.iter().filter(|parameter| !parameter.is_state()).collect();
    if function.sig.inputs.is_empty() {
        problems.push(key, "the task takes no arguments, so `positional` has no effect; remove it");
    }
    let has_default = |parameter: &&Parameter| matches!(parameter.role, Role::Argument { default: Some(_), .. });
    let early = arguments.iter().rposition(|parameter| !has_default(parameter)).unwrap_or(0);
    if let Some(parameter) = arguments[..early.min(arguments.len())].iter().find(|parameter| has_default(parameter)) {
        let message =
            "only the last arguments of a `positional` message can be missing; move this parameter to the end";
        problems.push(&parameter.ident, message);
    }
}

fn qualifiers(function: &Function, problems: &mut Problems) {
    let sig = &function.sig;
    if let Some(token) = &sig.constness {
        problems.push(token, "a `const fn` can't be a task; remove `const`");
    }
    if let Safety::Unsafe(token) = &sig.safety {
        problems
            .push(token, "an `unsafe fn` can't be a task, as its conditions go unchecked; wrap it in a safe function");
    }
    if let Some(abi) = &sig.abi {
        problems.push(abi, "an `extern fn` can't be a task; wrap it in a plain function");
    }
    if let Some(variadic) = &sig.variadic {
        problems.push(variadic.dots, "a task can't be variadic; take a `Vec<T>`");
    }
    if let ReturnType::Type(_, ty) = &sig.output
        && matches!(**ty, Type::Never(_))
    {
        problems.push(ty, "a task has to end; return `()` or `Result<(), E>` instead of `!`");
    }
    if !sig.generics.params.is_empty() {
        problems.push(&sig.generics, "a task can't be generic; register one task per type");
    } else if let Some(clause) = &sig.generics.where_clause {
        problems.push(clause, "a task can't be generic; remove the `where` clause");
    }
}

/// What a task without a body can't have, because the function is not emitted at all.
fn declaration(args: &TaskArgs, function: &Function, parameters: &[Parameter], problems: &mut Problems) {
    if let Some(key) = args.local.key() {
        problems.push(
            key,
            "a task without a body runs elsewhere, so it can't be `local`; write the body or remove `local`",
        );
    }
    if let Some(key) = args.enqueue_only.key() {
        problems.push(key, "a task without a body can't be called anyway; remove `enqueue_only`");
    }
    if let Some(key) = args.shim.key() {
        problems.push(key, "a task without a body has no calls to keep working; remove `shim`");
    }
    for input in function.sig.inputs.iter().filter(|input| parameter::is_inferred(input)) {
        problems.push(input, "a task's messages are written by its types, which can't be `_`; write the type");
    }
    for state in parameters.iter().filter(|parameter| parameter.is_state()) {
        let message = "a task without a body runs elsewhere, with state of its own; remove the parameter";
        problems.push(&state.ident, message);
    }
    if let ReturnType::Type(_, ty) = &function.sig.output
        && !matches!(&**ty, Type::Tuple(unit) if unit.elems.is_empty())
    {
        problems.push(ty, "a task without a body returns nothing here; remove the return type");
    }
    for attr in &function.attrs {
        if !is_kept(attr) {
            let path = spelling(attr.path());
            problems.push(attr, format!("`{path}` needs a function, and a task without a body leaves none; remove it"));
        }
    }
}

/// Whether an attribute of a task without a body makes sense on its companion.
pub(crate) fn is_kept(attr: &Attribute) -> bool {
    ["doc", "deprecated", "cfg", "cfg_attr", "allow", "expect", "warn", "deny", "forbid"]
        .iter()
        .any(|known| attr.path().is_ident(known))
}
