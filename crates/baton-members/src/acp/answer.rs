//! What the agent says, put together from its chunks. Pure.

use baton_core::outcome::Outcome;

use crate::cli::words;

/// An error in disguise is short; a real answer that quotes one is longer.
const DISGUISE: usize = 400;

/// The agent's last message: earlier ones accompany its work. A message ends where a tool is used, or where the
/// chunks carry another id. Agents that give their messages ids put notices of their own into chunks without one; from
/// the first id on these are no part of the answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    before: String,
    message: String,
    id: Option<String>,
}

impl Answer {
    pub(super) fn chunk(&mut self, text: &str, id: Option<&str>) {
        match id {
            None if self.id.is_some() => return,
            Some(id) if self.id.as_deref() != Some(id) => {
                self.end_message();
                self.id = Some(id.to_owned());
            }
            _ => {}
        }
        self.message.push_str(text);
    }

    pub(super) fn end_message(&mut self) {
        let message = std::mem::take(&mut self.message);
        if !message.trim().is_empty() {
            self.before = message;
        }
    }

    /// Without the blanks around it; empty where nothing was said.
    pub(super) fn text(&self) -> &str {
        match self.message.trim() {
            "" => self.before.trim(),
            message => message,
        }
    }
}

/// Texts by which an agent says in an answer's place that something went wrong: the beginning of the message, where a
/// `*` stands for anything within a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ErrorTexts(Vec<String>);

impl ErrorTexts {
    pub(super) fn new(texts: Vec<String>) -> Self {
        Self(texts)
    }

    /// The class of a text that is none of the model's.
    pub(super) fn class(&self, text: &str) -> Option<Outcome> {
        let text = text.trim();
        if self.are_in(text) {
            return Some(words::class(None, text).unwrap_or(Outcome::Overloaded));
        }
        words::disguised(text)
    }

    /// Whether one of the named texts is there; the sentences that all programs share count at the end only.
    pub(super) fn are_in(&self, text: &str) -> bool {
        let text = text.trim();
        text.len() <= DISGUISE && self.0.iter().any(|pattern| begins_with(text, pattern))
    }
}

fn begins_with(text: &str, pattern: &str) -> bool {
    let line = text.lines().next().unwrap_or_default();
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    !pattern.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(chunks: &[(&str, Option<&str>)]) -> String {
        let mut answer = Answer::default();
        chunks.iter().for_each(|(text, id)| answer.chunk(text, *id));
        answer.text().to_owned()
    }

    #[test]
    fn chunks_of_one_message_are_joined_and_the_last_message_counts() {
        assert_eq!(said(&[("VER", None), ("DICT", None)]), "VERDICT");
        assert_eq!(said(&[("I look.", Some("a")), ("VER", Some("b")), ("DICT", Some("b"))]), "VERDICT");
        assert_eq!(said(&[("Warning: old", None), ("yes", Some("a")), ("Warning: late", None)]), "yes");
        assert_eq!(said(&[("yes", Some("a")), (" ", Some("b"))]), "yes");
        assert_eq!(said(&[]), "");
    }

    #[test]
    fn a_tool_ends_a_message() {
        let mut answer = Answer::default();
        answer.chunk("I look at the file.", None);
        answer.end_message();
        assert_eq!(answer.text(), "I look at the file.");
        answer.chunk("It is right.", None);
        answer.end_message();
        answer.end_message();
        assert_eq!(answer.text(), "It is right.");
    }

    #[test]
    fn named_texts_are_errors_at_the_beginning_only() {
        let texts = ErrorTexts::new(vec!["Error: Authentication".into(), "Info: *Retrying".into()]);
        assert_eq!(texts.class("Error: Authentication failed (401)"), Some(Outcome::Auth));
        assert_eq!(texts.class("Info: Request failed. Retrying in 3s"), Some(Outcome::Overloaded));
        assert_eq!(texts.class("Info: it is right"), None);
        assert_eq!(texts.class("The text `Error: Authentication` is wrong"), None);
        assert_eq!(texts.class("API Error: 529 Overloaded."), Some(Outcome::Overloaded), "what all programs say");
        assert_eq!(texts.class(&format!("Error: Authentication {}", "x".repeat(400))), None);
        assert!(!begins_with("anything", "") && begins_with("a b c", "a*c") && !begins_with("a\nc", "a*c"));
    }
}
