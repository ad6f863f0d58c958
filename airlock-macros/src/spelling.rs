//! Tokens back into text, the way a person would have written them.

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};
use quote::ToTokens;

/// `Option<Vec<u8>>`, where the tokens' own `Display` gives `Option < Vec < u8 > >`.
pub(crate) fn spelling(tokens: impl ToTokens) -> String {
    let mut out = String::new();
    write(tokens.into_token_stream(), &mut out);
    out
}

/// Operators of two characters; a `>` and the `,` after it, say, are two.
const DOUBLE: [&str; 13] = ["->", "=>", "==", "!=", "<=", ">=", "&&", "||", "::", "..", "+=", "-=", "*="];
/// Operators with a space on both sides, if something stands on their left.
const SPACED: [&str; 12] = ["->", "=>", "==", "!=", "<=", ">=", "&&", "||", "+=", "-=", "*=", "="];

fn write(tokens: TokenStream, out: &mut String) {
    let mut trees = tokens.into_iter().peekable();
    while let Some(tree) = trees.next() {
        match tree {
            TokenTree::Group(group) => write_group(&group, out),
            TokenTree::Punct(first) => {
                let mut operator = first.as_char().to_string();
                if let (Spacing::Joint, Some(TokenTree::Punct(second))) = (first.spacing(), trees.peek()) {
                    let both = format!("{operator}{}", second.as_char());
                    if DOUBLE.contains(&both.as_str()) {
                        operator = both;
                        trees.next();
                    }
                }
                let follows = out.ends_with(|c: char| c.is_alphanumeric() || "_)]}>\"".contains(c));
                match operator.as_str() {
                    "," | ";" | ":" => *out += &format!("{operator} "),
                    "+" => *out += " + ",
                    spaced if follows && SPACED.contains(&spaced) => *out += &format!(" {operator} "),
                    _ => *out += &operator,
                }
            }
            word => {
                // Two words in a row, `dyn Trait` or `'static str`, and what follows a block need a space.
                if out.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '}') {
                    out.push(' ');
                }
                *out += &word.to_string();
            }
        }
    }
    out.truncate(out.trim_end().len());
}

fn write_group(group: &Group, out: &mut String) {
    let (open, close) = match group.delimiter() {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::Brace if group.stream().is_empty() => ("{", "}"),
        Delimiter::Brace => ("{ ", " }"),
        Delimiter::None => ("", ""),
    };
    if group.delimiter() == Delimiter::Brace && out.ends_with(|c: char| c.is_alphanumeric() || "_)]>".contains(c)) {
        out.push(' ');
    }
    *out += open;
    write(group.stream(), out);
    *out += close;
}

#[cfg(test)]
mod tests {
    use super::spelling;

    #[test]
    fn types_and_expressions_read_as_written() {
        for text in [
            "u64",
            "Option<Vec<u8>>",
            "[u8; 4]",
            "(u8, String)",
            "&'a mut str",
            "Box<dyn Fn(u8) -> u8 + Send>",
            "::std::collections::HashMap<String, <A as B>::C>",
            "Cow<'static, str>",
            "&&str",
            "Foo<{ N + 1 }, 3>",
            "Some(u8::MAX)",
            "vec![1, 2]",
            "if true { 1 } else { 2 }",
            "a == b && c != d",
            "||3",
            "0..=5",
            "Point { x: 1, y: -1 }",
            "\"a = b\".to_owned()",
        ] {
            let tokens: proc_macro2::TokenStream = text.parse().expect("tokens");
            assert_eq!(spelling(tokens), text);
        }
    }
}
