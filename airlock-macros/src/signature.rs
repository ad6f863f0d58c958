//! Functions into types of our own: bodies stay tokens, so that they are handed on exactly as written.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, Expr, FnArg, LitStr, Meta, Result, ReturnType, Signature, Token, Type, Visibility};

/// The types that need no import, without `str`, which has no size.
pub(crate) const PRIMITIVES: [&str; 16] = [
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128",
    "usize",
];

/// A function with or without a body, anywhere a function can stand.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    /// The braces; without them it is a declaration.
    pub(crate) body: Option<Group>,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        if !is_function(&input.fork()) {
            return Err(input.error("expected a function; put the attribute on an `fn`"));
        }
        let sig = input.parse()?;
        let body = if input.parse::<Option<Token![;]>>()?.is_some() { None } else { Some(braces(input)?) };
        Ok(Self { attrs, vis, sig, body })
    }
}

/// Nothing to print without a body: the declaration alone is no Rust.
impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        if let Some(body) = &self.body {
            for attr in &self.attrs {
                attr.to_tokens(tokens);
            }
            self.vis.to_tokens(tokens);
            self.sig.to_tokens(tokens);
            body.to_tokens(tokens);
        }
    }
}

impl Function {
    /// The name without `r#`, as it stands on wires and in reports.
    pub(crate) fn name(&self) -> String {
        self.sig.ident.unraw().to_string()
    }

    /// What everything beside the function needs, to be there exactly when the function is.
    pub(crate) fn cfgs(&self) -> Vec<TokenStream> {
        self.attrs.iter().filter_map(cfg_of).collect()
    }

    /// The lints that the user allows or expects in the function: what is emitted beside it has its parameters and
    /// types, too, and may fulfil no expectation.
    pub(crate) fn allowed(&self) -> Vec<TokenStream> {
        let lints = self.attrs.iter().filter_map(|attr| match &attr.meta {
            Meta::List(list) if list.path.is_ident("allow") || list.path.is_ident("expect") => Some(&list.tokens),
            _ => None,
        });
        lints.map(|lints| quote::quote!(#[allow(#lints)])).collect()
    }

    pub(crate) fn deprecated(&self) -> Option<&Attribute> {
        self.attrs.iter().find(|attr| attr.path().is_ident("deprecated"))
    }

    /// The return type, if there is one that can be written a second time.
    pub(crate) fn output(&self) -> Option<&Type> {
        match &self.sig.output {
            ReturnType::Type(_, ty) if !matches!(**ty, Type::Never(_)) && !has_impl(ty.to_token_stream()) => Some(ty),
            _ => None,
        }
    }

    /// Removes the other attributes of parameters: ours, which the compiler doesn't know, and those already refused.
    pub(crate) fn keep_parameter_attributes(&mut self, is_kept: fn(&Attribute) -> bool) {
        for input in &mut self.sig.inputs {
            if let FnArg::Typed(parameter) = input {
                parameter.attrs.retain(is_kept);
            }
        }
    }
}

/// One parameter of a task.
pub(crate) struct Parameter {
    pub(crate) ident: Ident,
    /// Of a `#[state]` parameter, what the reference is to.
    pub(crate) ty: Type,
    pub(crate) role: Role,
}

/// Where a parameter's value comes from.
pub(crate) enum Role {
    /// A message carries it.
    Argument { redacted: bool, default: Option<DefaultValue>, wire_name: Option<LitStr> },
    /// The process gives it.
    State,
}

/// What a message that lacks the parameter gets.
pub(crate) enum DefaultValue {
    /// `#[default]`, whose place is this.
    OfType(Span),
    /// `#[default = expr]`
    Expression(Expr),
}

impl Parameter {
    pub(crate) fn is_state(&self) -> bool {
        matches!(self.role, Role::State)
    }

    pub(crate) fn name(&self) -> String {
        self.ident.unraw().to_string()
    }

    /// What messages call it.
    pub(crate) fn wire_name(&self) -> String {
        match &self.role {
            Role::Argument { wire_name: Some(name), .. } => name.value(),
            _ => self.name(),
        }
    }
}

/// `#[cfg(..)]` as it is, `#[cfg_attr(.., cfg(..), other)]` without the other attributes.
pub(crate) fn cfg_of(attr: &Attribute) -> Option<TokenStream> {
    let meta = cfg_meta(&attr.meta)?;
    Some(quote::quote!(#[#meta]))
}

fn cfg_meta(meta: &Meta) -> Option<TokenStream> {
    if meta.path().is_ident("cfg") {
        return Some(meta.to_token_stream());
    }
    let (Meta::List(list), true) = (meta, meta.path().is_ident("cfg_attr")) else { return None };
    let parser = |input: ParseStream<'_>| {
        let mut condition = TokenStream::new();
        while !input.is_empty() && !input.peek(Token![,]) {
            condition.extend([input.parse::<TokenTree>()?]);
        }
        input.parse::<Token![,]>()?;
        let attributes = input.parse_terminated(Meta::parse, Token![,])?;
        Ok((condition, attributes))
    };
    let (condition, attributes) = parser.parse2(list.tokens.clone()).ok()?;
    let cfgs: Vec<_> = attributes.iter().filter_map(cfg_meta).collect();
    (!cfgs.is_empty()).then(|| quote::quote!(cfg_attr(#condition, #(#cfgs),*)))
}

pub(crate) fn has_impl(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Group(group) => has_impl(group.stream()),
        TokenTree::Ident(word) => word == "impl",
        _ => false,
    })
}

/// Whether `fn` follows, after the words that may stand before it.
fn is_function(input: ParseStream<'_>) -> bool {
    while let Ok(word) = input.call(Ident::parse_any) {
        match word.to_string().as_str() {
            "fn" => return true,
            "extern" => drop(input.parse::<Option<LitStr>>()),
            "const" | "async" | "unsafe" => {}
            _ => return false,
        }
    }
    false
}

fn braces(input: ParseStream<'_>) -> Result<Group> {
    match input.parse::<TokenTree>()? {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Ok(group),
        // A block that comes out of a `macro_rules` variable is wrapped in an invisible group.
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => braces.parse2(group.stream()),
        other => Err(syn::Error::new(other.span(), "expected a body, or `;` for a task that runs elsewhere")),
    }
}
