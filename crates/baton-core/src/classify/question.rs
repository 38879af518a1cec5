//! What a decision on the task would be: findings of a review, one of the options that the user named, yes or no, or a
//! text.

use crate::task::{Kind, Question, Task};

use super::features::is_mark;

const VERDICT_OPENERS: &[&str] = &["is", "are", "does", "do", "should", "can", "could", "will", "would", "may", "has"];

/// At most so many words make one option; more is a sentence about something else.
const OPTION_WORDS: usize = 3;

/// The question, and why. `kind` is `None` where the kind is unsure.
pub(super) fn question(task: &Task, kind: Option<Kind>, tokens: &[String]) -> (Question, &'static str) {
    let opens = tokens.first().is_some_and(|first| VERDICT_OPENERS.contains(&first.as_str()));
    if let Some(options) =
        matches!(kind, Some(Kind::Alternatives | Kind::Architecture)).then(|| options(&task.prompt)).flatten()
    {
        return (Question::Choice(options), "it names the options");
    }
    let bare = task.attachments.is_empty() && task.workspace.is_none();
    match kind {
        _ if bare && opens && asks(tokens) => {
            (Question::Verdict, "it asks for yes or no and nothing is there to look at")
        }
        Some(Kind::CodeReview | Kind::SecurityReview) => (Question::Findings, "a review lists what it finds"),
        _ if opens && !task.attachments.is_empty() => (Question::Findings, "a question about attached text"),
        _ if opens && asks(tokens) => (Question::Verdict, "it asks for yes or no"),
        _ => (Question::Text, "it asks for a text"),
    }
}

/// `Can you write …` opens like a question and is none.
fn asks(tokens: &[String]) -> bool {
    !(matches!(tokens.first().map(String::as_str), Some("can" | "could" | "would" | "will"))
        && tokens.get(1).is_some_and(|second| second == "you" || second == "we" || second == "i"))
}

/// The options of a question of the shape `redis, memcached or a table?` that is the whole prompt or its last sentence,
/// or stands behind its last colon. Only short options without a sentence around them are taken.
fn options(prompt: &str) -> Option<Vec<String>> {
    let question = prompt.trim().strip_suffix('?')?;
    let start = question.rfind(['.', ':', '?', '!', '\n']).map_or(0, |at| at + 1);
    let sentence = question[start..].trim();
    let mut options = Vec::new();
    for part in sentence.split(',') {
        for option in split_words(part) {
            options.push(option);
        }
    }
    let short = |option: &String| {
        let words = option.split_whitespace().count();
        (1..=OPTION_WORDS).contains(&words) && !is_mark(option)
    };
    let distinct = options.iter().collect::<std::collections::BTreeSet<_>>().len() == options.len();
    (options.len() >= 2 && distinct && options.iter().all(short)).then_some(options)
}

/// A part between commas, split at `or`, `vs` and `versus`.
fn split_words(part: &str) -> Vec<String> {
    let mut options = vec![Vec::new()];
    for word in part.split_whitespace() {
        if matches!(word.to_lowercase().as_str(), "or" | "vs" | "vs." | "versus") {
            options.push(Vec::new());
        } else if let Some(last) = options.last_mut() {
            last.push(word);
        }
    }
    options.into_iter().map(|words| words.join(" ")).filter(|option| !option.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_yes_or_no_question_is_a_verdict_unless_there_is_something_to_look_through() {
        let mut task = crate::classify::tests::task("Is this loop safe?");
        let of = |task: &Task| question(task, Some(Kind::CodeReview), &super::super::features::tokens(&task.prompt)).0;
        assert_eq!(of(&task), Question::Verdict);
        task.workspace = Some("/here".into());
        assert_eq!(of(&task), Question::Findings);
        task.prompt = "Can you look at this loop?".into();
        task.workspace = None;
        assert_eq!(of(&task), Question::Findings, "a wish, not a question");
    }

    #[test]
    fn short_options_of_the_last_question_are_taken() {
        let cases = [
            ("redis or memcached?", Some(vec!["redis", "memcached"])),
            ("Queue for 5k mails: RabbitMQ, SQS or a table?", Some(vec!["RabbitMQ", "SQS", "a table"])),
            ("tabs vs spaces?", Some(vec!["tabs", "spaces"])),
            ("should we take the long way round over the hills or the short one by the sea?", None),
            ("what about redis?", None),
            ("redis or memcached", None),
            ("x or x?", None),
        ];
        for (prompt, expected) in cases {
            let expected = expected.map(|options| options.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(options(prompt), expected, "{prompt}");
        }
    }
}
