//! What a type must not hold to be stored: references, lifetimes, `impl`.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{Lifetime, Type, TypeReference};

use crate::diag::Problems;
use crate::spelling::spelling;

/// The first thing in a type that borrows, or that is no type of its own.
///
/// Works on tokens: what is looked for can stand at any depth, and in types `&`, `'a` and `impl` mean only one thing.
pub(crate) fn check(ty: &Type, problems: &mut Problems) {
    if let Some(error) = find_borrow(ty.to_token_stream(), true) {
        problems.absorb(error);
    }
}

fn find_borrow(tokens: TokenStream, outermost: bool) -> Option<syn::Error> {
    const STORED: &str = "task arguments are stored, so they can't borrow";

    let mut trees = tokens.into_iter().peekable();
    let mut first = true;
    while let Some(tree) = trees.next() {
        match &tree {
            TokenTree::Punct(mark) if mark.as_char() == '&' => {
                let rest: TokenStream = [tree].into_iter().chain(trees).collect();
                let reference = leading_reference.parse2(rest.clone()).ok();
                let message = reference.as_ref().and_then(owned).map_or_else(
                    || {
                        let shared = reference.as_ref().is_some_and(|reference| reference.mutability.is_none());
                        let given = outermost && first && shared;
                        let state = if given { ", or mark it `#[state]` if the process has it" } else { "" };
                        format!("{STORED}; own the value{state}")
                    },
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
            // Only in a function may its lifetime be left out.
            TokenTree::Ident(word) if word == "Cow" && leaves_out_a_lifetime(trees.clone()) => {
                let message = format!("{STORED}; write `'static` for the lifetime that is left out");
                return Some(syn::Error::new_spanned(word, message));
            }
            TokenTree::Ident(word) if word == "impl" => {
                let message = "task arguments are stored, so they need a type of their own; name it instead of `impl`";
                return Some(syn::Error::new_spanned(word, message));
            }
            // Braces hold constants, not types; so does what follows the semicolon of an array.
            TokenTree::Group(group) if group.delimiter() != Delimiter::Brace => {
                let inner = group.stream().into_iter();
                let types = inner.take_while(|tree| !matches!(tree, TokenTree::Punct(mark) if mark.as_char() == ';'));
                if let Some(error) = find_borrow(types.collect(), false) {
                    return Some(error);
                }
            }
            _ => {}
        }
        first = false;
    }
    None
}

/// Whether these are generic arguments, and don't begin with a lifetime.
fn leaves_out_a_lifetime(mut trees: impl Iterator<Item = TokenTree>) -> bool {
    let mut next_is = |mark| matches!(trees.next(), Some(TokenTree::Punct(punct)) if punct.as_char() == mark);
    next_is('<') && !next_is('\'')
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
