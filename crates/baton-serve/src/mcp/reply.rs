use std::fmt::Write as _;

use baton_core::ids::RunId;
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Map, Value, json};

use crate::face::{FaceError, OrchestrateReply};

/// The longest text, in bytes, and the longest structured content: each under 8,000 tokens of a model's context.
const LONGEST: usize = 24_000;

/// A decision as a tool's result: the whole as structured content, the summary as text.
pub(crate) fn success(reply: OrchestrateReply) -> CallToolResult {
    let text = cut(reply.text, &format!("[cut here; the rest: `baton show {}`]", reply.run));
    let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
    result.structured_content = Some(bounded(reply.decision, &reply.run));
    result
}

/// A failure as a tool's result, because a client shows those to its model and its user, and hides protocol errors.
pub(crate) fn failure(error: &FaceError) -> CallToolResult {
    let mut text = error.message.clone();
    if !error.hint.is_empty() {
        let _ = write!(text, "\n\nWhat to do: {}", error.hint);
    }
    CallToolResult::error(vec![ContentBlock::text(cut(text, "[cut here]"))])
}

/// Ends a text that is too long, at the end of a line where there is one near, with a last word on the rest.
fn cut(mut text: String, last: &str) -> String {
    if text.len() <= LONGEST {
        return text;
    }
    let mut end = LONGEST.saturating_sub(last.len() + 2);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    if let Some(line) = text.rfind('\n').filter(|line| line * 2 > end) {
        text.truncate(line);
    }
    text + "\n\n" + last
}

/// Adds the run, and leaves the largest parts away until the rest fits, naming them.
fn bounded(decision: Value, run: &RunId) -> Value {
    let mut fields = match decision {
        Value::Object(fields) => fields,
        other => Map::from_iter([("decision".to_owned(), other)]),
    };
    fields.entry("run").or_insert_with(|| json!(run.as_str()));
    if size(&Value::Object(fields.clone())) <= LONGEST {
        return Value::Object(fields);
    }
    let mut sizes: Vec<(String, usize)> =
        fields.iter().filter(|(name, _)| is_optional(name)).map(|(name, value)| (name.clone(), size(value))).collect();
    sizes.sort_by_key(|(_, size)| *size);
    let mut total = size(&Value::Object(fields.clone()));
    let mut omitted = Vec::new();
    while total > LONGEST
        && let Some((name, size)) = sizes.pop()
    {
        fields.remove(&name);
        total = total.saturating_sub(size);
        omitted.push(name);
    }
    fields.insert("omitted".to_owned(), json!(omitted));
    fields.insert("whole".to_owned(), json!(format!("baton show {run} --json")));
    Value::Object(fields)
}

/// What a program needs to know at least, however large the rest is.
fn is_optional(name: &str) -> bool {
    !matches!(name, "schema" | "run" | "recommendation" | "overallConfidence" | "threshold" | "blockers" | "verdict")
}

fn size(value: &Value) -> usize {
    value.to_string().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> RunId {
        RunId::parse("0192f3a4").unwrap()
    }

    #[test]
    fn a_long_text_ends_at_a_line_and_says_where_the_rest_is() {
        let text = "a line of some length, with ä\n".repeat(2_000);
        let short = cut(text, "[the rest]");
        assert!(short.len() <= LONGEST);
        assert!(short.ends_with("with ä\n\n[the rest]"));
        assert_eq!(cut("short".to_owned(), "x"), "short");
    }

    #[test]
    fn a_text_of_wide_characters_is_cut_between_them() {
        for lead in ["", "a", "ab", "abc"] {
            let short = cut(format!("{lead}{}", "𝄞".repeat(10_000)), "[the rest]");
            assert!(short.len() <= LONGEST && short.ends_with("𝄞\n\n[the rest]"));
        }
    }

    #[test]
    fn a_decision_that_fits_is_left_as_it_is() {
        let decision = json!({"schema": "baton.decision/1", "recommendation": "proceed", "issues": []});
        let kept = bounded(decision, &run());
        assert_eq!(
            kept,
            json!({"schema": "baton.decision/1", "recommendation": "proceed", "issues": [], "run": "0192f3a4"})
        );
    }

    #[test]
    fn a_decision_that_is_too_large_loses_its_largest_parts_and_says_so() {
        let long = "x".repeat(20_000);
        let decision = json!({
            "schema": "baton.decision/1", "recommendation": "review_required", "verdict": "reject",
            "issues": [long, long], "reasoning": [long], "checks": ["short"],
        });
        let kept = bounded(decision, &run());
        assert!(size(&kept) <= LONGEST + 200);
        assert_eq!(kept["omitted"], json!(["issues"]));
        assert_eq!(kept["whole"], "baton show 0192f3a4 --json");
        assert_eq!(kept["recommendation"], "review_required");
        assert_eq!(kept["checks"], json!(["short"]));
    }

    #[test]
    fn a_decision_that_is_no_object_still_becomes_one() {
        assert_eq!(bounded(json!("odd"), &run()), json!({"decision": "odd", "run": "0192f3a4"}));
    }
}
