//! JSON as models write it when they slip: single or curly quotes, bare keys and words, comments, commas too many, the
//! end missing. Nothing is guessed: a text, number or word that was cut off is left out, and what is no JSON even so
//! is none.

use serde_json::{Map, Number, Value};

/// Deeper nesting than this is no trailer.
const DEEPEST: usize = 16;

/// The object that a text begins with, whatever follows it; `None` when there is none.
pub(super) fn object(text: &str) -> Option<Map<String, Value>> {
    object_until(text).map(|(fields, _)| fields)
}

/// As [`object`], with the length of what was read; one that is cut off goes to the end of the text.
pub(super) fn object_until(text: &str) -> Option<(Map<String, Value>, usize)> {
    let mut reader = Reader { rest: text.trim_start(), depth: 0, cut: false };
    match reader.value()? {
        Some(Value::Object(fields)) => Some((fields, text.len() - reader.rest.len())),
        _ => None,
    }
}

/// The object that the text begins with also ends in it.
pub(super) fn closed(text: &str) -> bool {
    let mut reader = Reader { rest: text.trim_start(), depth: 0, cut: false };
    matches!(reader.value(), Some(Some(Value::Object(_)))) && !reader.cut
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
    /// The text ended inside of something.
    cut: bool,
}

/// Outer `None`: this is no JSON. Inner `None`: the text ended before the value did.
type Read = Option<Option<Value>>;

impl Reader<'_> {
    fn value(&mut self) -> Read {
        self.skip();
        match self.rest.chars().next() {
            None => Some(None),
            Some('{') => self.nested(Self::fields),
            Some('[') => self.nested(Self::items),
            Some(quote) if closing(quote).is_some() => Some(self.text()?.map(Value::String)),
            Some(_) => self.bare(),
        }
    }

    fn nested(&mut self, read: impl Fn(&mut Self) -> Read) -> Read {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        self.rest = &self.rest[1..];
        let value = read(self);
        self.depth -= 1;
        value
    }

    /// After the opening brace. An object that is cut off keeps the fields that are whole.
    fn fields(&mut self) -> Read {
        let mut fields = Map::new();
        loop {
            self.skip();
            match self.rest.chars().next() {
                None => {
                    self.cut = true;
                    return Some(Some(Value::Object(fields)));
                }
                Some('}') => {
                    self.rest = &self.rest[1..];
                    return Some(Some(Value::Object(fields)));
                }
                Some(',') => self.rest = &self.rest[1..],
                Some(_) => {
                    let Some(key) = self.key()? else { continue };
                    if let Some(value) = self.value()? {
                        fields.insert(key, value);
                    }
                }
            }
        }
    }

    fn items(&mut self) -> Read {
        let mut items = Vec::new();
        loop {
            self.skip();
            match self.rest.chars().next() {
                None => {
                    self.cut = true;
                    return Some(Some(Value::Array(items)));
                }
                Some(']') => {
                    self.rest = &self.rest[1..];
                    return Some(Some(Value::Array(items)));
                }
                Some(',') => self.rest = &self.rest[1..],
                Some(_) => items.extend(self.value()?),
            }
        }
    }

    /// A key and its colon; inner `None` when the text ends first.
    fn key(&mut self) -> Option<Option<String>> {
        let quoted = self.rest.chars().next().and_then(closing).is_some();
        if !quoted && self.rest.starts_with(|c: char| !in_word(c)) {
            return None;
        }
        let key = if quoted { self.text()? } else { self.word() };
        let Some(key) = key else { return Some(None) };
        self.skip();
        match self.rest.chars().next() {
            None => Some(None),
            Some(':') => {
                self.rest = &self.rest[1..];
                Some(Some(key))
            }
            Some(_) => None,
        }
    }

    /// A quoted text with its escapes; inner `None` when it is not closed.
    fn text(&mut self) -> Option<Option<String>> {
        let end = self.rest.chars().next().and_then(closing)?;
        let mut out = String::new();
        let mut characters = self.rest.char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            if character == '\\' {
                match characters.next() {
                    Some((_, escaped)) => unescape(escaped, &mut characters, &mut out),
                    None => break,
                }
            } else if end.contains(&character) && self.closes(at + character.len_utf8(), character) {
                self.rest = &self.rest[at + character.len_utf8()..];
                return Some(Some(out));
            } else {
                out.push(character);
            }
        }
        self.rest = "";
        Some(None)
    }

    /// An apostrophe inside a text in single quotes does not close it: what closes is followed by punctuation.
    fn closes(&self, after: usize, quote: char) -> bool {
        quote == '"' || !self.rest[after..].chars().next().is_some_and(char::is_alphanumeric)
    }

    /// A word without quotes: a name of letters, digits and `_`; `None` when the text ends with it.
    fn word(&mut self) -> Option<String> {
        let Some(end) = self.rest.find(|c: char| !in_word(c)) else {
            self.rest = "";
            return None;
        };
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then(|| word.to_owned())
    }

    fn bare(&mut self) -> Read {
        if self.rest.starts_with(|c: char| !in_word(c)) {
            return None;
        }
        let Some(word) = self.word() else { return Some(None) };
        if let Ok(number) = serde_json::from_str::<Number>(&word) {
            return Some(Some(Value::Number(number)));
        }
        Some(Some(match word.to_lowercase().as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" | "none" | "nan" | "undefined" | "infinity" | "-infinity" | "inf" | "-inf" => Value::Null,
            _ => Value::String(word),
        }))
    }

    /// Spaces and comments.
    fn skip(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            let line = self.rest.starts_with("//") || self.rest.starts_with('#');
            let end = match (line, self.rest.starts_with("/*")) {
                (true, _) => self.rest.find('\n').unwrap_or(self.rest.len()),
                (_, true) => self.rest.find("*/").map_or(self.rest.len(), |at| at + 2),
                _ => return,
            };
            self.rest = &self.rest[end..];
        }
    }
}

fn in_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-' | '.' | '+')
}

/// What ends a text that begins with this mark.
fn closing(quote: char) -> Option<&'static [char]> {
    match quote {
        '"' => Some(&['"']),
        '\'' => Some(&['\'']),
        '\u{201c}' | '\u{201d}' => Some(&['\u{201d}', '\u{201c}']),
        '\u{2018}' => Some(&['\u{2019}']),
        _ => None,
    }
}

fn unescape(escaped: char, characters: &mut impl Iterator<Item = (usize, char)>, out: &mut String) {
    match escaped {
        'n' => out.push('\n'),
        't' => out.push('\t'),
        'r' | 'b' | 'f' => out.push(' '),
        'u' => {
            let digits: String = characters.take(4).map(|(_, digit)| digit).collect();
            let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
            out.push(code.unwrap_or('\u{fffd}'));
        }
        other => out.push(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn reads(text: &str) -> Value {
        object(text).map_or(Value::Null, Value::Object)
    }

    #[test]
    fn slips_of_every_kind_are_mended() {
        let wanted = json!({"verdict": "revise", "confidence": 0.5, "findings": []});
        for text in [
            "{'verdict': 'revise', 'confidence': 0.5, 'findings': []}",
            "{verdict: revise, confidence: 0.5, findings: []}",
            "{\"verdict\": \"revise\", \"confidence\": 0.5, \"findings\": [,],}",
            "{ // mine\n\"verdict\": \"revise\", /* sure */ \"confidence\": 0.5, # end\n\"findings\": []}",
            "{\u{201c}verdict\u{201d}: \u{201c}revise\u{201d}, \u{201c}confidence\u{201d}: 0.5, \u{201c}findings\u{201d}: []}",
            "{\"verdict\": \"revise\" \"confidence\": 0.5 \"findings\": []} and more",
        ] {
            assert_eq!(reads(text), wanted, "{text}");
        }
    }

    #[test]
    fn what_was_cut_off_is_left_out() {
        assert_eq!(reads("{\"verdict\":\"rej"), json!({}));
        assert_eq!(reads("{\"verdict\":\"reject\",\"confidence\":0.9"), json!({"verdict": "reject"}));
        assert_eq!(
            reads("{\"verdict\":\"reject\",\"findings\":[{\"line\":4,\"claim\":\"a\"},{\"line\":5,\"claim\":\"no te"),
            json!({"verdict": "reject", "findings": [{"line": 4, "claim": "a"}, {"line": 5}]})
        );
        assert_eq!(reads("{\"verdict\":no"), json!({}), "a bare word at the end may be half a word");
    }

    #[test]
    fn odd_values_are_values_or_nothing() {
        assert_eq!(
            reads("{confidence: NaN, ok: True, x: 'it\\'s', y: 'don't'}"),
            json!({"confidence": null, "ok": true, "x": "it's", "y": "don't"})
        );
        assert_eq!(reads("{a: \"\\u00e4\\n\"}"), json!({"a": "\u{e4}\n"}));
        for text in ["", "[]", "{]", "{a}", "{\"a\" \"b\"}", "plain", "{{}}", "{=}", "{a: =}"] {
            assert_eq!(reads(text), Value::Null, "{text}");
        }
        assert_eq!(reads(&"{\"a\":".repeat(100)), Value::Null, "too deep");
    }
}
