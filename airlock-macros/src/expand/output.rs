//! What a `#[scoped]` function returns: to its inner closure or block, and to its scope.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{GenericArgument, Path, PathArguments, PathSegment, ReturnType, Type, TypeParamBound};

use super::{at, path_at, unjudged};
use crate::args::ScopedArgs;
use crate::signature::{Function, has_impl};

/// The value that a scope judges.
pub(super) struct Output {
    /// `None` for a type that can't be written a second time.
    ty: Option<Type>,
    place: Span,
}

impl Output {
    pub(super) fn of(function: &Function) -> Self {
        match &function.sig.output {
            ReturnType::Default => {
                let place = function.sig.ident.span();
                Self { ty: Some(syn::parse_quote_spanned!(at(place)=> ())), place }
            }
            ReturnType::Type(_, ty) => Self { ty: function.output().cloned(), place: ty.span() },
        }
    }

    pub(super) fn arrow(&self) -> Option<TokenStream> {
        self.ty.as_ref().map(|ty| quote!(-> #ty))
    }

    /// Tells an `async` block its type, which there is no syntax for: without it `?` could not infer the error.
    pub(super) fn typed_return(&self) -> Option<TokenStream> {
        let unjudged = unjudged();
        self.ty.as_ref().map(|ty| {
            quote_spanned! {at(self.place)=>
                #[allow(unreachable_code)]
                #unjudged
                if false {
                    let __airlock_output: #ty = loop {};
                    return __airlock_output;
                };
            }
        })
    }

    /// Around a body that ran: its scope judges the output, ends, and may put a flush error into the output.
    ///
    /// Where both ends ask the compiler for the same, they ask in the same words: to it, that is one question, and its
    /// answer one error.
    pub(super) fn ends(&self, krate: &Path, args: &ScopedArgs, ran: &TokenStream, awaited: bool) -> TokenStream {
        let place = at(self.place);
        let there = path_at(krate, self.place);
        let generic = self.ty.as_ref().map(|ty| quote!(::<#ty>));
        let judged = match (args.succeeded.get(), args.on_flush_error.get()) {
            (Some(path), _) => quote_spanned!(place=> #there::checks::succeeds_if #generic (#ran, #path)),
            (None, Some(_)) => quote_spanned!(place=> #there::checks::succeeds #generic (#ran)),
            (None, None) => quote_spanned!(place=> #there::checks::ends #generic (#ran)),
        };
        let flushed = if awaited {
            quote_spanned!(place=> #there::checks::Ending::flush_async(#judged).await)
        } else {
            quote_spanned!(place=> #there::checks::Ending::flush(#judged))
        };
        let Some(path) = args.on_flush_error.get() else {
            return quote_spanned!(place=> #there::checks::Ending::output(#there::checks::ends #generic (#flushed)));
        };
        let ty = self.ty.as_ref().map_or_else(|| quote!(_), ToTokens::to_token_stream);
        // `()` could be that error, or this output; it has always been no answer.
        let how = if self.ty.as_ref().is_some_and(gives_unit) { quote!(#krate::checks::Unanswered) } else { quote!(_) };
        let there = path_at(krate, path.span());
        quote_spanned!(at(path.span())=> #there::checks::handled::<#ty, _, #how>(#flushed, #path))
    }
}

/// Whether this is `()`, or a `Result` whose error is.
fn gives_unit(ty: &Type) -> bool {
    let is_unit = |ty: &Type| matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty());
    match ty {
        Type::Group(inner) => gives_unit(&inner.elem),
        Type::Paren(inner) => gives_unit(&inner.elem),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| {
            let several =
                matches!(&last.arguments, PathArguments::AngleBracketed(arguments) if arguments.args.len() > 1);
            several && last_type(last).is_some_and(is_unit)
        }),
        _ => is_unit(ty),
    }
}

fn last_type(segment: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    match arguments.args.last() {
        Some(GenericArgument::Type(ty)) => Some(ty),
        _ => None,
    }
}

/// A future that a plain function returns.
pub(super) struct ReturnedFuture {
    pub(super) output: Output,
    /// Whether it is in a box of its own.
    pub(super) boxed: bool,
    /// What the function returns, if that can be written a second time.
    pub(super) arrow: Option<TokenStream>,
}

impl ReturnedFuture {
    /// `impl Future<Output = T>`, `Pin<Box<dyn Future<Output = T>>>` and what this is called.
    pub(super) fn of(function: &Function) -> Option<Self> {
        let (ReturnType::Type(_, ty), None) = (&function.sig.output, &function.sig.asyncness) else { return None };
        let (output, boxed) = match &**ty {
            Type::ImplTrait(future) => (output_of(future.bounds.iter())?, false),
            Type::Path(path) => (boxed_output(path.path.segments.last()?)?, true),
            _ => return None,
        };
        let place = ty.span();
        let output = Output { ty: (!has_impl(output.to_token_stream())).then_some(output), place };
        Some(Self { output, boxed, arrow: function.output().map(|ty| quote!(-> #ty)) })
    }
}

fn boxed_output(segment: &PathSegment) -> Option<Type> {
    let inner = last_type(segment)?;
    if segment.ident == "BoxFuture" || segment.ident == "LocalBoxFuture" {
        return Some(inner.clone());
    }
    let Type::Path(inner) = inner else { return None };
    let in_box = inner.path.segments.last().filter(|inner| segment.ident == "Pin" && inner.ident == "Box");
    match in_box.and_then(last_type) {
        Some(Type::TraitObject(future)) => output_of(future.bounds.iter()),
        _ => None,
    }
}

/// The `T` of `Future<Output = T>`.
fn output_of<'a>(mut bounds: impl Iterator<Item = &'a TypeParamBound>) -> Option<Type> {
    bounds.find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let last = bound.path.segments.last().filter(|last| last.ident == "Future")?;
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(pair) if pair.ident == "Output" => Some(pair.ty.clone()),
            _ => None,
        })
    })
}
