//! The rules for tasks that a signature, or a signature and the options together, can break.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, FnArg, Lifetime, Pat, PatType, ReturnType, Safety, Type, TypeReference};

use crate::args::TaskArgs;
use crate::diag::Problems;
use crate::signature::{Function, Parameter, cfg_of};
use crate::spelling::spelling;

const MOST_PARAMETERS: usize = 16;

/// Checks a task, and returns its parameters.
pub(crate) fn task(args: &TaskArgs, function: &Function, problems: &mut Problems) -> Vec<Parameter> {
    options(args, function, problems);
    qualifiers(function, problems);
    if function.body.is_none() {
        declaration(args, function, problems);
    }
    if let Some(extra) = function.sig.inputs.iter().nth(MOST_PARAMETERS) {
        let count = function.sig.inputs.len();
        let message = format!("takes {count} parameters; a task has at most {MOST_PARAMETERS}; put them into a struct");
        problems.push(extra, message);
    }
    function.sig.inputs.iter().filter_map(|input| parameter(input, problems)).collect()
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

/// Whether an attribute of a parameter is the compiler's business.
pub(crate) fn is_passed_on(attr: &Attribute) -> bool {
    ["cfg", "cfg_attr", "allow", "expect", "warn", "deny", "forbid", "doc"]
        .iter()
        .any(|known| attr.path().is_ident(known))
}

fn options(args: &TaskArgs, function: &Function, problems: &mut Problems) {
    let mut names = vec![args.name.get().map_or_else(|| function.name(), syn::LitStr::value)];
    for alias in args.aliases.get().into_iter().flatten() {
        if names.contains(&alias.value()) {
            problems.push(alias, format!("the task already has the name {:?}; remove it here", alias.value()));
        }
        names.push(alias.value());
    }
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
    ];
    for key in delivery.into_iter().flatten() {
        problems
            .push(key, format!("a `local` task is never delivered, so `{key}` has no effect; remove one of the two"));
    }
}

fn qualifiers(function: &Function, problems: &mut Problems) {
    let sig = &function.sig;
    if let Some(token) = &sig.constness {
        problems.push(token, "a `const fn` can't be a task; remove `const`");
    }
    if let Safety::Unsafe(token) = &sig.safety {
        problems
            .push(token, "an `unsafe fn` can't be a task, nobody checks its conditions; wrap it in a safe function");
    }
    if let Some(abi) = &sig.abi {
        problems.push(abi, "an `extern fn` can't be a task; wrap it in a plain function");
    }
    if let Some(variadic) = &sig.variadic {
        problems.push(variadic.dots, "a task can't be variadic; take a `Vec<T>`");
    }
    if !sig.generics.params.is_empty() {
        problems.push(&sig.generics, "a task can't be generic; register one task per type");
    } else if let Some(clause) = &sig.generics.where_clause {
        problems.push(clause, "a task can't be generic; remove the `where` clause");
    }
}

/// What a task without a body can't have, because the function is not emitted at all.
fn declaration(args: &TaskArgs, function: &Function, problems: &mut Problems) {
    if let Some(key) = args.local.key() {
        problems.push(
            key,
            "a task without a body runs elsewhere, so it can't be `local`; write the body or remove `local`",
        );
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
    ["doc", "deprecated", "cfg", "cfg_attr", "allow", "warn", "deny", "forbid"]
        .iter()
        .any(|known| attr.path().is_ident(known))
}

fn parameter(input: &FnArg, problems: &mut Problems) -> Option<Parameter> {
    let input = match input {
        FnArg::Typed(input) => input,
        FnArg::Receiver(receiver) => {
            problems.push(receiver, "a method can't be a task; move it to a free function that takes what it needs");
            return None;
        }
    };
    let mut redacted = false;
    for attr in &input.attrs {
        if attr.path().is_ident("redact") {
            redact(attr, redacted, problems);
            redacted = true;
        } else {
            foreign_attribute(attr, problems);
        }
    }
    borrowed(&input.ty, problems);
    match &*input.pat {
        Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => {
            Some(Parameter { ident: name.ident.clone(), ty: (*input.ty).clone(), redacted })
        }
        _ => {
            pattern(input, problems);
            None
        }
    }
}

fn redact(attr: &Attribute, again: bool, problems: &mut Problems) {
    if again {
        problems.push(attr, "`redact` is set twice; keep one");
    } else if attr.meta.require_path_only().is_err() {
        problems.push(attr, "`redact` takes no value; write `#[redact]`");
    }
}

fn foreign_attribute(attr: &Attribute, problems: &mut Problems) {
    if cfg_of(attr).is_some() {
        problems
            .push(attr, "a task takes the same parameters in every build; put `cfg` on the function, once per variant");
    } else if !is_passed_on(attr) {
        let path = spelling(attr.path());
        problems.push(attr, format!("unknown parameter attribute `{path}`; expected `redact`"));
    }
}

fn pattern(input: &PatType, problems: &mut Problems) {
    let ty = spelling(&input.ty);
    let remedy = match &*input.pat {
        Pat::Wild(_) => format!("write `_unused: {ty}`"),
        Pat::Ident(name) if name.subpat.is_none() => format!("write `{}: {ty}`", name.ident),
        Pat::Tuple(tuple) if tuple.elems.len() == 2 => format!("take `pair: {ty}` and destructure it in the body"),
        _ => format!("take `value: {ty}` and destructure it in the body"),
    };
    problems.push(&input.pat, format!("task parameters need a plain name; {remedy}"));
}

/// The first thing in a type that borrows, or that is no type of its own.
///
/// Works on tokens: what is looked for can stand at any depth, and in types `&`, `'a` and `impl` mean only one thing.
fn borrowed(ty: &Type, problems: &mut Problems) {
    if let Some(error) = find_borrow(ty.to_token_stream()) {
        problems.absorb(error);
    }
}

fn find_borrow(tokens: TokenStream) -> Option<syn::Error> {
    const STORED: &str = "task arguments are stored, so they can't borrow";

    let mut trees = tokens.into_iter().peekable();
    while let Some(tree) = trees.next() {
        match &tree {
            TokenTree::Punct(mark) if mark.as_char() == '&' => {
                let rest: TokenStream = [tree].into_iter().chain(trees).collect();
                let reference = leading_reference.parse2(rest.clone()).ok();
                let message = reference.as_ref().and_then(owned).map_or_else(
                    || format!("{STORED}; own the value"),
                    |(owned, reference)| format!("{STORED}; use `{owned}` instead of `{reference}`"),
                );
                let at = reference.map_or(rest, ToTokens::into_token_stream);
                return Some(syn::Error::new_spanned(at, message));
            }
            TokenTree::Punct(mark) if mark.as_char() == '\'' => {
                let Some(TokenTree::Ident(name)) = trees.peek() else { continue };
                if name != "static" {
                    let lifetime = Lifetime { apostrophe: mark.span(), ident: name.clone() };
                    return Some(syn::Error::new_spanned(lifetime, format!("{STORED}; own the value")));
                }
            }
            TokenTree::Ident(word) if word == "impl" => {
                let message = "task arguments are stored, so they need a type of their own; name it instead of `impl`";
                return Some(syn::Error::new_spanned(word, message));
            }
            // Braces hold constants, not types; so does what follows the semicolon of an array.
            TokenTree::Group(group) if group.delimiter() != Delimiter::Brace => {
                let inner = group.stream().into_iter();
                let types = inner.take_while(|tree| !matches!(tree, TokenTree::Punct(mark) if mark.as_char() == ';'));
                if let Some(error) = find_borrow(types.collect()) {
                    return Some(error);
                }
            }
            _ => {}
        }
    }
    None
}

fn leading_reference(input: ParseStream<'_>) -> syn::Result<TypeReference> {
    let reference = input.parse()?;
    input.parse::<TokenStream>()?;
    Ok(reference)
}

/// The owned type to use instead of a reference, and the reference, both as text.
fn owned(reference: &TypeReference) -> Option<(String, String)> {
    let owned = match &*reference.elem {
        Type::Path(path) if path.path.is_ident("str") => "String".to_owned(),
        Type::Slice(slice) => format!("Vec<{}>", spelling(&slice.elem)),
        _ => return None,
    };
    Some((owned, spelling(reference)))
}
