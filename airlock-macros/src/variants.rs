//! `#[cfg]` on a task's parameters. The compiler leaves them to an attribute macro undecided, and a macro can't decide
//! them: so the function is written twice, with and without what is conditional, each under its own `#[cfg]`. The
//! compiler keeps one of the two, and the attribute on that one goes on with what is left.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, FnArg, LitBool, Meta, Path, Result, Signature, Token};

use crate::signature::Function;

/// Both variants of a function with a conditional parameter, or `None` if there is no such parameter.
pub(crate) fn split(krate: &Path, options: &TokenStream, function: &Function) -> Option<TokenStream> {
    let (index, place, condition, attrs) = function.sig.inputs.iter().enumerate().find_map(|(index, input)| {
        let FnArg::Typed(input) = input else { return None };
        let found = input.attrs.iter().enumerate().find_map(|(place, attr)| Some((place, condition(attr)?)));
        found.map(|(place, (condition, attrs))| (index, place, condition, attrs))
    })?;

    let mut with = function.sig.clone();
    if let Some(FnArg::Typed(input)) = with.inputs.iter_mut().nth(index) {
        input.attrs.splice(place..=place, attrs.iter().flatten().cloned());
    }
    let mut without = function.sig.clone();
    if attrs.is_none() {
        let others = function.sig.inputs.iter().cloned().enumerate().filter(|(at, _)| *at != index);
        without.inputs = others.map(|(_, input)| input).collect();
    } else if let Some(FnArg::Typed(input)) = without.inputs.iter_mut().nth(index) {
        input.attrs.remove(place);
    }

    let Function { attrs, vis, body, .. } = function;
    let body = body.as_ref().map_or_else(|| quote!(;), ToTokens::to_token_stream);
    let variant = |condition: TokenStream, sig: &Signature| quote!(#[cfg(#condition)] #[#krate::task(#options)] #(#attrs)* #vis #sig #body);
    let (with, without) = (variant(condition.clone(), &with), variant(quote!(not(#condition)), &without));
    Some(quote!(#with #without))
}

/// The condition of `#[cfg(..)]`, or of `#[cfg_attr(.., ..)]` with the attributes that depend on it.
fn condition(attr: &Attribute) -> Option<(TokenStream, Option<Vec<Attribute>>)> {
    let Meta::List(list) = &attr.meta else { return None };
    if list.path.is_ident("cfg") {
        let parser = |input: ParseStream<'_>| {
            let Condition(condition) = input.parse()?;
            input.parse::<Option<Token![,]>>().map(|_| condition)
        };
        return Some((parser.parse2(list.tokens.clone()).ok()?, None));
    }
    if !list.path.is_ident("cfg_attr") {
        return None;
    }
    let parser = |input: ParseStream<'_>| {
        let Condition(condition) = input.parse()?;
        input.parse::<Token![,]>()?;
        Ok((condition, Punctuated::<Meta, Token![,]>::parse_terminated(input)?))
    };
    let (condition, metas) = parser.parse2(list.tokens.clone()).ok()?;
    let attrs = metas.into_iter().map(|meta| Attribute { meta, ..attr.clone() }).collect();
    Some((condition, Some(attrs)))
}

/// `feature = "x"`, `any(unix, windows)`, `true`. What is none of these could be true together with its opposite.
struct Condition(TokenStream);

impl Parse for Condition {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let condition = if input.peek(LitBool) {
            input.parse::<LitBool>()?.into_token_stream()
        } else {
            input.parse::<Meta>()?.into_token_stream()
        };
        Ok(Self(condition))
    }
}
