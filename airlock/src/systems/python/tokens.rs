//! A walk over JSON that is known to be valid, token by token and without recursion: what looks into encoded arguments
//! goes through here, so that numbers stay the text they are.

/// A piece of JSON. Commas and colons are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
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
pub(crate) struct Tokens<'a> {
    json: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(json: &'a str) -> Self {
        Self { json, at: 0 }
    }

    /// The byte here, once commas, colons and white space are behind.
    fn next_byte(&mut self) -> Option<u8> {
        loop {
            match *self.json.as_bytes().get(self.at)? {
                b',' | b':' | b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    /// The string that starts here, quotes included.
    fn string(&mut self) -> &'a str {
        let (bytes, start) = (self.json.as_bytes(), self.at);
        self.at += 1;
        while let Some(byte) = bytes.get(self.at) {
            self.at += match byte {
                b'"' => {
                    self.at += 1;
                    break;
                }
                // And what is escaped.
                b'\\' => 2,
                _ => 1,
            };
        }
        &self.json[start..self.at.min(bytes.len())]
    }

    /// Whether what is next says that a name of a field was before.
    fn is_at_colon(&self) -> bool {
        let rest = &self.json.as_bytes()[self.at.min(self.json.len())..];
        rest.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let byte = self.next_byte()?;
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
                if self.is_at_colon() { Token::Key(text) } else { Token::Text(text) }
            }
            _ => {
                let (bytes, start) = (self.json.as_bytes(), self.at);
                while let Some(byte) = bytes.get(self.at)
                    && !matches!(byte, b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t')
                {
                    self.at += 1;
                }
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
