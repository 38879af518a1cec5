use std::path::PathBuf;

use baton_core::ids::{MemberId, SessionName};
use baton_core::task::{Complexity, Kind, Priority, Question};
use rmcp::model::JsonObject;
use serde_json::Value;

use super::tools::{ARGUMENTS, MOST_CHOICES, MOST_FILES, MOST_MEMBERS, QUESTIONS};
use crate::face::{FaceError, OrchestrateRequest};

/// Reads the arguments of `orchestrate`. All that is wrong is told at once, each by its name with what would be right,
/// so that a model can mend its call in one go. A null counts as left away, because many clients fill in all fields.
pub(crate) fn read(arguments: JsonObject) -> Result<OrchestrateRequest, FaceError> {
    let mut reader = Reader { arguments, problems: Vec::new() };
    let request = OrchestrateRequest {
        task: reader.task(),
        priority: reader.named("priority", Priority::asked, &names(Priority::ALL, |value| value.as_str())),
        kind: reader.named("kind", Kind::parse, &names(Kind::ALL, |value| value.as_str())),
        complexity: reader.named("complexity", Complexity::parse, &names(Complexity::ALL, |value| value.as_str())),
        files: reader.files(),
        members: reader.members(),
        question: reader.question(),
        max_cost_usd: reader.max_cost(),
        session: reader.session(),
    };
    reader.refuse_unknown();
    if reader.problems.is_empty() { Ok(request) } else { Err(refusal(&reader.problems)) }
}

fn refusal(problems: &[String]) -> FaceError {
    FaceError {
        message: format!("The call was not started:\n- {}", problems.join("\n- ")),
        hint: "correct the arguments and call again; nothing was sent or spent".to_owned(),
    }
}

fn names<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().copied().map(name).collect()
}

struct Reader {
    arguments: JsonObject,
    problems: Vec<String>,
}

impl Reader {
    fn take(&mut self, name: &str) -> Option<Value> {
        self.arguments.remove(name).filter(|value| !value.is_null())
    }

    fn problem(&mut self, text: String) {
        self.problems.push(text);
    }

    fn task(&mut self) -> String {
        match self.take("task") {
            Some(Value::String(task)) if !task.trim().is_empty() => task,
            Some(Value::String(_)) => {
                self.problem("`task` is blank: say what is to be decided".to_owned());
                String::new()
            }
            Some(other) => {
                self.problem(format!("`task` must be a string, not {}", shown(&other)));
                String::new()
            }
            None => {
                self.problem("`task` is missing: a string that says what is to be decided".to_owned());
                String::new()
            }
        }
    }

    fn named<T>(&mut self, argument: &str, parse: fn(&str) -> Option<T>, accepted: &[&str]) -> Option<T> {
        let value = self.take(argument)?;
        let parsed = value.as_str().and_then(parse);
        if parsed.is_none() {
            self.problem(format!("`{argument}` is {}; accepted: {}", shown(&value), accepted.join(", ")));
        }
        parsed
    }

    fn files(&mut self) -> Vec<PathBuf> {
        let files = self.strings("files", MOST_FILES);
        if files.iter().any(|file| file.is_empty() || file.contains('\0')) {
            self.problem("`files` has an entry that is no path".to_owned());
        }
        files.into_iter().map(PathBuf::from).collect()
    }

    fn members(&mut self) -> Vec<String> {
        let members = self.strings("members", MOST_MEMBERS);
        for error in members.iter().filter_map(|member| MemberId::parse(member).err()) {
            self.problem(format!("`members`: {error}"));
        }
        members
    }

    fn session(&mut self) -> Option<SessionName> {
        let value = self.take("session")?;
        let parsed = value.as_str().and_then(|name| SessionName::parse(name).ok());
        if parsed.is_none() {
            let because = "accepted: a name of small letters, digits, dots, dashes and underscores";
            self.problem(format!("`session` is {}; {because}", shown(&value)));
        }
        parsed
    }

    fn question(&mut self) -> Option<Question> {
        let asked = self.named("question", |text| QUESTIONS.into_iter().find(|known| *known == text), &QUESTIONS);
        let given = self.arguments.get("choices").is_some_and(|choices| !choices.is_null());
        let choices = self.strings("choices", MOST_CHOICES);
        match asked {
            Some("verdict") => self.without_choices(given, Question::Verdict),
            Some("findings") => self.without_choices(given, Question::Findings),
            Some("patch") => self.without_choices(given, Question::Patch),
            Some("text") => self.without_choices(given, Question::Text),
            Some(_) => Some(self.choice(choices)),
            None if given => Some(self.choice(choices)),
            None => None,
        }
    }

    fn choice(&mut self, choices: Vec<String>) -> Question {
        let blank = choices.iter().any(|choice| choice.trim().is_empty());
        let repeated = choices.iter().enumerate().any(|(index, choice)| choices[..index].contains(choice));
        if choices.len() < 2 || blank || repeated {
            self.problem("`choices` must be at least two different strings, none blank".to_owned());
        }
        Question::Choice(choices)
    }

    fn without_choices(&mut self, given: bool, question: Question) -> Option<Question> {
        if given {
            let name = question.as_str();
            self.problem(format!("`choices` goes with question `choice` only, not with `{name}`"));
        }
        Some(question)
    }

    fn max_cost(&mut self) -> Option<f64> {
        let value = self.take("maxCostUsd")?;
        let cost = value.as_f64().filter(|cost| cost.is_finite() && *cost > 0.0);
        if cost.is_none() {
            self.problem(format!("`maxCostUsd` is {}; accepted: a number above 0, in US dollars", shown(&value)));
        }
        cost
    }

    fn strings(&mut self, argument: &str, most: usize) -> Vec<String> {
        let Some(value) = self.take(argument) else { return Vec::new() };
        let strings: Option<Vec<String>> =
            value.as_array().and_then(|items| items.iter().map(|item| item.as_str().map(str::to_owned)).collect());
        match strings {
            Some(strings) if strings.len() <= most => strings,
            Some(strings) => {
                self.problem(format!("`{argument}` has {} entries; accepted: at most {most}", strings.len()));
                Vec::new()
            }
            None => {
                self.problem(format!("`{argument}` must be a list of strings, not {}", shown(&value)));
                Vec::new()
            }
        }
    }

    fn refuse_unknown(&mut self) {
        let unknown: Vec<String> =
            self.arguments.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| shown_text(name)).collect();
        let names: Vec<String> = unknown.iter().take(5).map(|name| format!("`{name}`")).collect();
        let what = if unknown.len() == 1 { "is no argument" } else { "are no arguments" };
        if !names.is_empty() {
            self.problem(format!("{} {what}; accepted: {}", names.join(", "), ARGUMENTS.join(", ")));
        }
    }
}

/// A value as it may stand in a message: a client's text is neither long nor of several lines there.
fn shown(value: &Value) -> String {
    shown_text(&value.to_string())
}

fn shown_text(text: &str) -> String {
    let mut short: String =
        text.chars().take(60).map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if text.chars().nth(60).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_json(value: Value) -> Result<OrchestrateRequest, FaceError> {
        let Value::Object(arguments) = value else { panic!("an object") };
        read(arguments)
    }

    fn problem(value: Value) -> String {
        read_json(value).unwrap_err().message
    }

    #[test]
    fn every_argument_arrives() {
        let request = read_json(json!({
            "task": "Which one?", "priority": "critical", "kind": "security_review", "complexity": "complex",
            "files": ["src/lib.rs", "/tmp/b"], "members": ["alpha", "beta-high"], "question": "choice",
            "choices": ["a", "b"], "maxCostUsd": 1, "session": "auth",
        }))
        .unwrap();
        assert_eq!(request.priority, Some(Priority::Critical));
        assert_eq!(request.kind, Some(Kind::SecurityReview));
        assert_eq!(request.complexity, Some(Complexity::Complex));
        assert_eq!(request.files, [PathBuf::from("src/lib.rs"), PathBuf::from("/tmp/b")]);
        assert_eq!(request.members, ["alpha", "beta-high"]);
        assert_eq!(request.question, Some(Question::Choice(vec!["a".into(), "b".into()])));
        assert_eq!(request.max_cost_usd, Some(1.0));
        assert_eq!(request.session.map(|session| session.to_string()).as_deref(), Some("auth"));
    }

    #[test]
    fn a_task_alone_is_enough_and_null_is_nothing() {
        let bare = read_json(json!({"task": "x"})).unwrap();
        let nulls = read_json(json!({
            "task": "x", "priority": null, "kind": null, "complexity": null, "files": null, "members": null,
            "question": null, "choices": null, "maxCostUsd": null, "other": null,
        }));
        assert_eq!(nulls.unwrap(), bare);
        assert_eq!(bare.question, None);
    }

    #[test]
    fn a_medium_priority_is_a_normal_one() {
        let read = |priority: &str| read_json(json!({"task": "x", "priority": priority})).unwrap().priority;
        assert_eq!((read("medium"), read("normal")), (Some(Priority::Normal), Some(Priority::Normal)));
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once_with_what_would_be_right() {
        let told = problem(json!({
            "priority": "urgent", "kind": 3, "maxCostUsd": -1, "files": "a", "yes": true, "session": "No Name",
        }));
        for part in [
            "`task` is missing",
            "`priority` is \"urgent\"; accepted: low, normal, high, critical",
            "`kind` is 3; accepted: architecture, ",
            "`maxCostUsd` is -1; accepted: a number above 0",
            "`session` is \"No Name\"; accepted: a name",
            "`files` must be a list of strings, not \"a\"",
            "`yes` is no argument; accepted: task, question, ",
        ] {
            assert!(told.contains(part), "{part} in {told}");
        }
    }

    #[test]
    fn choices_imply_their_question_and_suit_no_other() {
        let request = read_json(json!({"task": "x", "choices": ["a", "b"]})).unwrap();
        assert_eq!(request.question, Some(Question::Choice(vec!["a".into(), "b".into()])));
        assert!(problem(json!({"task": "x", "question": "verdict", "choices": ["a", "b"]})).contains("`choices`"));
        for choices in [json!([]), json!(["a"]), json!(["a", "a"]), json!(["a", " "])] {
            assert!(problem(json!({"task": "x", "choices": choices})).contains("two different"));
        }
        assert!(problem(json!({"task": "x", "question": "choice"})).contains("`choices`"));
    }

    #[test]
    fn lists_are_bounded_and_names_are_names() {
        assert!(problem(json!({"task": "x", "files": vec!["f"; 101]})).contains("at most 100"));
        assert!(problem(json!({"task": "x", "files": ["a\u{0}b"]})).contains("no path"));
        assert!(problem(json!({"task": "x", "members": ["--help"]})).contains("`members`"));
        assert!(problem(json!({"task": " \n"})).contains("blank"));
    }

    #[test]
    fn a_message_does_not_repeat_a_long_value() {
        let told = problem(json!({"task": "x", "kind": "k\n".repeat(5_000)}));
        assert!(told.len() < 500, "{told}");
        assert!(!told.contains("k\nk"));
    }
}
