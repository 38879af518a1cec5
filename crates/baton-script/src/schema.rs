//! The schema that a request holds its answer to: where each dialect has it, whether a vendor would take it, and the
//! smallest answer that fits it.

use serde_json::{Map, Value};

use crate::dialect::Dialect;

/// What the dialects have for a schema, as it stands in the body.
#[derive(Debug, Default, serde::Deserialize)]
pub(crate) struct Fields {
    #[serde(default)]
    response_format: Value,
    #[serde(default)]
    text: Value,
    #[serde(default)]
    output_config: Value,
    #[serde(default, rename = "generationConfig")]
    generation_config: Value,
}

impl Fields {
    /// The schema, where one is asked for.
    pub(crate) fn schema(&self, dialect: Dialect) -> Option<&Value> {
        match dialect {
            Dialect::Chat => self.response_format.pointer("/json_schema/schema"),
            Dialect::Responses => self.text.pointer("/format/schema"),
            Dialect::Messages => self.output_config.pointer("/format/schema"),
            Dialect::Gemini => self.generation_config.get("responseJsonSchema"),
        }
    }

    /// Whether the vendor would refuse it: what stands beside the schema is not as it must be, or an object in it is
    /// open or leaves a field out of those that are required.
    pub(crate) fn is_refused(&self, dialect: Dialect) -> bool {
        let Some(schema) = self.schema(dialect) else { return false };
        let is = |value: Option<&Value>, wanted: &str| value.and_then(Value::as_str) == Some(wanted);
        let beside = match dialect {
            Dialect::Chat => {
                is(self.response_format.get("type"), "json_schema")
                    && is_named(self.response_format.pointer("/json_schema/name"))
            }
            Dialect::Responses => {
                is(self.text.pointer("/format/type"), "json_schema") && is_named(self.text.pointer("/format/name"))
            }
            Dialect::Messages => is(self.output_config.pointer("/format/type"), "json_schema"),
            Dialect::Gemini => is(self.generation_config.get("responseMimeType"), "application/json"),
        };
        !beside || (dialect != Dialect::Gemini && !is_strict(schema))
    }
}

/// Letters, digits, `_` and `-`, at most 64 of them.
fn is_named(name: Option<&Value>) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    name.and_then(Value::as_str).is_some_and(|name| (1..=64).contains(&name.len()) && name.bytes().all(plain))
}

/// Every object is closed and requires all of its fields.
fn is_strict(schema: &Value) -> bool {
    let fields = schema.get("properties").and_then(Value::as_object);
    let required = schema.get("required").and_then(Value::as_array);
    let closed = fields.is_none_or(|fields| {
        schema.get("additionalProperties") == Some(&Value::Bool(false))
            && required.is_some_and(|names| fields.keys().all(|name| names.iter().any(|known| known == name)))
            && fields.values().all(is_strict)
    });
    closed && schema.get("items").is_none_or(is_strict)
}

/// A reply as a vendor that is held to the schema would word it: an object stays as it is, and any other text becomes
/// the field `answer` of the smallest object that fits.
pub(crate) fn fitted(schema: &Value, text: &str) -> String {
    if serde_json::from_str::<Map<String, Value>>(text).is_ok() {
        return text.to_owned();
    }
    let mut object = smallest(schema);
    if let Some(answer) = object.get_mut("answer") {
        *answer = text.into();
    }
    object.to_string()
}

fn smallest(schema: &Value) -> Value {
    if let Some(first) = schema.get("enum").and_then(|words| words.get(0)) {
        return first.clone();
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("object") => {
            let fields = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
            Value::Object(fields.map(|(name, field)| (name.clone(), smallest(field))).collect())
        }
        Some("array") => Value::Array(Vec::new()),
        Some("string") => Value::String(String::new()),
        Some("number" | "integer") => 0.into(),
        Some("boolean") => false.into(),
        // A list of types has null among them.
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn closed() -> Value {
        json!({
            "type": "object", "additionalProperties": false, "required": ["answer", "word", "list", "maybe", "share"],
            "properties": {
                "answer": {"type": "string"}, "word": {"type": "string", "enum": ["yes", "no"]},
                "list": {"type": "array", "items": {"type": "string"}}, "maybe": {"type": ["string", "null"]},
                "share": {"type": "number"},
            },
        })
    }

    #[test]
    fn a_text_becomes_the_answer_of_the_smallest_object_and_an_object_stays() {
        let fits: Value = serde_json::from_str(&fitted(&closed(), "Hi \"you\".")).unwrap();
        assert_eq!(fits, json!({"answer": "Hi \"you\".", "word": "yes", "list": [], "maybe": null, "share": 0}));
        assert_eq!(fitted(&closed(), r#"{"word":7}"#), r#"{"word":7}"#);
    }

    #[test]
    fn open_and_incomplete_objects_are_refused_at_any_depth() {
        assert!(is_strict(&closed()));
        for (pointer, value) in [("/additionalProperties", json!(true)), ("/required", json!(["answer"]))] {
            let mut open = closed();
            *open.pointer_mut(pointer).unwrap() = value;
            assert!(!is_strict(&open), "{pointer}");
            let list = json!({"type": "array", "items": open});
            assert!(!is_strict(&list), "{pointer}");
        }
    }

    #[test]
    fn what_stands_beside_the_schema_is_checked_too() {
        let cases = [
            (
                Dialect::Chat,
                json!({"response_format": {"type": "json_schema", "json_schema": {"name": "a b", "schema": closed()}}}),
            ),
            (Dialect::Responses, json!({"text": {"format": {"type": "json_schema", "schema": closed()}}})),
            (Dialect::Messages, json!({"output_config": {"format": {"schema": closed()}}})),
            (Dialect::Gemini, json!({"generationConfig": {"responseJsonSchema": closed()}})),
        ];
        for (dialect, body) in cases {
            let fields: Fields = serde_json::from_value(body).unwrap();
            assert!(fields.schema(dialect).is_some() && fields.is_refused(dialect), "{dialect:?}");
        }
        assert!(!Fields::default().is_refused(Dialect::Chat));
    }
}
