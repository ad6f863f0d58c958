//! A walk over JSON that is known to be valid, token by token and without recursion: what looks into encoded arguments
//! goes through here, so that numbers stay the text they are.

/// A piece of JSON. Commas and colons are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `{` or `[`.
    Open(u8),
    /// `}` or `]`.
    Close(u8),
    /// The name of an object's field, with its quotes.
    Key(&'a str),
    /// A string, with its quotes.
    Text(&'a str),
    /// A number, `true`, `false` or `null`.
    Plain(&'a str),
}

#[derive(Debug, Clone)]
pub(super) struct Tokens<'a> {
    json: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(json: &'a str) -> Self {
        Self { json, at: 0 }
    }

    fn skip(&mut self, skipped: impl Fn(u8) -> bool) {
        let rest = &self.json.as_bytes()[self.at..];
        self.at += rest.iter().position(|byte| !skipped(*byte)).unwrap_or(rest.len());
    }

    /// The string that starts here, quotes included.
    fn string(&mut self) -> &'a str {
        let start = self.at;
        let rest = &self.json.as_bytes()[start + 1..];
        let (mut at, mut end) = (0, None);
        while let Some(ahead) =
            rest.get(at..).and_then(|rest| rest.iter().position(|byte| matches!(byte, b'"' | b'\\')))
        {
            at += ahead + 1;
            if rest[at - 1] == b'"' {
                end = Some(start + 1 + at);
                break;
            }
            // What is escaped.
            at += 1;
        }
        self.at = end.unwrap_or(self.json.len());
        &self.json[start..self.at]
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip(|byte| byte.is_ascii_whitespace() || byte == b',' || byte == b':');
        let byte = *self.json.as_bytes().get(self.at)?;
        Some(match byte {
            b'{' | b'[' => {
                self.at += 1;
                Token::Open(byte)
            }
            b'}' | b']' => {
                self.at += 1;
                Token::Close(byte)
            }
            b'"' => {
                let text = self.string();
                self.skip(|byte| byte.is_ascii_whitespace());
                let names_a_field = self.json.as_bytes().get(self.at) == Some(&b':');
                if names_a_field { Token::Key(text) } else { Token::Text(text) }
            }
            _ => {
                let start = self.at;
                self.skip(|byte| !matches!(byte, b',' | b']' | b'}') && !byte.is_ascii_whitespace());
                Token::Plain(&self.json[start..self.at])
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_is_given_as_it_stands() {
        let json = r#" { "a\"}": [1, -2.50e3 ,true], "b" : {"c":null,"d":"x, [y]: \\"} , "e":[]} "#;
        let tokens: Vec<_> = Tokens::new(json).collect();
        let expected = [
            Token::Open(b'{'),
            Token::Key(r#""a\"}""#),
            Token::Open(b'['),
            Token::Plain("1"),
            Token::Plain("-2.50e3"),
            Token::Plain("true"),
            Token::Close(b']'),
            Token::Key(r#""b""#),
            Token::Open(b'{'),
            Token::Key(r#""c""#),
            Token::Plain("null"),
            Token::Key(r#""d""#),
            Token::Text(r#""x, [y]: \\""#),
            Token::Close(b'}'),
            Token::Key(r#""e""#),
            Token::Open(b'['),
            Token::Close(b']'),
            Token::Close(b'}'),
        ];
        assert_eq!(tokens, expected);
    }
}
