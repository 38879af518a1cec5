//! What clients learn before they call anything: written down once, built at its first use, the same for every client.

use std::sync::{Arc, LazyLock};

use baton_core::task::{Complexity, Kind, Priority};
use rmcp::model::{Implementation, JsonObject, ServerCapabilities, ServerConfig, Tool, ToolAnnotations};
use serde_json::{Value, json};

pub(crate) const ORCHESTRATE: &str = "orchestrate";

/// The questions that a client can put, as arguments name them.
pub(crate) const QUESTIONS: [&str; 5] = ["verdict", "choice", "findings", "patch", "text"];

/// Upper bounds of the lists among the arguments.
pub(crate) const MOST_FILES: usize = 100;
pub(crate) const MOST_MEMBERS: usize = 16;
pub(crate) const MOST_CHOICES: usize = 20;

/// The arguments of `orchestrate`, as its schema has them.
pub(crate) const ARGUMENTS: [&str; 10] =
    ["task", "question", "choices", "kind", "complexity", "priority", "files", "members", "maxCostUsd", "session"];

const INSTRUCTIONS: &str = "baton puts one task to several models of different vendors, compares what they say, and \
returns one decision: a recommendation, a confidence, the findings that hold, who disagrees and why. Use \
`orchestrate` for reviews, design questions and choices where a second opinion is worth minutes and money; not for \
what you can answer or do yourself. Pass a progress token and a generous timeout. A recommendation other than \
`proceed` means that a person should look; report it with its confidence and dissent, unchanged.";

const DESCRIPTION: &str = "Ask a team of models of different vendors about a task and get one decision on it: \
recommendation (proceed, proceed_with_caution, review_required, conflict_resolution_needed), confidence, verdict or \
choice or answer, merged findings with file and line, conflicts, dissent and cost. Takes from seconds to many minutes, \
costs money or quota, and sends the task and the files to the vendors that the user allowed. Changes no files. The \
members do not see your conversation: say in `task` all that they need.";

/// Every tool, in the order in which clients see them.
pub(crate) fn all() -> &'static [Tool] {
    static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| vec![orchestrate()]);
    &TOOLS
}

pub(crate) fn server_info() -> ServerConfig {
    let implementation = Implementation::new("baton", env!("CARGO_PKG_VERSION"))
        .with_title("baton")
        .with_description("One task, many models, one decision that can be checked");
    ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
        .with_server_info(implementation)
        .with_instructions(INSTRUCTIONS)
}

fn orchestrate() -> Tool {
    // Not read-only: it spends money and keeps a record. Nothing is destroyed, and asking again asks and pays again.
    let annotations = ToolAnnotations::from_raw(None, Some(false), Some(false), Some(false), Some(true));
    Tool::new(ORCHESTRATE, DESCRIPTION, Arc::new(orchestrate_schema()))
        .with_title("Ask a team of models for a decision")
        .with_annotations(annotations)
}

fn orchestrate_schema() -> JsonObject {
    let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    let complexities: Vec<&str> = Complexity::ALL.iter().map(|complexity| complexity.as_str()).collect();
    // A client that checks its call by the schema may say "medium" as well.
    let priorities: Vec<&str> = Priority::ALL.iter().map(|priority| priority.as_str()).chain(["medium"]).collect();
    let properties = [
        ("task", json!({"type": "string", "minLength": 1, "description": "The task or question, self-contained."})),
        (
            "question",
            one_of(
                &QUESTIONS,
                "Approve or not, one of `choices`, what is wrong, or a text. Default: judged from the task.",
            ),
        ),
        ("choices", list("The options, for question `choice`.", 2, MOST_CHOICES)),
        ("kind", one_of(&kinds, "Sort of work. Default: judged from the task.")),
        ("complexity", one_of(&complexities, "Size of the team. Default: judged from the task.")),
        (
            "priority",
            one_of(
                &priorities,
                "What is at stake; sets the confidence needed. Default: normal, or medium, which is the same.",
            ),
        ),
        ("files", list("Files to send along: absolute paths, or relative to the server's directory.", 0, MOST_FILES)),
        ("members", list("Names of members to ask. Default: chosen by rule.", 0, MOST_MEMBERS)),
        (
            "maxCostUsd",
            json!({"type": "number", "exclusiveMinimum": 0, "description": "Spending cap. Default: the user's."}),
        ),
        (
            "session",
            json!({"type": "string", "description": "Name of a conversation: members remember earlier calls with it."}),
        ),
    ];
    let properties: JsonObject = properties.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    let mut schema = JsonObject::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Value::Object(properties));
    schema.insert("required".to_owned(), json!(["task"]));
    schema.insert("additionalProperties".to_owned(), json!(false));
    schema
}

fn one_of(names: &[&str], description: &str) -> Value {
    json!({"type": "string", "enum": names, "description": description})
}

fn list(description: &str, least: usize, most: usize) -> Value {
    let mut schema =
        json!({"type": "array", "items": {"type": "string"}, "maxItems": most, "description": description});
    if least > 0 {
        schema["minItems"] = json!(least);
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_has_the_arguments_that_are_read_and_no_other() {
        let schema = orchestrate_schema();
        let mut named: Vec<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        let mut read = ARGUMENTS.to_vec();
        named.sort_unstable();
        read.sort_unstable();
        assert_eq!(named, read);
    }
}
