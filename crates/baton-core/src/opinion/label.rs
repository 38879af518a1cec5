//! Words of severity, and where in a text they say how bad something is.

use super::Severity;

/// What a word of severity stands for, in a trailer or at the head of an item.
pub(super) fn severity(word: &str) -> Option<Severity> {
    match word.to_ascii_lowercase().as_str() {
        "critical" | "blocker" | "blocking" | "p0" => Some(Severity::Critical),
        "high" | "major" | "severe" | "p1" => Some(Severity::High),
        "medium" | "moderate" | "p2" => Some(Severity::Medium),
        "low" | "minor" | "nit" | "nitpick" | "p3" | "p4" => Some(Severity::Low),
        _ => None,
    }
}

/// What a word of severity may go with.
const NOUNS: &[&str] = &[
    "severity",
    "priority",
    "risk",
    "impact",
    "issue",
    "issues",
    "bug",
    "bugs",
    "finding",
    "findings",
    "problem",
    "problems",
    "vulnerability",
    "vulnerabilities",
    "flaw",
    "flaws",
    "defect",
    "defects",
    "concern",
    "concerns",
];

/// What an item's head says of it, and the rest: `Critical: …`, `**High** …`, `[P0] …`, `Severity: high …`.
pub(super) fn head(text: &str) -> Option<(Severity, &str)> {
    // What stands in quotation marks is somebody else's label.
    let text =
        text.trim_start_matches(|first: char| !first.is_alphanumeric() && !"*_`[(\"'\u{201c}\u{2018}".contains(first));
    let bare = text.trim_start_matches(['*', '_', '`', '[', '(']);
    let decorated = bare.len() < text.len();
    let named = ["severity", "priority"].iter().find_map(|name| strip_word(bare, name));
    let value = named.map_or(bare, |rest| rest.trim_start_matches(['*', '_', '`', ':', '=', ' ', '[', '(']));
    let (word, rest) = first_word(value);
    let severity = severity(word)?;
    let rest = noun_behind(rest);
    let closed = rest.trim_start_matches(['*', '_', '`', ']', ')', '\u{fe0f}']);
    let closes = closed.len() < rest.len();
    let delimited = closed.trim_start().starts_with([':', '\u{2013}', '\u{2014}', '|'])
        || closed.starts_with(" - ")
        || closed.trim().is_empty();
    let set_off = (decorated || named.is_some()) && closes;
    let said = named.is_some() && closed.starts_with([',', '.', ' ', ';']);
    let quotes = text[..text.len() - bare.len()].contains('`');
    (delimited || set_off || said).then(|| (severity, behind(closed, quotes)))
}

/// What follows a label or a place, without what sets it off.
fn behind(text: &str, quotes: bool) -> &str {
    let text = if quotes { text.trim_start_matches('`') } else { text };
    text.trim_start_matches(|character: char| " *:-|]),;.!\u{2013}\u{2014}\u{fe0f}\t".contains(character))
}

fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (first, rest) = first_word(text);
    first.eq_ignore_ascii_case(word).then_some(rest)
}

fn first_word(text: &str) -> (&str, &str) {
    text.split_at(text.find(|character: char| !character.is_alphanumeric()).unwrap_or(text.len()))
}

/// Past "severity", "issue" and their like.
fn noun_behind(text: &str) -> &str {
    let Some(after) = text.strip_prefix([' ', '-']) else { return text };
    let (word, rest) = first_word(after);
    if NOUNS.contains(&word.to_ascii_lowercase().as_str()) { rest } else { text }
}

/// What turns a word of severity round, or makes it another time's, another case's or a mended one's.
const TURNS: &[&str] = &[
    "no",
    "not",
    "never",
    "without",
    "nor",
    "neither",
    "hardly",
    "non",
    "isn",
    "aren",
    "wasn",
    "doesn",
    "don",
    "t",
    "would",
    "could",
    "might",
    "may",
    "if",
    "than",
    "former",
    "formerly",
    "previous",
    "previously",
    "fix",
    "fixes",
    "fixed",
    "fixing",
    "resolve",
    "resolves",
    "resolved",
    "address",
    "addresses",
    "addressed",
    "solves",
    "solved",
    "closes",
    "closed",
    "zero",
    "any",
];
/// How many words before a word of severity may turn it.
const REACH: usize = 4;

/// The severity that a text speaks of in so many words: "(high)", "a critical bug", "severity is low", "a blocker".
pub(super) fn mentioned(text: &str) -> Option<Severity> {
    let mut before: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(char::is_alphanumeric) {
        let (gap, word) = rest.split_at(start);
        let (word, after) = first_word(word);
        if gap.contains(['.', ';', '!']) && gap.contains(' ') {
            before.clear();
        }
        let said = severity(word).filter(|_| says(gap, word, after, before.last().map(String::as_str)));
        let near = &before[before.len().saturating_sub(REACH)..];
        if let Some(severity) = said.filter(|_| !near.iter().any(|word| TURNS.contains(&word.as_str()))) {
            return Some(severity);
        }
        before.push(word.to_lowercase());
        rest = after;
    }
    None
}

/// A word of severity says how bad something is where it is set off, loud, goes with a noun, or is one.
fn says(gap: &str, word: &str, after: &str, last: Option<&str>) -> bool {
    let set_off = gap.ends_with(['(', '[', '*']) && after.starts_with([')', ']', '*']);
    let next = after.trim_start_matches([' ', '-']);
    let with_noun = after.starts_with([' ', '-']) && NOUNS.contains(&first_word(next).0.to_ascii_lowercase().as_str());
    let of_noun = last.is_some_and(|last| last == "severity" || last == "priority")
        || (gap.trim() == ":" && last == Some("severity"));
    let loud = word.len() > 2 && word.chars().all(|character| character.is_ascii_uppercase());
    set_off || with_noun || of_noun || loud || matches!(word.to_ascii_lowercase().as_str(), "blocker" | "nitpick")
}

#[cfg(test)]
mod tests {
    use super::*;
    use Severity::{Critical, High, Low, Medium};

    #[test]
    fn labels_stand_at_the_head() {
        for (text, severity, rest) in [
            ("Critical: it leaks", Critical, "it leaks"),
            ("**High** `a` leaks", High, "`a` leaks"),
            ("**High:** it leaks", High, "it leaks"),
            ("[P0] it leaks", Critical, "it leaks"),
            ("**[high]** it leaks", High, "it leaks"),
            ("(medium) it leaks", Medium, "it leaks"),
            ("Severity: high - it leaks", High, "it leaks"),
            ("**Severity:** low", Low, ""),
            ("\u{1f534} CRITICAL \u{2014} it leaks", Critical, "it leaks"),
            ("High severity: it leaks", High, "it leaks"),
            ("High - it leaks", High, "it leaks"),
            ("nit: it leaks", Low, "it leaks"),
            ("`blocker` it leaks", Critical, "it leaks"),
            ("Major issues", High, ""),
        ] {
            assert_eq!(head(text), Some((severity, rest)), "{text}");
        }
    }

    #[test]
    fn words_that_only_begin_alike_are_no_labels() {
        for text in [
            "High-level overview",
            "Highly likely",
            "Low level code",
            "Major version: 3",
            "Critical section is held",
            "The critical: x",
            "",
            "Minor things first",
            "Note: all is well",
            "High",
        ] {
            let whole = text == "High";
            assert_eq!(head(text).is_some(), whole, "{text}");
        }
    }

    #[test]
    fn a_mention_goes_with_what_it_is_about() {
        for (text, severity) in [
            ("this is a critical bug", Some(Critical)),
            ("leaks (high)", Some(High)),
            ("a high-severity leak", Some(High)),
            ("leaks, severity low", Some(Low)),
            ("this is a blocker", Some(Critical)),
            ("a high timeout in the critical section", None),
            ("no critical issues here", None),
            ("not a high severity problem", None),
            ("fixes a critical bug", None),
            ("it would be a critical bug", None),
            ("There is no doubt. A critical bug", Some(Critical)),
        ] {
            assert_eq!(mentioned(text), severity, "{text}");
        }
    }
}
