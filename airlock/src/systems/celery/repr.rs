//! `argsrepr` and `kwargsrepr`: the call as the worker's log and its monitors show it, written as Celery's `saferepr`
//! does (celery 5.7.0, `utils/saferepr.py`): three levels deep, about 1024 characters long, cut at a value and with the
//! brackets closed. Values of `#[redact]` parameters are `'***'`. Floats keep JSON's spelling.

use crate::systems::python::readable::text;
use crate::systems::python::tokens::{Token, Tokens};
use crate::task::Parameter;

/// `task_repr_maxlevels` and `argsrepr_maxsize`, as Celery sets them.
const MAX_LEVELS: usize = 3;
const MAX_CHARS: usize = 1024;

/// The arguments of a task, as an object by name or an array by position.
pub(super) fn repr(arguments: &str, parameters: &[Parameter]) -> String {
    let mut repr = Repr {
        tokens: Tokens::new(arguments),
        parameters,
        level: 0,
        out: String::with_capacity(arguments.len().min(MAX_CHARS)),
        left: MAX_CHARS,
        cut: false,
    };
    if let Some(token) = repr.tokens.next() {
        repr.value(token);
    }
    repr.out
}

struct Repr<'a> {
    tokens: Tokens<'a>,
    parameters: &'a [Parameter],
    /// How many containers are around.
    level: usize,
    out: String,
    /// How many characters are left.
    left: usize,
    /// Whether there were more: nothing but closing brackets follows.
    cut: bool,
}

impl Repr<'_> {
    fn value(&mut self, token: Token<'_>) {
        match token {
            Token::Open(b'{') => self.container("{", "{...}", '}'),
            Token::Open(_) => self.container("[", "[...]", ']'),
            Token::Text(quoted) => self.quoted(quoted),
            Token::Plain("null") => self.plain("None"),
            Token::Plain("true") => self.plain("True"),
            Token::Plain("false") => self.plain("False"),
            Token::Plain(number) => self.plain(number),
            Token::Close(_) | Token::Key(_) => {}
        }
    }

    fn container(&mut self, open: &str, folded: &str, close: char) {
        if self.level == MAX_LEVELS {
            self.literal(folded);
            return self.skip();
        }
        let shown = self.literal(open);
        self.level += 1;
        let mut index = 0;
        while let Some(token) = self.tokens.next().filter(|token| !matches!(token, Token::Close(_))) {
            if index > 0 {
                self.literal(", ");
            }
            let value = if let Token::Key(key) = token {
                self.quoted(key);
                self.literal(": ");
                self.tokens.next()
            } else {
                Some(token)
            };
            let Some(value) = value else { break };
            if self.level == 1 && self.parameters.get(index).is_some_and(|parameter| parameter.redacted) {
                self.quoted("\"***\"");
                if matches!(value, Token::Open(_)) {
                    self.skip();
                }
            } else {
                self.value(value);
            }
            index += 1;
        }
        self.level -= 1;
        if shown {
            self.out.push(close);
            self.left = self.left.saturating_sub(1);
        }
    }

    /// Past the end of the container that was just opened.
    fn skip(&mut self) {
        let mut depth = 1;
        while depth > 0 {
            match self.tokens.next() {
                Some(Token::Open(_)) => depth += 1,
                Some(Token::Close(_)) => depth -= 1,
                Some(_) => {}
                None => return,
            }
        }
    }

    /// Whether there is room for one more piece; the first time there is none, that is said.
    fn has_room(&mut self) -> bool {
        if self.left == 0 && !self.cut {
            self.out.push_str(", ...");
            self.cut = true;
        }
        !self.cut
    }

    fn push(&mut self, text: &str) {
        self.out.push_str(text);
        self.left = self.left.saturating_sub(text.chars().count());
    }

    fn literal(&mut self, text: &str) -> bool {
        let room = self.has_room();
        if room {
            self.push(text);
        }
        room
    }

    fn plain(&mut self, value: &str) {
        if !self.has_room() {
        } else if value.len() < self.left {
            self.push(value);
        } else {
            self.push(&truncated(value, self.left));
        }
    }

    fn quoted(&mut self, quoted: &str) {
        if self.has_room() {
            // What is no text is refused before; it would go unseen here.
            let value = text(quoted).unwrap_or_default();
            if value.len() < self.left && !value.contains('\'') {
                self.push("'");
                self.push(&value);
                self.push("'");
                return;
            }
            let shown = format!("'{}'", truncated(&value, self.left).replace('\'', "\\'"));
            self.push(&shown);
        }
    }
}

/// Celery's `truncate`: cut to so many characters, at a space if there is one, and with an ellipsis.
fn truncated(text: &str, limit: usize) -> String {
    if text.len() < limit {
        return text.to_owned();
    }
    let Some((end, _)) = text.char_indices().nth(limit) else {
        // As many characters as the limit are cut, too.
        return if text.chars().count() < limit { text.to_owned() } else { ellipsis(text) };
    };
    ellipsis(&text[..end])
}

fn ellipsis(text: &str) -> String {
    format!("{}...", text.rsplit_once(' ').map_or(text, |(head, _)| head))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `saferepr(value, maxlen=1024)` of celery 5.7.0 gives for the same values.
    #[test]
    fn it_reads_as_what_celery_writes() {
        for (json, expected) in [
            ("{}", "{}"),
            (
                r#"[1,"héllo ☃",1180591620717411303424,null,{"a":[1,{"b":null}],"f":1.5}]"#,
                "[1, 'héllo ☃', 1180591620717411303424, None, {'a': [1, {...}], 'f': 1.5}]",
            ),
            (r#"{"k":"v","n":null,"t":true}"#, "{'k': 'v', 'n': None, 't': True}"),
            (r#"[1,"a'b\n\\"]"#, "[1, 'a\\'b\n\\']"),
            (
                r#"{"l":[],"d":{},"nest":[[[[1]]]],"m":-0.0,"tup":[{"a":{"b":{"c":1}}}],"z":false}"#,
                "{'l': [], 'd': {}, 'nest': [[[...]]], 'm': -0.0, 'tup': [{'a': {...}}], 'z': False}",
            ),
        ] {
            assert_eq!(repr(json, &[]), expected);
        }
    }

    #[test]
    fn what_is_too_long_is_cut_as_celery_cuts_it() {
        let (y, z) = ("y".repeat(1000), "z".repeat(50));
        let json = format!(r#"{{"a":"{y}","b":"{z}","c":[1,2,3]}}"#);
        assert_eq!(repr(&json, &[]), format!("{{'a': '{y}', 'b': '{}...', ...}}", &z[..9]));
        let json = format!(r#"{{"long":"{}"}}"#, "x".repeat(2000));
        assert_eq!(repr(&json, &[]), format!("{{'long': '{}...'}}", "x".repeat(1015)));
        let numbers: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
        let shown = repr(&format!("{{\"l\":[{}]}}", numbers.join(",")), &[]);
        assert!(shown.ends_with("223, 224, 22..., ...]}"), "{shown}");
        assert_eq!(shown.len(), 1034);
    }

    #[test]
    fn redacted_values_are_stars_whatever_they_are() {
        let parameters = [
            Parameter::new("id", "u64"),
            Parameter::new("token", "String").redacted(),
            Parameter::new("card", "Card").redacted(),
            Parameter::new("last", "u8"),
        ];
        let named = r#"{"id":1,"token":"s3cret","card":{"number":[4,2]},"last":3}"#;
        assert_eq!(repr(named, &parameters), "{'id': 1, 'token': '***', 'card': '***', 'last': 3}");
        let positional = r#"[1,"s3cret",{"number":[4,2]},3]"#;
        assert_eq!(repr(positional, &parameters), "[1, '***', '***', 3]");
    }
}
