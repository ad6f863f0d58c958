//! A function whose body runs in a scope.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Path};

use super::output::{Output, ReturnedFuture};
use super::{at, parameters, refuse};
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
    if let Some(body) = function.body.take() {
        function.body = Some(wrap(&args, &mut function, &body));
    }
    quote!(#function)
}

/// The body, in a scope that ends after it.
fn wrap(args: &ScopedArgs, function: &mut Function, body: &Group) -> Group {
    let krate = args.krate.or_airlock();
    let (inner_attrs, statements) = split(body);
    let builder = builder(&krate, args, function);
    // Generated, so that no lint asks what the braces are for.
    let block = with_span(statements, at(body.span()));
    // With `return …;`, as of braces around one expression the compiler asks what for, where another attribute copies them.
    let call = if let Some(future) = ReturnedFuture::of(function) {
        returned_future(&krate, args, &future, &builder, &block)
    } else {
        let output = Output::of(function);
        let parameters = parameters::take(function, args);
        // Not as the block's value: up to edition 2021, what that borrows lives longer than the parameters.
        if function.sig.asyncness.is_some() {
            let typed = output.typed_return();
            let block = with_span(quote!(#typed #parameters return #block), body.span());
            let body = quote_spanned!(body.span()=> async move #block);
            let ended =
                output.ends(&krate, args, &quote!(#krate::__private::scoped_async(#builder, #body).await), true);
            quote!(return #ended;)
        } else {
            let arrow = output.arrow().unwrap_or_default();
            let block = with_span(quote!(#parameters return #block), body.span());
            let body = quote_spanned!(body.span()=> move || #arrow #block);
            let ended = output.ends(&krate, args, &quote!(#krate::__private::scoped(#builder, #body)), false);
            quote!(return #ended;)
        }
    };
    with_span(quote!(#(#inner_attrs)* #call), body.span())
}

/// A plain function that makes a future, which runs in the scope; making it is no part of that.
fn returned_future(
    krate: &Path,
    args: &ScopedArgs,
    future: &ReturnedFuture,
    builder: &TokenStream,
    block: &Group,
) -> TokenStream {
    let arrow = &future.arrow;
    let made = quote!(#krate::__private::made(move || #arrow { return #block }));
    let ran = quote!(#krate::__private::scoped_async(__airlock_scope, __airlock_future).await);
    let ended = future.output.ends(krate, args, &ran, true);
    let ended = quote!(async move { return #ended });
    let wrapper = if future.boxed { quote!(Box::pin) } else { quote!(future) };
    quote! {
        let __airlock_scope = #builder;
        let __airlock_future = #made;
        return #krate::__private::#wrapper(#ended);
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

fn with_span(tokens: TokenStream, span: Span) -> Group {
    let mut group = Group::new(Delimiter::Brace, tokens);
    group.set_span(span);
    group
}
