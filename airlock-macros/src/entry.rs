//! The syntax of options: entries between commas, before any of them means something.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, LitStr, Result, Token};

use crate::diag::Problems;

/// One `key` or `key = value`.
pub(crate) struct Entry {
    pub(crate) key: Ident,
    pub(crate) value: Option<Expr>,
}

impl Entry {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if let Some(text) = input.fork().parse::<Option<LitStr>>()? {
            return Err(syn::Error::new_spanned(
                &text,
                format!("an option has a name; write `name = {}`", text.token()),
            ));
        }
        let key = input
            .call(Ident::parse_any)
            .map_err(|error| syn::Error::new(error.span(), "an option is a word; write it like `queue = \"mail\"`"))?;
        let assigned = input.parse::<Option<Token![=]>>()?.is_some();
        let value = if assigned && !at_end(input) { Some(input.parse()?) } else { None };
        if at_end(input) {
            Ok(Self { key, value })
        } else if value.is_some() {
            Err(input.error("there is more after the option's value; put `,` between options"))
        } else {
            Err(input.error(format!("an option's value follows `=`; write `{key} = …`")))
        }
    }

    pub(crate) fn value(&self) -> Option<&Expr> {
        self.value.as_ref().map(peel)
    }
}

/// An entry's errors stand at its value, if it has one.
impl ToTokens for Entry {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match &self.value {
            Some(value) => value.to_tokens(tokens),
            None => self.key.to_tokens(tokens),
        }
    }
}

/// Entries separated by commas. One that can't be parsed is reported and skipped, so that the others are still read.
pub(crate) fn entries(tokens: TokenStream, problems: &mut Problems) -> Vec<Entry> {
    let mut found = Vec::new();
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            found.extend(problems.keep(Entry::parse(input)));
            while !at_end(input) {
                input.parse::<TokenTree>()?;
            }
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(())
    };
    let parsed = parser.parse2(tokens);
    problems.keep(parsed);
    found
}

fn at_end(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

/// Values that come out of a `macro_rules` variable are wrapped in invisible groups.
pub(crate) fn peel(mut value: &Expr) -> &Expr {
    while let Expr::Group(group) = value {
        value = &group.expr;
    }
    value
}
