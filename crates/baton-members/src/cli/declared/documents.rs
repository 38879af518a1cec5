//! From lines to JSON values: one a line, or one over many lines.

use serde_json::Value;

/// How a program writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// One document, on one line or indented over many.
    Json,
    /// One event a line.
    Lines,
    /// No structure.
    Text,
}

/// Puts lines together until they are a value. A document begins in the first column of a line and ends in that of
/// another, as every printer of indented JSON writes it; what stands around it is noise.
#[derive(Clone, Debug, Default)]
pub(crate) struct Documents {
    open: Vec<u8>,
}

impl Documents {
    /// The values that this line completes; those of an array one by one.
    pub(crate) fn line(&mut self, line: &[u8]) -> Vec<Value> {
        let line = line.trim_ascii_end();
        if matches!(line.first(), Some(b'{' | b'[')) {
            self.open.clear();
        } else if self.open.is_empty() {
            return Vec::new();
        }
        self.open.extend_from_slice(line);
        self.open.push(b'\n');
        let begins_and_ends = self.open.len() == line.len() + 1 && matches!(line.last(), Some(b'}' | b']'));
        if !begins_and_ends && !matches!(line.first(), Some(b'}' | b']')) {
            return Vec::new();
        }
        match serde_json::from_slice(&self.open) {
            Ok(value) => {
                self.open.clear();
                each(value)
            }
            Err(_) => Vec::new(),
        }
    }
}

/// The events of one line.
pub(crate) fn in_line(line: &[u8]) -> Vec<Value> {
    serde_json::from_slice(line).map(each).unwrap_or_default()
}

/// Only objects are events.
fn each(value: Value) -> Vec<Value> {
    let values = match value {
        Value::Array(values) => values,
        value => vec![value],
    };
    values.into_iter().filter(Value::is_object).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn all(text: &str) -> Vec<Value> {
        let mut documents = Documents::default();
        text.lines().flat_map(|line| documents.line(line.as_bytes())).collect()
    }

    #[test]
    fn a_document_may_stand_on_one_line_or_on_many() {
        assert_eq!(all(r#"{"a":1}"#), [json!({ "a": 1 })]);
        assert_eq!(all("{\n  \"a\": {\n    \"b\": []\n  }\n}"), [json!({ "a": { "b": [] } })]);
        assert_eq!(all("[\n  {\n    \"a\": 1\n  },\n  2\n]"), [json!({ "a": 1 })]);
    }

    #[test]
    fn what_stands_around_it_is_noise() {
        assert_eq!(all("Loading {x}\n[info] ready\n{\n \"a\": 1\n}\nbye\n"), [json!({ "a": 1 })]);
        assert_eq!(all("{broken\n{\"a\":1}\n"), [json!({ "a": 1 })]);
    }

    #[test]
    fn half_a_document_is_none() {
        let whole = "{\n  \"a\": \"b\"\n}";
        assert!((0..whole.len()).all(|end| all(&whole[..end]).is_empty()));
        assert_eq!(in_line(b"{\"a\":"), [] as [Value; 0]);
        assert_eq!(in_line(b"7"), [] as [Value; 0]);
    }
}
