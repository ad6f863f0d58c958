//! When the parameters of a `#[scoped]` function are dropped: as in the plain function, after the body has ended, and
//! before the scope does, whether or not the body names them.
//!
//! A closure and an `async` block take along only what they name, and of that only the fields they name. So the body
//! begins by taking all of them, in the way in which the compiler takes those of an `async fn`:
//!
//! ```text
//! fn pay(mut order: Order, (id, _): (u64, Guard)) { … }
//!
//! let mut order = order;
//! let id = id;                    // the whole pair, under the only name in its pattern
//! let (id, _) = id;
//! ```

use proc_macro2::{Spacing, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, Pat, PatIdent, PatType, Receiver, ReceiverKind, Type, parse_quote};

use super::{at, quiet};
use crate::args::ScopedArgs;
use crate::signature::{Function, cfg_of, has_impl};

/// The statements that take the parameters. In the signature they are no longer `mut`, and have plain names, unless
/// another attribute may know them by those in their patterns.
pub(super) fn take(function: &mut Function, args: &ScopedArgs) -> TokenStream {
    let mut named = Named::default();
    for option in [&args.policy, &args.executor, &args.lifecycle, &args.on_failure] {
        named.find(option.get().to_token_stream());
    }
    let watched = function.attrs.iter().any(|attr| !is_inert(attr));
    let inputs = function.sig.inputs.iter_mut().enumerate();
    let taken = inputs.map(|(index, input)| match input {
        FnArg::Receiver(receiver) => take_self(receiver),
        FnArg::Typed(input) => take_one(index, input, watched, &named),
    });
    taken.collect()
}

/// `self` can't be bound anew; to borrow all of it is to take all of it. A reference has nothing to drop.
fn take_self(receiver: &Receiver) -> TokenStream {
    let this = &receiver.self_token;
    match receiver.kind {
        ReceiverKind::Reference(..) => TokenStream::new(),
        _ => quiet(&quote!(let _ = &#this;)),
    }
}

fn take_one(index: usize, input: &mut PatType, watched: bool, named: &Named) -> TokenStream {
    let written = input.pat.clone();
    let mut names = Vec::new();
    let whole = bind(&mut input.pat, &mut names);
    let plain = whole && matches!(&*written, Pat::Ident(_));
    let in_options = |known: &[String]| names.iter().any(|name| known.contains(&name.ident.to_string()));
    // What an option takes the body can't, and what it names has to be there by that name.
    if in_options(&named.moved) || (in_options(&named.any) && !whole) {
        input.pat = written;
        return TokenStream::new();
    }
    let watched = watched || in_options(&named.any);
    let cfgs: Vec<_> = input.attrs.iter().filter_map(cfg_of).collect();
    let lints: Vec<_> = input.attrs.iter().filter(|attr| is_lint_level(attr)).cloned().collect();
    // In the signature every parameter is used; whether the body uses it is asked of the body's own.
    input.attrs.retain(|attr| !attr.path().is_ident("expect"));
    if plain || (watched && whole) {
        // A reference has its type, as the compiler's help for those is to change it.
        let reference = plain && matches!(&*input.ty, Type::Reference(_)) && !has_impl(input.ty.to_token_stream());
        let ty = reference.then_some(&input.ty).map(|ty| quote!(: #ty));
        let taken = names.iter().map(|name| {
            let ident = &name.ident;
            let used = named.any.contains(&ident.to_string()).then(|| quote!(#[allow(unused_variables)]));
            let binding = quiet(&quote!(let #name #ty = #ident;));
            quote!(#(#cfgs)* #(#lints)* #used #binding)
        });
        return taken.collect();
    }
    let name = match &*names {
        [only] => only.ident.clone(),
        _ => format_ident!("__airlock_{index}", span = at(written.span())),
    };
    *input.pat = parse_quote!(#name);
    let (all, parts) = (quiet(&quote!(let #name = #name;)), quiet(&quote!(let #written = #name;)));
    quote!(#(#cfgs)* #all #(#cfgs)* #(#lints)* #parts)
}

/// Collects the names in a pattern, which are no longer `mut` then. Whether they take all of the value: a part without a
/// name would stay where it is.
fn bind(pattern: &mut Pat, names: &mut Vec<PatIdent>) -> bool {
    let mut all = |patterns: &mut dyn Iterator<Item = &mut Pat>| {
        patterns.filter_map(|pattern| (!bind(pattern, names)).then_some(())).count() == 0
    };
    match pattern {
        Pat::Ident(name) => {
            let inner = name.subpat.as_mut().is_none_or(|(_, inner)| all(&mut std::iter::once(&mut **inner)));
            names.push(PatIdent { subpat: None, ..name.clone() });
            name.mutability = None;
            inner && name.by_ref.is_none() && name.subpat.is_none()
        }
        Pat::Paren(inner) => all(&mut std::iter::once(&mut *inner.pat)),
        Pat::Type(inner) => all(&mut std::iter::once(&mut *inner.pat)),
        Pat::Tuple(tuple) => all(&mut tuple.elems.iter_mut()),
        Pat::TupleStruct(tuple) => all(&mut tuple.elems.iter_mut()),
        Pat::Struct(fields) => all(&mut fields.fields.iter_mut().map(|field| &mut *field.pat)) && fields.rest.is_none(),
        Pat::Reference(inner) => {
            all(&mut std::iter::once(&mut *inner.pat));
            false
        }
        Pat::Slice(slice) => {
            all(&mut slice.elems.iter_mut());
            false
        }
        _ => false,
    }
}

/// The names in the scope's options.
#[derive(Default)]
struct Named {
    any: Vec<String>,
    /// What an option may take for itself, so that the body can't. What is borrowed, or has a method called, stays.
    moved: Vec<String>,
}

impl Named {
    fn find(&mut self, tokens: TokenStream) {
        let mut trees = tokens.into_iter().peekable();
        let mut before = None;
        while let Some(tree) = trees.next() {
            match &tree {
                TokenTree::Group(group) => self.find(group.stream()),
                TokenTree::Ident(name) => {
                    let follows = trees.peek().and_then(mark);
                    if !matches!(before, Some('.' | '&' | ':')) && !matches!(follows, Some('.' | ':' | '!')) {
                        self.moved.push(name.to_string());
                    }
                    self.any.push(name.to_string());
                }
                _ => {}
            }
            before = mark(&tree);
        }
    }
}

fn mark(tree: &TokenTree) -> Option<char> {
    match tree {
        TokenTree::Punct(mark) if mark.spacing() == Spacing::Alone || mark.as_char() != '.' => Some(mark.as_char()),
        _ => None,
    }
}

fn is_lint_level(attr: &Attribute) -> bool {
    ["allow", "expect", "warn", "deny", "forbid"].iter().any(|level| attr.path().is_ident(level))
}

/// Whether an attribute of a function is none that could look at its parameters.
fn is_inert(attr: &Attribute) -> bool {
    const INERT: [&str; 9] =
        ["cfg", "cold", "deprecated", "doc", "inline", "must_use", "target_feature", "test", "track_caller"];
    is_lint_level(attr) || INERT.iter().any(|known| attr.path().is_ident(known))
}
