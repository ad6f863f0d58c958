//! Tokens back into text, the way a person would have written them.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;

/// `Option<Vec<u8>>`, where the tokens' own `Display` gives `Option < Vec < u8 > >`.
pub(crate) fn spelling(tokens: impl ToTokens) -> String {
    let mut out = String::new();
    write(tokens.into_token_stream(), &mut out);
    out
}

fn write(tokens: TokenStream, out: &mut String) {
    for tree in tokens {
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::None => ("", ""),
                };
                out.push_str(open);
                write(group.stream(), out);
                out.push_str(close);
            }
            TokenTree::Punct(punct) => match punct.as_char() {
                mark @ (',' | ';') => out.extend([mark, ' ']),
                mark @ ('+' | '=') => out.extend([' ', mark, ' ']),
                '-' if punct.spacing() == Spacing::Joint => out.push_str(" -"),
                '>' if out.ends_with(" -") => out.push_str("> "),
                mark => out.push(mark),
            },
            word => {
                // Two words in a row, `dyn Trait` or `'static str`, are the only tokens that need a space.
                if out.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                    out.push(' ');
                }
                out.push_str(&word.to_string());
            }
        }
    }
    out.truncate(out.trim_end().len());
}

#[cfg(test)]
mod tests {
    use super::spelling;

    #[test]
    fn types_read_as_written() {
        for text in [
            "u64",
            "Option<Vec<u8>>",
            "[u8; 4]",
            "(u8, String)",
            "&'a mut str",
            "Box<dyn Fn(u8) -> u8 + Send>",
            "::std::collections::HashMap<String, <A as B>::C>",
            "Cow<'static, str>",
        ] {
            let tokens: proc_macro2::TokenStream = text.parse().expect("tokens");
            assert_eq!(spelling(tokens), text);
        }
    }
}
