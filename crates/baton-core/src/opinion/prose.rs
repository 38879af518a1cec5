//! Positions in plain sentences, for answers without a trailer. Few phrases, whole and unambiguous: whatever is not
//! plainly said is not guessed.

use super::Verdict;
use super::trailer::verdict_word;

/// Phrases that state a verdict about the thing as a whole.
const PHRASES: &[(&str, Verdict)] = &[
    ("do not merge", Verdict::Reject),
    ("don't merge", Verdict::Reject),
    ("should not be merged", Verdict::Reject),
    ("must not ship", Verdict::Reject),
    ("i would reject", Verdict::Reject),
    ("i reject", Verdict::Reject),
    ("needs changes before", Verdict::Revise),
    ("requesting changes", Verdict::Revise),
    ("request changes", Verdict::Revise),
    ("i would revise", Verdict::Revise),
    ("i approve", Verdict::Approve),
    ("i would approve", Verdict::Approve),
    ("lgtm", Verdict::Approve),
    ("looks good to me", Verdict::Approve),
    ("safe to merge", Verdict::Approve),
];

/// The verdict that a text states in a line of its own (`Verdict: reject`) or in one of a few phrases; `None` when it
/// states none, or two that differ.
///
/// What the text only quotes is not its author's: blocks between fences and lines behind `>` are passed over.
pub(super) fn verdict(text: &str) -> Option<Verdict> {
    let text = own_words(text).to_lowercase().replace('\u{2019}', "'");
    if let Some(verdict) = text.lines().rev().find_map(labelled) {
        return Some(verdict);
    }
    let mut said = PHRASES.iter().filter(|(phrase, _)| states(&text, phrase));
    let (_, first) = said.next()?;
    let unanimous = said.all(|(_, other)| other == first);
    (unanimous && !(first.approves() && hesitates(&text))).then_some(*first)
}

fn own_words(text: &str) -> String {
    let mut own = String::with_capacity(text.len());
    for (at, block) in text.split("```").enumerate() {
        let lines = block.split_inclusive('\n').filter(|line| at % 2 == 0 && !line.trim_start().starts_with('>'));
        own.extend(lines);
        own.push('\n');
    }
    own
}

fn labelled(line: &str) -> Option<Verdict> {
    let plain = line.replace(['*', '_', '#', '`', '>'], "");
    let value = plain.trim().strip_prefix("verdict")?.trim_start().strip_prefix(':')?;
    verdict_word(value.trim().trim_end_matches('.'))
}

/// Words that take an approval in their sentence back, or make it hang on something.
const RESERVATIONS: &[&str] = &[
    "not", "never", "cannot", "nor", "neither", "hardly", "nobody", "if", "once", "unless", "until", "whether",
    "after", "before", "when", "but", "however", "except", "provided", "assuming", "could", "might", "may", "maybe",
    "doubt", "unclear", "unsure", "wrong",
];

/// The phrase stands there and is not turned round by a "not" before it.
fn states(text: &str, phrase: &str) -> bool {
    text.match_indices(phrase).any(|(at, _)| {
        let before = text[..at].split_whitespace().next_back().unwrap_or_default();
        let inside = text[..at].chars().next_back().is_some_and(char::is_alphanumeric);
        !inside && !matches!(before, "not" | "never" | "cannot" | "isn't" | "no" | "un")
    })
}

/// An approval must be plain in each sentence that has one.
fn hesitates(text: &str) -> bool {
    let approving = PHRASES.iter().filter(|(_, verdict)| verdict.approves());
    approving.flat_map(|(phrase, _)| text.match_indices(phrase)).any(|(at, _)| reserved(sentence(text, at)))
}

fn sentence(text: &str, at: usize) -> &str {
    let ends = ['.', '!', '?', ';', '\n'];
    let start = text[..at].rfind(ends).map_or(0, |end| end + 1);
    let end = text[at..].find(ends).map_or(text.len(), |end| at + end);
    &text[start..end]
}

fn reserved(sentence: &str) -> bool {
    let mut words = sentence.split(|character: char| !(character.is_alphanumeric() || character == '\''));
    words.any(|word| word.ends_with("n't") || RESERVATIONS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_negated_phrase_states_nothing() {
        assert_eq!(verdict("This is not safe to merge."), None);
        assert_eq!(verdict("It is safe to merge."), Some(Verdict::Approve));
        assert_eq!(verdict("Unsafe to merge"), None);
    }

    #[test]
    fn an_approval_that_is_denied_or_hangs_on_something_is_none() {
        for text in [
            "I don't think this is safe to merge.",
            "I don\u{2019}t think it is safe to merge.",
            "I cannot say LGTM here.",
            "I would approve once the overflow is fixed.",
            "It is unclear whether this is safe to merge.",
            "Not yet safe to merge.",
        ] {
            assert_eq!(verdict(text), None, "{text}");
        }
        assert_eq!(verdict("No problems found. It does not block. LGTM!"), Some(Verdict::Approve));
    }

    #[test]
    fn a_labelled_line_beats_phrases_and_two_phrases_say_nothing() {
        assert_eq!(verdict("LGTM overall\n**Verdict:** reject."), Some(Verdict::Reject));
        assert_eq!(verdict("LGTM, but do not merge yet"), None);
    }
}
