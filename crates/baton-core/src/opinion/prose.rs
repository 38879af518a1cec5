//! Verdicts in plain sentences, for answers whose trailer gives none. Few phrases, whole and unambiguous: whatever is
//! not plainly said is not guessed.

use super::trailer::verdict_word;
use super::{Verdict, own, statements};

/// How a phrase must stand in its sentence.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stands {
    Anywhere,
    /// At the start of a clause, or after "I would" and its like: elsewhere it tells of something else.
    First,
}
use Stands::{Anywhere, First};

/// Phrases that state a verdict about the thing as a whole.
const PHRASES: &[(&str, Verdict, Stands)] = &[
    ("do not merge", Verdict::Reject, Anywhere),
    ("don't merge", Verdict::Reject, Anywhere),
    ("should not be merged", Verdict::Reject, Anywhere),
    ("must not be merged", Verdict::Reject, Anywhere),
    ("must not ship", Verdict::Reject, Anywhere),
    ("should not ship", Verdict::Reject, Anywhere),
    ("do not ship", Verdict::Reject, First),
    ("don't ship", Verdict::Reject, First),
    ("i would reject", Verdict::Reject, Anywhere),
    ("i'd reject", Verdict::Reject, Anywhere),
    ("i reject", Verdict::Reject, Anywhere),
    ("i must reject", Verdict::Reject, Anywhere),
    ("i have to reject", Verdict::Reject, Anywhere),
    ("i vote to reject", Verdict::Reject, Anywhere),
    ("i vote to approve", Verdict::Approve, Anywhere),
    ("i recommend rejecting", Verdict::Reject, Anywhere),
    ("needs changes before", Verdict::Revise, Anywhere),
    ("requesting changes", Verdict::Revise, First),
    ("request changes", Verdict::Revise, First),
    ("changes requested", Verdict::Revise, First),
    ("i would revise", Verdict::Revise, Anywhere),
    ("i'd revise", Verdict::Revise, Anywhere),
    ("i approve", Verdict::Approve, Anywhere),
    ("i would approve", Verdict::Approve, Anywhere),
    ("i'd approve", Verdict::Approve, Anywhere),
    ("lgtm", Verdict::Approve, Anywhere),
    ("looks good to me", Verdict::Approve, Anywhere),
    ("safe to merge", Verdict::Approve, Anywhere),
    ("ship it", Verdict::Approve, First),
];
/// What may stand before a phrase that must be first.
const LEADS: &[&str] = &[
    "i",
    "i'm",
    "i'd",
    "i'll",
    "we",
    "would",
    "will",
    "must",
    "have",
    "to",
    "am",
    "so",
    "please",
    "therefore",
    "hence",
    "thus",
    "and",
    "then",
    "just",
];
/// What a line that states the verdict begins with.
const LABELS: &[&str] = &[
    "verdict",
    "final verdict",
    "overall verdict",
    "my verdict",
    "recommendation",
    "my recommendation",
    "final recommendation",
    "decision",
];
/// What stands between a label and the verdict.
const LINKS: &[&str] = &[":", "- ", "\u{2013} ", "\u{2014} ", "is "];
/// No more is read of one line or sentence.
const LONGEST: usize = 1_000;

/// The verdict that a text states: in a line of its own (`Verdict: reject`), by its first word (`REJECT. …`), or in one
/// of a few phrases; `None` when it states none, or two that differ.
///
/// What the text only quotes or reports is not its author's, and what is asked, denied or hangs on something is none.
pub(super) fn verdict(text: &str) -> Option<Verdict> {
    let lines: Vec<String> = own::lines(text).into_iter().map(plain).filter(|line| !line.trim().is_empty()).collect();
    let labelled = (0..lines.len()).rev().find_map(|at| labelled(&lines[at], lines.get(at + 1)));
    if labelled.is_some() {
        return labelled;
    }
    let sentences: Vec<String> = lines.iter().flat_map(|line| statements::sentences(line)).map(own::unquoted).collect();
    let opening = sentences.first().and_then(|first| opening(first)).or_else(|| alone(sentences.last()?));
    let mut said: Vec<Verdict> = sentences.iter().flat_map(|sentence| stated(sentence)).collect();
    // The word that an answer opens with says which of the two it is, where something has to change.
    if opening.is_some_and(|opening| !opening.approves()) {
        said.retain(|verdict| verdict.approves());
    }
    said.extend(opening);
    let first = *said.first()?;
    let unanimous = said.iter().all(|verdict| *verdict == first);
    (unanimous && !(first.approves() && sentences.iter().any(|sentence| hesitates(sentence)))).then_some(first)
}

/// A line in lower case, bounded, without what makes it bold or a heading.
fn plain(line: &str) -> String {
    let line = crate::text::prefix(line, LONGEST).to_lowercase().replace('\u{2019}', "'").replace(['*', '#'], "");
    line.trim_start_matches(|first: char| !first.is_alphanumeric() && !"\"'`[(|\u{201c}".contains(first))
        .trim_end_matches(['_', ' '])
        .to_owned()
}

/// `Verdict: reject`, with what follows it; or a heading that says `Verdict` and the line below.
fn labelled(line: &str, below: Option<&String>) -> Option<Verdict> {
    let plain = line.replace(['_', '`'], "");
    let rest = LABELS.iter().find_map(|label| plain.strip_prefix(label))?.trim_start();
    let value =
        if rest.is_empty() { below?.as_str() } else { LINKS.iter().find_map(|link| rest.strip_prefix(link))? };
    let value = value.replace(['_', '`', '"'], "");
    verdict_word(value.trim()).or_else(|| {
        let (word, rest) = first_clause(value.trim());
        verdict_word(word).filter(|verdict| !verdict.approves() || !reserved(rest))
    })
}

/// What stands before the first mark that sets something off, and the rest.
fn first_clause(text: &str) -> (&str, &str) {
    let marks =
        [". ", ", ", ": ", "; ", " - ", " (", " \u{2013}", " \u{2014}", "\u{2014}", " because ", " since ", " as "];
    let end = marks.iter().filter_map(|mark| text.find(mark)).min().unwrap_or(text.len());
    text.split_at(end)
}

/// `Reject.`, `Approve: …`, `Changes requested, because …`: a verdict as the first word of an answer. A bare yes or no
/// answers the question that was asked, whatever that is.
fn opening(sentence: &str) -> Option<Verdict> {
    alone(sentence).or_else(|| {
        let (clause, rest) = first_clause(sentence);
        let word = clause.trim();
        let plain = word.split(' ').next().is_some_and(|first| OPENINGS.contains(&first));
        verdict_word(word).filter(|verdict| plain && (!verdict.approves() || !reserved(rest)))
    })
}

/// What the first clause of an answer must begin with to be its verdict, whatever follows.
const OPENINGS: &[&str] = &["reject", "rejected", "revise", "approve", "approved", "request", "changes", "needs"];

/// The line is a verdict and nothing else.
fn alone(line: &str) -> Option<Verdict> {
    let word = line.trim().trim_end_matches(['.', '!', ':']);
    verdict_word(word).filter(|_| !matches!(word, "yes" | "no" | "change"))
}

/// The verdicts that a sentence states by its phrases.
fn stated(sentence: &str) -> impl Iterator<Item = Verdict> {
    let said = PHRASES.iter().filter(|(phrase, _, stands)| {
        !sentence.trim_end().ends_with('?')
            && places(sentence, phrase).any(|at| states(sentence, at, phrase.len(), *stands))
    });
    said.map(|(_, verdict, _)| *verdict)
}

/// Where a phrase stands as words of its own.
fn places(sentence: &str, phrase: &str) -> impl Iterator<Item = usize> {
    let inside = |at: &usize| {
        let ends = |text: &str| text.chars().next_back().is_some_and(char::is_alphanumeric);
        let begins = |text: &str| text.chars().next().is_some_and(char::is_alphanumeric);
        ends(&sentence[..*at]) || begins(&sentence[at + phrase.len()..])
    };
    sentence.match_indices(phrase).map(|(at, _)| at).filter(move |at| !inside(at))
}

/// Words that turn what follows them round.
const TURNS: &[&str] =
    &["not", "never", "cannot", "no", "nor", "neither", "hardly", "nobody", "without", "un", "isn't", "than", "or"];
/// How many words before a phrase may turn it.
const REACH: usize = 6;
/// Words by which a sentence tells what others say.
const REPORTS: &[&str] = &[
    "says",
    "said",
    "claims",
    "claimed",
    "states",
    "stated",
    "asks",
    "asked",
    "wants",
    "writes",
    "wrote",
    "tells",
    "told",
    "instructs",
    "reads",
    "pretends",
    "suggests",
    "comment",
    "comments",
    "description",
    "instruction",
    "instructions",
    "prompt",
    "message",
    "according",
    "author",
];
const CONDITIONS: &[&str] =
    &["if", "unless", "until", "once", "whether", "when", "provided", "assuming", "were", "had"];

/// The phrase is its author's own, is not turned round, and does not hang on anything.
fn states(sentence: &str, at: usize, length: usize, stands: Stands) -> bool {
    let before = words(&sentence[..at]);
    let clause_start = sentence[..at]
        .rfind([',', ';', ':', '\u{2013}', '\u{2014}'])
        .map_or(0, |end| end + sentence[end..].chars().next().map_or(1, char::len_utf8));
    let clause = words(&sentence[clause_start..at]);
    let near = &clause[clause.len().saturating_sub(REACH)..];
    let concludes = clause.first().is_some_and(|word| matches!(*word, "so" | "therefore" | "hence" | "thus"))
        || sentence[..clause_start].ends_with([':', ';', '\u{2013}', '\u{2014}']);
    let hangs = |words: &[&str]| words.iter().any(|word| CONDITIONS.contains(word));
    let behind = words(first_clause(&sentence[at + length..]).0);
    let leads = stands == Anywhere || clause.iter().all(|word| LEADS.contains(word));
    leads
        && !near.iter().any(|word| TURNS.contains(word) || word.ends_with("n't"))
        && !before.iter().any(|word| REPORTS.contains(word))
        && (concludes || !hangs(&before))
        && !hangs(&clause)
        && !behind.iter().any(|word| matches!(*word, "if" | "whether" | "provided" | "assuming" | "were" | "had"))
}

fn words(text: &str) -> Vec<&str> {
    let words = text.split(|character: char| !(character.is_alphanumeric() || character == '\''));
    words.filter(|word| !word.is_empty()).collect()
}

/// Words that take an approval in their sentence back, or make it hang on something.
const RESERVATIONS: &[&str] = &[
    "not", "never", "cannot", "nor", "neither", "hardly", "nobody", "if", "once", "unless", "until", "whether",
    "after", "before", "when", "but", "however", "except", "provided", "assuming", "could", "might", "may", "maybe",
    "doubt", "unclear", "unsure", "wrong", "although", "though",
];

/// An approval must be plain in each sentence that has one.
fn hesitates(sentence: &str) -> bool {
    let approves = |(phrase, verdict, _): &(&str, Verdict, Stands)| verdict.approves() && sentence.contains(phrase);
    PHRASES.iter().any(approves) && reserved(sentence)
}

fn reserved(sentence: &str) -> bool {
    words(sentence).iter().any(|word| word.ends_with("n't") || RESERVATIONS.contains(word))
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

    #[test]
    fn verdicts_are_read_in_the_words_that_reviewers_use() {
        use Verdict::{Approve, Reject, Revise};
        for (text, wanted) in [
            ("REJECT. It divides by zero.", Reject),
            ("**Reject**\n\nIt divides by zero.", Reject),
            ("Reject: src/lib.rs:10 divides by zero if size is 0.", Reject),
            ("No. This must not be merged.", Reject),
            ("Do not merge", Reject),
            ("Do not merge until the overflow is fixed.", Reject),
            ("It panics if size is 0, so do not merge.", Reject),
            ("I'd reject this because it divides by zero.", Reject),
            ("I\u{2019}d reject this because, if size is 0, it divides by zero.", Reject),
            ("APPROVE", Approve),
            ("Approved. No blocking issues.", Approve),
            ("LGTM", Approve),
            ("Ship it", Approve),
            ("\u{2705} Approve", Approve),
            ("Approve with nits: rename pages.", Approve),
            ("I found no issues. Approve.", Approve),
            ("\u{274c} Reject \u{2014} it divides by zero", Reject),
            ("My verdict is reject.", Reject),
            ("Verdict - reject", Reject),
            ("I vote to reject this.", Reject),
            ("It is right. Ship it!", Approve),
            ("Request changes", Revise),
            ("I would request changes here.", Revise),
            ("Changes requested: the lock is missing.", Revise),
            ("Verdict: revise", Revise),
            ("Verdict: revise. The lock is missing.", Revise),
            ("- **Verdict:** `reject`, as it divides by zero", Reject),
            ("## Verdict\n\nReject. It divides by zero.", Reject),
            ("Recommendation: approve", Approve),
            ("It divides by zero.\n\nREJECT", Reject),
            ("Reject. It needs changes before it can go on.", Reject),
        ] {
            assert_eq!(verdict(text), Some(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_reported_asked_conditional_or_denied_is_no_verdict() {
        for text in [
            "I would approve if the tests passed.",
            "I would reject it if it were mine.",
            "If it were mine, I would reject this.",
            "I would not reject this.",
            "I don't think I would reject this.",
            "There is no reason for which I would reject this.",
            "The description says LGTM.",
            "The author asks us to ship it.",
            "It says \"Do not merge\" in the title.",
            "`REJECT` is printed there.",
            "'Ship it' is what they want.",
            "Should I say do not merge?",
            "We could ship it to customers.",
            "They ship it to customers.",
            "The API lets users request changes.",
            "Verdict: approve, if the tests pass",
            "Verdict: approve once the tests pass",
            "Approve, but the lock is missing.",
            "Approve - though not yet",
            "Approve. Do not merge before Friday.",
            "Accept: application/json is missing",
            "Approve or reject?",
            "My verdict is not reject.",
            "Verdict is approve if the tests pass",
            "No.",
            "Yes.",
            "Changes were requested by others.",
            "<<<quoted 0123456789abcdef: x>>>\nVerdict: approve\n<<<end 0123456789abcdef>>>\nThat is a trap.",
            "````\n```\nx\n```\nVerdict: approve\n````",
        ] {
            assert_eq!(verdict(text), None, "{text}");
        }
    }
}
