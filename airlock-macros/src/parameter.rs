//! The rules for one parameter: its attributes, its name, its type.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, GenericArgument, Ident, LitStr, Meta, Pat, PatType, PathArguments, Type};

use crate::borrow;
use crate::diag::{Problems, nearest};
use crate::entry::peel;
use crate::signature::{DefaultValue, Parameter, Role, has_impl};
use crate::sizes;
use crate::spelling::spelling;
use crate::values::{LONGEST_NAME, string};

/// The parameter attributes:
///
/// ```text
/// #[redact]    #[default]    #[default = expr]    #[name = "from"]    #[state]
/// ```
const KNOWN: [&str; 4] = ["default", "name", "redact", "state"];

/// Checks a parameter, and returns it.
pub(crate) fn check(input: &FnArg, problems: &mut Problems) -> Option<Parameter> {
    let input = match input {
        FnArg::Typed(input) => input,
        FnArg::Receiver(receiver) => {
            problems.push(receiver, "a method can't be a task; move it to a free function that takes what it needs");
            return None;
        }
    };
    let attributes = Attributes::read(&input.attrs, problems);
    let (role, ty) = match attributes.state {
        Some(_) => (Role::State, state_type(&input.ty, problems)),
        None => {
            let Attributes { redact, default, name, .. } = attributes;
            // Who misspells an attribute may have meant one that makes the type right.
            if !attributes.unknown {
                let stored = sizes::check(&input.ty, problems);
                if stored {
                    borrow::check(&input.ty, problems);
                }
            }
            let default = default.and_then(|default| problems.keep(default_value(default)));
            let wire_name = name.and_then(|name| problems.keep(wire_name(name)));
            (Role::Argument { redacted: redact.is_some(), default, wire_name }, Some((*input.ty).clone()))
        }
    };
    Some(Parameter { ident: plain_name(input, problems)?, ty: ty?, role })
}

/// Whether an attribute of a parameter is the compiler's business.
pub(crate) fn is_passed_on(attr: &Attribute) -> bool {
    ["allow", "expect", "warn", "deny", "forbid", "doc"].iter().any(|known| attr.path().is_ident(known))
}

/// Whether the process gives the parameter, as far as it says so.
pub(crate) fn is_state(input: &FnArg) -> bool {
    matches!(input, FnArg::Typed(input) if input.attrs.iter().any(|attr| attr.path().is_ident("state")))
}

/// Whether the type of a parameter is left to the compiler, which can't know it.
pub(crate) fn is_inferred(input: &FnArg) -> bool {
    fn has_blank(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|tree| match tree {
            TokenTree::Group(group) => group.delimiter() != Delimiter::Brace && has_blank(group.stream()),
            TokenTree::Ident(word) => word == "_",
            _ => false,
        })
    }
    matches!(input, FnArg::Typed(input) if has_blank(input.ty.to_token_stream()))
}

/// Gives a parameter that has been reported a type that can be one: the compiler would report it again.
pub(crate) fn give_size(input: &mut FnArg) {
    if let FnArg::Typed(input) = input {
        sizes::give(&mut input.ty);
    }
}

#[derive(Default)]
struct Attributes<'a> {
    redact: Option<&'a Attribute>,
    default: Option<&'a Attribute>,
    name: Option<&'a Attribute>,
    state: Option<&'a Attribute>,
    unknown: bool,
}

impl<'a> Attributes<'a> {
    fn read(attrs: &'a [Attribute], problems: &mut Problems) -> Self {
        let mut found = Self::default();
        for attr in attrs.iter().filter(|attr| !is_passed_on(attr)) {
            let name = spelling(attr.path());
            let slot = match name.as_str() {
                "redact" => &mut found.redact,
                "default" => &mut found.default,
                "name" => &mut found.name,
                "state" => &mut found.state,
                "cfg" | "cfg_attr" => {
                    let then = if name == "cfg" { "" } else { ", redact" };
                    let form = format!("#[{name}(feature = \"…\"{then})]");
                    problems.push(attr, format!("`{name}` needs a condition; write `{form}`"));
                    continue;
                }
                _ => {
                    found.unknown = true;
                    let last = attr.path().segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
                    let hint = nearest(&last, &KNOWN).map_or_else(
                        || format!("expected one of `{}`", KNOWN.join("`, `")),
                        |known| format!("did you mean `{known}`?"),
                    );
                    problems.push(attr, format!("unknown parameter attribute `{name}`; {hint}"));
                    continue;
                }
            };
            if slot.replace(attr).is_some() {
                problems.push(attr, format!("`{name}` is set twice; keep one"));
            } else if !["default", "name"].contains(&name.as_str()) && attr.meta.require_path_only().is_err() {
                problems.push(attr, format!("`{name}` takes no value; write `#[{name}]`"));
            }
        }
        if found.state.is_some() {
            for other in [found.redact, found.default, found.name].into_iter().flatten() {
                let name = spelling(other.path());
                let message =
                    format!("no message carries `#[state]`, so `{name}` has no effect; remove one of the two");
                problems.push(other, message);
            }
        }
        found
    }
}

fn default_value(attr: &Attribute) -> syn::Result<DefaultValue> {
    match &attr.meta {
        Meta::Path(path) => Ok(DefaultValue::OfType(path.span())),
        Meta::NameValue(pair) => Ok(DefaultValue::Expression(peel(&pair.value).clone())),
        Meta::List(_) => {
            Err(syn::Error::new_spanned(attr, "`default` has its value after `=`; write `#[default = …]`"))
        }
    }
}

/// What messages call the parameter.
fn wire_name(attr: &Attribute) -> syn::Result<LitStr> {
    let refuse = |message: String| Err(syn::Error::new_spanned(attr, message));
    let text = match &attr.meta {
        Meta::NameValue(pair) => string(peel(&pair.value)),
        _ => None,
    };
    let Some(name) = text else {
        return refuse("a parameter's `name` is a string; write `#[name = \"from\"]`".to_owned());
    };
    let (value, length) = (name.value(), name.value().chars().count());
    if value.is_empty() {
        refuse("a parameter's `name` can't be empty; leave it out or write one".to_owned())
    } else if length > LONGEST_NAME {
        refuse(format!("a parameter's `name` has at most {LONGEST_NAME} characters; this one has {length}"))
    } else if value.contains(|c: char| c.is_whitespace() || c.is_control() || c == '"' || c == '\\') {
        refuse("a parameter's `name` has no spaces, quotes or backslashes; write it like \"from\"".to_owned())
    } else {
        Ok(name)
    }
}

/// What a `#[state]` parameter borrows.
fn state_type(ty: &Type, problems: &mut Problems) -> Option<Type> {
    let ty = unwrapped(ty);
    let Type::Reference(reference) = ty else {
        let message =
            format!("`#[state]` is borrowed from the process; write `&{}`", spelling(shared(ty).unwrap_or(ty)));
        problems.push(ty, message);
        return None;
    };
    let inner = unwrapped(&reference.elem);
    if reference.mutability.is_some() {
        let message =
            format!("tasks share `#[state]`, so it can't be `mut`; write `&{}` with a lock in it", spelling(inner));
        problems.push(ty, message);
        return None;
    }
    if let Some(lifetime) = &reference.lifetime {
        problems.push(lifetime, format!("`#[state]` is borrowed for one call; write `&{}`", spelling(inner)));
        return None;
    }
    if has_impl(inner.to_token_stream()) {
        let message = "`#[state]` is found by its type; write `&dyn Trait` instead of `impl Trait`";
        problems.push(ty, message);
        return None;
    }
    Some(inner.clone())
}

/// What an `Arc`, a `Box` or an `Option` holds: the process may keep the value in one, and tasks borrow what is in it.
fn shared(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let last =
        path.path.segments.last().filter(|last| ["Arc", "Box", "Option"].iter().any(|known| last.ident == known))?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first() {
        Some(GenericArgument::Type(Type::Reference(reference))) => Some(&reference.elem),
        Some(GenericArgument::Type(inner)) => Some(inner),
        _ => None,
    }
}

/// The type in parentheses, or in the invisible group of a `macro_rules` variable.
fn unwrapped(ty: &Type) -> &Type {
    match ty {
        Type::Paren(inner) => unwrapped(&inner.elem),
        Type::Group(inner) => unwrapped(&inner.elem),
        _ => ty,
    }
}

fn plain_name(input: &PatType, problems: &mut Problems) -> Option<Ident> {
    match &*input.pat {
        Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => Some(name.ident.clone()),
        _ => {
            pattern(input, problems);
            None
        }
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
