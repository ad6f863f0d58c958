//! What the names of types tell: whether everybody can name a type, and whether it is an argument.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{GenericArgument, PathArguments, Type, Visibility};

use crate::signature::PRIMITIVES;

/// What is known of the types of a task's arguments. The less that is, the more the task costs the compiler.
#[derive(Debug, Clone, Copy)]
pub(super) enum Naming {
    /// All that sees the task can name them, and by their names they are arguments: most are.
    Known,
    /// They are called like such types. Anybody may have a type of that name, and less visible than its task.
    LikeKnown,
    /// One at this place is not.
    Other(Span),
}

impl Naming {
    pub(super) fn of(types: &[&Type], vis: &Visibility) -> Self {
        if let Some(other) = types.iter().find(|ty| !is_known(ty, true)) {
            return Self::Other(other.span());
        }
        // What sees a task as private as can be sees its types.
        let private = matches!(vis, Visibility::Inherited);
        if private || types.iter().all(|ty| is_known(ty, false)) { Self::Known } else { Self::LikeKnown }
    }

    /// Where the compiler is to say what is wrong with the types.
    pub(super) fn place(self) -> Span {
        match self {
            Self::Known | Self::LikeKnown => Span::call_site(),
            Self::Other(place) => place,
        }
    }
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
