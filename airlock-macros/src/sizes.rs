//! Types without a size: they can't be parameters at all, and the compiler would say so in several places, each with the
//! advice to borrow.

use syn::{GenericArgument, PathArguments, Type, parse_quote};

use crate::diag::Problems;
use crate::spelling::spelling;

/// What holds its values by themselves, as far as names tell; others, like `Box`, hold them elsewhere.
const HOLDS: [&str; 9] =
    ["BTreeMap", "BTreeSet", "HashMap", "HashSet", "Option", "Result", "Vec", "VecDeque", "Wrapping"];

/// Whether a type has a size, as far as it is written.
pub(crate) fn check(ty: &Type, problems: &mut Problems) -> bool {
    let mut found = Vec::new();
    walk(&mut ty.clone(), &mut found);
    for (ty, message) in &found {
        problems.push(ty, message);
    }
    found.is_empty()
}

/// Puts a type that has a size in place of each that has none.
pub(crate) fn give(ty: &mut Type) {
    walk(ty, &mut Vec::new());
}

fn walk(ty: &mut Type, found: &mut Vec<(Type, String)>) {
    if let Some((sized, message)) = with_size(ty) {
        found.push((std::mem::replace(ty, sized), message));
        return;
    }
    match ty {
        Type::Paren(inner) => walk(&mut inner.elem, found),
        Type::Group(inner) => walk(&mut inner.elem, found),
        Type::Array(array) => walk(&mut array.elem, found),
        Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(|ty| walk(ty, found)),
        Type::Path(path) => {
            let Some(last) = path.path.segments.last_mut() else { return };
            let (true, PathArguments::AngleBracketed(arguments)) =
                (HOLDS.contains(&&*last.ident.to_string()), &mut last.arguments)
            else {
                return;
            };
            for argument in &mut arguments.args {
                if let GenericArgument::Type(ty) = argument {
                    walk(ty, found);
                }
            }
        }
        _ => {}
    }
}

/// What holds a value of such a type, and the message.
fn with_size(ty: &Type) -> Option<(Type, String)> {
    let use_instead = |sized: &str| {
        format!("task arguments are stored, so they need a size; use `{sized}` instead of `{}`", spelling(ty))
    };
    match ty {
        Type::Slice(slice) => {
            let element = &slice.elem;
            let message = use_instead(&format!("Vec<{}>", spelling(element)));
            Some((parse_quote!(::std::vec::Vec<#element>), message))
        }
        Type::Path(path) if path.path.is_ident("str") => {
            Some((parse_quote!(::std::string::String), use_instead("String")))
        }
        Type::TraitObject(object) => {
            let spelled = spelling(ty);
            let message =
                format!("task arguments are stored, so they need a type of their own; name it instead of `{spelled}`");
            Some((parse_quote!(::std::boxed::Box<#object>), message))
        }
        _ => None,
    }
}
