//! Whether the words of an item deny what it seems to report.

use super::{label, own};

/// What an item begins with that is over and done.
const OVER: &[&str] = &[
    "fixed",
    "resolved",
    "done",
    "addressed",
    "closed",
    "withdrawn",
    "dismissed",
    "obsolete",
    "retracted",
    "[x]",
    "false positive",
    "not an issue",
    "non-issue",
];
/// What says within a sentence that there is nothing there any more, or never was.
const DENIALS: &[&str] = &[
    "not a problem",
    "not an issue",
    "not a bug",
    "not a vulnerability",
    "not a finding",
    "not critical",
    "not a critical",
    "not a blocker",
    "not a high",
    "not high severity",
    "isn't a problem",
    "isn't an issue",
    "isn't a bug",
    "isn't critical",
    "false positive",
    "false alarm",
    "non-issue",
    "is fixed",
    "was fixed",
    "been fixed",
    "now fixed",
    "already fixed",
    "is resolved",
    "was resolved",
    "been resolved",
    "already resolved",
    "was addressed",
    "been addressed",
    "already addressed",
    "does not hold",
    "no longer applies",
    "no longer present",
    "not reproducible",
    "turned out to be fine",
    "works as intended",
    "is withdrawn",
];
/// What may stand between "no" and what there is none of.
const KINDS: &[&str] = &[
    "other",
    "further",
    "more",
    "such",
    "known",
    "new",
    "real",
    "actual",
    "serious",
    "remaining",
    "open",
    "obvious",
    "security",
    "performance",
    "correctness",
    "and",
    "or",
    "severity",
    "priority",
    "additional",
    "significant",
];
const THINGS: &[&str] = &[
    "issue",
    "issues",
    "problem",
    "problems",
    "finding",
    "findings",
    "bug",
    "bugs",
    "concern",
    "concerns",
    "vulnerability",
    "vulnerabilities",
    "flaw",
    "flaws",
    "defect",
    "defects",
    "blocker",
    "blockers",
    "objection",
    "objections",
];
/// What follows "none" and "nothing" where they mean that there is nothing to report.
const AFTER_NONE: &[&str] = &[
    "",
    "found",
    "identified",
    "detected",
    "seen",
    "noted",
    "observed",
    "reported",
    "here",
    "so",
    "in",
    "at",
    "to",
    "else",
    "serious",
    "critical",
    "major",
    "remaining",
    "left",
    "known",
    "that",
    "wrong",
];

/// The text begins by saying that it is over: "Fixed: …", "(resolved) …", "[x] …".
pub(super) fn is_over(text: &str) -> bool {
    let plain = text.trim_start_matches(|character: char| " *_`(-:".contains(character)).to_lowercase();
    let goes_on = |next: char| next.is_alphanumeric() || next == '-';
    let begins = |word: &&str| plain.strip_prefix(*word).is_some_and(|rest| !rest.starts_with(goes_on));
    plain.starts_with("~~") || OVER.iter().any(begins)
}

/// The claim says that there is nothing, is a question, or is no longer so.
pub(super) fn denies(claim: &str) -> bool {
    let plain = own::unquoted(&claim.to_lowercase().replace('\u{2019}', "'"));
    plain.trim_end().ends_with('?') || counts_none(&plain) || DENIALS.iter().any(|denial| says(&plain, denial))
}

/// A "not" or an "until" shortly before the denial gives the claim back: "has not been fixed".
fn says(plain: &str, denial: &str) -> bool {
    plain.match_indices(denial).any(|(at, _)| {
        let mut before = plain[..at].split_whitespace().rev().take(REACH);
        let whole = !plain[..at].ends_with(char::is_alphanumeric);
        whole && !before.any(|word| GIVES_BACK.contains(&word) || word.ends_with("n't"))
    })
}

/// How many words before a denial may give the claim back.
const REACH: usize = 3;
const GIVES_BACK: &[&str] = &["not", "never", "nor", "hardly", "once", "until", "unless", "if", "when", "before"];

/// "None", "nothing found", "no critical issues", "3 issues", "n/a".
fn counts_none(plain: &str) -> bool {
    let start = plain.trim_start_matches(|character: char| !character.is_alphanumeric());
    let mut words = start.split(|character: char| !(character.is_alphanumeric() || character == '\''));
    let first = words.next().unwrap_or_default();
    if first.starts_with(|character: char| character.is_ascii_digit()) {
        return words.next().is_some_and(|word| THINGS.contains(&word) || word.is_empty());
    }
    match first {
        "none" | "nothing" => AFTER_NONE.contains(&words.next().unwrap_or_default()),
        "n" => start.starts_with("n/a"),
        "no" => {
            let thing =
                words.find(|word| !(word.is_empty() || KINDS.contains(word) || label::severity(word).is_some()));
            thing.is_none_or(|word| THINGS.contains(&word))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_to_report_is_told_from_something_that_is_not_done() {
        for claim in [
            "None",
            "none found",
            "Nothing to report",
            "No issues",
            "No critical or high severity issues here",
            "n/a",
            "3 findings",
            "It is a false positive",
            "This isn\u{2019}t a bug",
            "it was fixed",
            "Is it a leak?",
            "No",
        ] {
            assert!(denies(claim), "{claim}");
        }
        for claim in [
            "None of them is checked",
            "Nothing checks the size",
            "No check for problems",
            "It has not been fixed",
            "The bug isn't fixed",
            "It leaks until it is fixed",
            "2 threads write at once",
            "Notes are lost",
            "the message \"not a bug\" is wrong",
        ] {
            assert!(!denies(claim), "{claim}");
        }
    }

    #[test]
    fn what_is_over_says_so_first() {
        for text in ["Fixed: it leaked", "(resolved) it leaked", "[x] it leaked", "~~it leaked~~", "**Done** it leaked"]
        {
            assert!(is_over(text), "{text}");
        }
        for text in ["Fixed-size buffers overflow", "Fixing it is easy", "It is fixed"] {
            assert!(!is_over(text), "{text}");
        }
    }
}
