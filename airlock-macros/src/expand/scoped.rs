//! A function whose body runs in a scope.

use proc_macro2::{Group, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Path, ReturnType};

use super::{at, path_at, refuse};
use crate::args::ScopedArgs;
use crate::check;
use crate::diag::Problems;
use crate::signature::Function;
use crate::values::duration_tokens;

/// The function with its body in a scope; or as written, and what is wrong with it.
pub(crate) fn scoped(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut function: Function = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => return refuse(item, &error),
    };
    let mut problems = Problems::default();
    let args = ScopedArgs::read(options, &mut problems);
    check::scoped(&function, &mut problems);
    if let Err(errors) = problems.finish() {
        return quote!(#item #errors);
    }
    if let Some(body) = &function.body {
        function.body = Some(wrap(&args, &function, body));
    }
    quote!(#function)
}

fn wrap(args: &ScopedArgs, function: &Function, body: &Group) -> Group {
    let krate = args.krate.or_airlock();
    let (inner_attrs, statements) = split(body);
    let output = Output::of(function);
    let builder = builder(&krate, args, function);
    let generic = output.turbofish();
    let place = at(output.place);
    let there = path_at(&krate, output.place);
    let end = match args.on_flush_error.get() {
        Some(path) => quote_spanned!(place=> #there::checks::ends_or #generic (#path)),
        None => quote_spanned!(place=> #there::checks::ends #generic ()),
    };
    let call = if function.sig.asyncness.is_some() {
        let typed = output.typed_return();
        let block = with_span(quote!(#typed #statements), body);
        quote!(#krate::__private::scoped_async(#builder, #end, async move #block).await)
    } else {
        let arrow = output.arrow();
        let block = with_span(statements, body);
        quote!(#krate::__private::scoped(#builder, #end, move || #arrow #block))
    };
    with_span(quote!(#(#inner_attrs)* #call), body)
}

/// What the function returns, as the inner closure or block needs to know it.
struct Output {
    /// `None` for a type that can't be written a second time.
    ty: Option<TokenStream>,
    place: Span,
}

impl Output {
    fn of(function: &Function) -> Self {
        match &function.sig.output {
            ReturnType::Default => {
                let place = function.sig.ident.span();
                Self { ty: Some(quote_spanned!(at(place)=> ())), place }
            }
            ReturnType::Type(_, ty) => Self { ty: function.output().map(|ty| quote!(#ty)), place: ty.span() },
        }
    }

    fn turbofish(&self) -> Option<TokenStream> {
        self.ty.as_ref().map(|ty| quote!(::<#ty>))
    }

    fn arrow(&self) -> Option<TokenStream> {
        self.ty.as_ref().map(|ty| quote!(-> #ty))
    }

    /// Tells an `async` block its type, which there is no syntax for: without it `?` could not infer the error.
    fn typed_return(&self) -> Option<TokenStream> {
        self.ty.as_ref().map(|ty| {
            quote_spanned! {at(self.place)=>
                #[allow(unreachable_code, clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction)]
                if false {
                    let __airlock_output: #ty = loop {};
                    return __airlock_output;
                };
            }
        })
    }
}

fn builder(krate: &Path, args: &ScopedArgs, function: &Function) -> TokenStream {
    let name = args.name.get().map_or_else(|| function.name(), syn::LitStr::value);
    let policy = args.policy.get().map(|value| quote!(.policy(#value)));
    let executor = args.executor.get().map(|value| quote!(.executor(#value)));
    let lifecycle = args.lifecycle.get().map(|value| quote!(.lifecycle(#value)));
    let on_failure = args.on_failure.get().map(|value| quote!(.on_failure(#value)));
    let deadline = args
        .deadline
        .get()
        .map(|value| duration_tokens(&quote!(#krate::__private), *value))
        .map(|value| quote!(.deadline(#value)));
    quote!(#krate::scope().name(#name) #policy #executor #lifecycle #on_failure #deadline)
}

/// `#![allow(..)]` at the top of a body belongs to the function; closures and `async` blocks don't take it.
fn split(body: &Group) -> (Vec<Attribute>, TokenStream) {
    let parser = |input: ParseStream<'_>| Ok((Attribute::parse_inner(input)?, input.parse()?));
    parser.parse2(body.stream()).unwrap_or_else(|_| (Vec::new(), body.stream()))
}

fn with_span(tokens: TokenStream, like: &Group) -> Group {
    let mut group = Group::new(like.delimiter(), tokens);
    group.set_span(like.span());
    group
}
