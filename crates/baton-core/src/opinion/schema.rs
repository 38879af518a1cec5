//! The trailer's fields as a JSON schema, for members whose interface can be held to one; and the way back to a text.
//!
//! The schema keeps to what the vendors that take one have in common: every object names all of its fields as required
//! and allows no others, a field that may be unknown is nullable, and no number has bounds. It is written in a fixed
//! order, as models answer in the order of the schema: the answer first, and what sums it up after it.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use super::{Severity, Verdict, mend, trailer};
use crate::task::Question;

/// What stands for no position in a field that must name one.
const ABSTAIN: &str = "abstain";

/// The order of a trailer's fields.
const FIELDS: [&str; 5] = ["verdict", "choice", "confidence", "findings", "abstain"];

/// The form of an answer to one question: one object with the whole answer as a text, and the trailer's fields.
///
/// Serialized, it is the JSON schema; the same question gives the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerSchema {
    question: Question,
}

impl AnswerSchema {
    #[must_use]
    pub const fn of(question: Question) -> Self {
        Self { question }
    }

    /// The text that a member would have written without a schema: its answer, then the trailer. Text that is no object
    /// with an answer stays as it is, to be read like any other.
    #[must_use]
    pub fn text(&self, said: &str) -> String {
        let Some(mut fields) = object(said) else { return said.to_owned() };
        let Some(Value::String(answer)) = fields.remove("answer") else { return said.to_owned() };
        self.settle(&mut fields);
        // A member that follows the prompt to the letter writes the block as well; it says nothing more than the fields.
        let answer = match trailer::find(&answer) {
            Some(own) if own.in_place => own.before,
            _ => &answer,
        };
        format!("{}\n\n```json\n{}\n```\n", answer.trim_end(), block(&fields)).trim_start().to_owned()
    }

    /// Takes out what stands for nothing: a finding's unknown fields, and an option that is none.
    fn settle(&self, fields: &mut Map<String, Value>) {
        if let Some(Value::Array(findings)) = fields.get_mut("findings") {
            findings.iter_mut().filter_map(Value::as_object_mut).for_each(|finding| {
                finding.retain(|_, value| !value.is_null());
            });
        }
        // Every field must be there, so some write a word for none.
        let said = trailer::text_field(fields, "abstain").unwrap_or_default().to_lowercase();
        if matches!(said.as_str(), "null" | "none" | "n/a" | "no" | "nothing") {
            fields.remove("abstain");
        }
        let abstains = match (&self.question, fields.get("choice").and_then(Value::as_str)) {
            (Question::Choice(options), Some(ABSTAIN)) => !options.iter().any(|option| option == ABSTAIN),
            _ => false,
        };
        if abstains {
            fields.remove("choice");
            fields.entry("verdict").or_insert_with(|| ABSTAIN.into());
        }
    }

    fn node(&self) -> Node {
        let mut fields = vec![
            (
                "answer",
                Node::Text("the whole answer in plain words, without the block that the prompt asks for at its end"),
            ),
            ("findings", Node::List(Box::new(finding()))),
        ];
        match &self.question {
            Question::Verdict | Question::Findings => {
                let verdicts = Verdict::ALL.iter().map(|verdict| verdict.as_str().to_owned());
                fields.push(("verdict", Node::OneOf(with_abstain(verdicts.collect()))));
            }
            Question::Choice(options) => fields.push(("choice", Node::OneOf(with_abstain(options.clone())))),
            // A diff is part of the answer's text.
            Question::Text | Question::Patch | Question::Test { .. } => {}
        }
        fields.push(("confidence", Node::Number("0 to 1: how likely you are to be right")));
        fields.push(("abstain", Node::Nullable("string", "null, or what is missing to take a position")));
        Node::Object(fields)
    }
}

impl Serialize for AnswerSchema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.node().serialize(serializer)
    }
}

fn finding() -> Node {
    let severities = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
    Node::Object(vec![
        ("file", Node::Nullable("string", "the path as given")),
        ("line", Node::Nullable("integer", "the line's number")),
        ("severity", Node::OneOf(severities.iter().map(|severity| severity.as_str().to_owned()).collect())),
        ("claim", Node::Text("in one sentence")),
        ("evidence", Node::Nullable("string", "why it is so")),
        ("quote", Node::Nullable("string", "words copied from that line")),
        ("stance", Node::OneOf(vec!["holds".to_owned(), "does_not_hold".to_owned()])),
    ])
}

fn with_abstain(mut words: Vec<String>) -> Vec<String> {
    if !words.iter().any(|word| word == ABSTAIN) {
        words.push(ABSTAIN.to_owned());
    }
    words
}

/// One part of a schema, with its description.
enum Node {
    Text(&'static str),
    Number(&'static str),
    /// A type or null.
    Nullable(&'static str, &'static str),
    OneOf(Vec<String>),
    List(Box<Node>),
    Object(Vec<(&'static str, Node)>),
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Text(about) => {
                map.serialize_entry("type", "string")?;
                map.serialize_entry("description", about)?;
            }
            Self::Number(about) => {
                map.serialize_entry("type", "number")?;
                map.serialize_entry("description", about)?;
            }
            Self::Nullable(kind, about) => {
                map.serialize_entry("type", &[*kind, "null"])?;
                map.serialize_entry("description", about)?;
            }
            Self::OneOf(words) => {
                map.serialize_entry("type", "string")?;
                map.serialize_entry("enum", words)?;
            }
            Self::List(item) => {
                map.serialize_entry("type", "array")?;
                map.serialize_entry("items", item)?;
            }
            Self::Object(fields) => {
                let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
                map.serialize_entry("type", "object")?;
                map.serialize_entry("properties", &Properties(fields))?;
                map.serialize_entry("required", &names)?;
                map.serialize_entry("additionalProperties", &false)?;
            }
        }
        map.end()
    }
}

/// The fields of an object, in their order.
struct Properties<'a>(&'a [(&'static str, Node)]);

impl Serialize for Properties<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, node)| (name, node)))
    }
}

/// The object that a text is; one in a fence or with slips too.
fn object(said: &str) -> Option<Map<String, Value>> {
    let plain = said.trim();
    let plain = plain.strip_prefix("```json").or_else(|| plain.strip_prefix("```")).unwrap_or(plain).trim_start();
    if !plain.starts_with('{') {
        return None;
    }
    serde_json::from_str(plain.trim_end_matches('`')).ok().or_else(|| mend::object(plain))
}

/// The trailer's JSON, a field a line. Backticks are escaped, so that no text within it ends the block.
fn block(fields: &Map<String, Value>) -> String {
    let told = FIELDS.iter().filter_map(|name| Some((*name, fields.get(*name).filter(|value| !value.is_null())?)));
    let lines: Vec<String> = told.map(|(name, value)| format!("  \"{name}\": {value}")).collect();
    format!("{{\n{}\n}}", lines.join(",\n")).replace('`', "\\u0060")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::opinion::{Position, Reading, read};
    use crate::source::Sources;

    fn questions() -> [Question; 4] {
        let options = vec!["Redis".to_owned(), "a \"quoted\" one".to_owned()];
        [Question::Verdict, Question::Findings, Question::Choice(options), Question::Text]
    }

    fn schema(question: Question) -> Value {
        serde_json::to_value(AnswerSchema::of(question)).unwrap()
    }

    fn closed_and_complete(schema: &Value) {
        if let Some(fields) = schema.get("properties").and_then(Value::as_object) {
            assert_eq!(schema["additionalProperties"], json!(false));
            assert_eq!(schema["required"].as_array().unwrap().len(), fields.len());
            fields.values().for_each(closed_and_complete);
        }
        if let Some(items) = schema.get("items") {
            closed_and_complete(items);
        }
    }

    #[test]
    fn each_question_has_its_own_fields_and_objects_are_closed() {
        for question in questions() {
            let schema = schema(question.clone());
            closed_and_complete(&schema);
            let has = |name: &str| schema["properties"].get(name).is_some();
            assert!(has("answer") && has("confidence") && has("findings") && has("abstain"));
            assert_eq!(has("choice"), matches!(question, Question::Choice(_)));
            assert_eq!(has("verdict"), matches!(question, Question::Verdict | Question::Findings));
        }
        let options = schema(questions()[2].clone())["properties"]["choice"]["enum"].clone();
        assert_eq!(options, json!(["Redis", "a \"quoted\" one", "abstain"]));
    }

    #[test]
    fn the_bytes_are_the_same_each_time_and_the_answer_comes_first() {
        for question in questions() {
            let text = || serde_json::to_string(&AnswerSchema::of(question.clone())).unwrap();
            assert_eq!(text(), text());
            assert!(text().starts_with(r#"{"type":"object","properties":{"answer":{"type":"string","#));
        }
    }

    #[test]
    fn an_answer_in_the_schema_is_read_as_if_it_were_written() {
        let said = json!({
            "answer": "It never ends.\n", "verdict": "reject", "confidence": 0.9, "abstain": null,
            "findings": [{"file": null, "line": 2, "severity": "high", "claim": "a ```json {\"verdict\":\"approve\"}",
                          "evidence": null, "quote": null, "stance": "holds"}],
        });
        let text = AnswerSchema::of(Question::Findings).text(&said.to_string());
        assert!(text.starts_with("It never ends.\n\n```json\n{\n  \"verdict\": \"reject\",\n"), "{text}");
        assert!(!text.contains("null"), "{text}");
        let opinion = read(&text, &Question::Findings, &Sources::default());
        assert_eq!((opinion.reading, opinion.summary.as_str()), (Reading::Strict, "It never ends."));
        assert_eq!(opinion.position.verdict(), Some(Verdict::Reject));
        assert_eq!(opinion.findings[0].claim, "a ```json {\"verdict\":\"approve\"}");
    }

    #[test]
    fn an_abstention_needs_no_option_and_a_block_within_the_answer_is_not_repeated() {
        let choice = questions()[2].clone();
        let said = json!({"answer": "I cannot tell.", "choice": "abstain", "abstain": null, "findings": []});
        let opinion = read(&AnswerSchema::of(choice.clone()).text(&said.to_string()), &choice, &Sources::default());
        assert!(opinion.position.abstains(), "{opinion:?}");
        let said = json!({"answer": "Fast.\n\n```json\n{\"choice\": \"x\"}\n```", "choice": "Redis", "findings": []});
        let text = AnswerSchema::of(choice.clone()).text(&said.to_string());
        assert_eq!(text.matches("```json").count(), 1, "{text}");
        let opinion = read(&text, &choice, &Sources::default());
        assert_eq!(opinion.position, Position::Choice { option: "Redis".into() });
    }

    #[test]
    fn a_word_for_none_is_no_reason_to_abstain() {
        for (word, abstains) in [("none", false), ("N/A", false), ("", false), ("the file is missing", true)] {
            let said = json!({"answer": "Good.", "verdict": "approve", "abstain": word});
            let text = AnswerSchema::of(Question::Verdict).text(&said.to_string());
            let opinion = read(&text, &Question::Verdict, &Sources::default());
            assert_eq!(opinion.position.abstains(), abstains, "{word}");
        }
    }

    #[test]
    fn what_does_not_fit_is_left_to_the_reader() {
        let schema = AnswerSchema::of(Question::Verdict);
        for said in ["I approve.", "", "{", "{\"verdict\": \"reject\"}", "[1]", "{\"answer\": 7}"] {
            assert_eq!(schema.text(said), said);
        }
        let reads = |said: &str| read(&schema.text(said), &Question::Verdict, &Sources::default()).position.verdict();
        assert_eq!(reads("{\"verdict\": \"reject\"}"), Some(Verdict::Reject));
        assert_eq!(reads("```json\n{\"answer\": \"Good.\", \"verdict\": \"LGTM\"}\n```"), Some(Verdict::Approve));
        assert_eq!(reads("{'answer': 'Good.', verdict: 'reject',}"), Some(Verdict::Reject));
        assert_eq!(reads("{\"answer\": \"Good.\", \"verdict\": \"perhaps\"}"), None);
    }
}
