//! What the names of types tell: whether everybody can name a type, and whether it is an argument.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{GenericArgument, PathArguments, Type, Visibility};

use crate::signature::PRIMITIVES;

/// What is known of the types of a task's arguments. The less that is, the more the task costs the compiler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// Everybody can name them, and they are arguments: most are.
    Known,
    /// They are called like such types. Anybody may have a type of that name, and less visible than its task.
    LikeKnown,
    Other,
}

impl Naming {
    pub(super) fn of(types: &[&Type], vis: &Visibility) -> Self {
        let are_known = |named| types.iter().all(|ty| is_known(ty, named));
        match vis {
            // Where the task is as private as can be, all is.
            Visibility::Inherited if are_known(true) => Self::Known,
            _ if are_known(false) => Self::Known,
            _ if are_known(true) => Self::LikeKnown,
            _ => Self::Other,
        }
    }
}

/// The place of the first type that is not known.
pub(super) fn unknown(types: &[&Type]) -> Span {
    types.iter().find(|ty| !is_known(ty, true)).map_or_else(Span::call_site, |ty| ty.span())
}

/// Whether a type is made of primitives, and if `named` of what is called like types of the standard library.
fn is_known(ty: &Type, named: bool) -> bool {
    const NAMED: [&str; 4] = ["Box", "Option", "String", "Vec"];
    let path = match ty {
        Type::Path(path) => path,
        Type::Group(inner) => return is_known(&inner.elem, named),
        _ => return false,
    };
    let (None, Some(name)) = (&path.qself, path.path.segments.first()) else { return false };
    let inner = |argument: &GenericArgument| matches!(argument, GenericArgument::Type(ty) if is_known(ty, named));
    if path.path.leading_colon.is_some() || path.path.segments.len() > 1 {
        return false;
    }
    let ident = name.ident.to_string();
    (PRIMITIVES.contains(&&*ident) || (named && NAMED.contains(&&*ident)))
        && match &name.arguments {
            PathArguments::None => true,
            PathArguments::AngleBracketed(arguments) => arguments.args.iter().all(inner),
            PathArguments::Parenthesized(_) => false,
        }
}
