//! How a finding is put: does it name a failure, or ask for tests, names and comments? Remarks of the second sort are
//! mostly right and rarely what is acted on, whoever reports them.

use super::text::{plain_words, stem};

/// What a remark on tests, wording, style or upkeep that names no failure counts beside a finding that does.
const REMARK: f64 = 0.3;
/// A remark that also names a failure, and a guess that names none.
const DOUBTFUL: f64 = 0.6;

/// Remarks on tests, documentation, naming, style and upkeep.
const REMARKS: &[&str] = &[
    "boilerplate",
    "changelog",
    "clarity",
    "clean-up",
    "cleaner",
    "cleanup",
    "comment",
    "comments",
    "consistency",
    "convention",
    "conventions",
    "copy-pasted",
    "coverage",
    "docs",
    "docstring",
    "docstrings",
    "document",
    "documentation",
    "documented",
    "dry",
    "duplication",
    "formatting",
    "grammar",
    "hard-coded",
    "hardcoded",
    "idiomatic",
    "lint",
    "linter",
    "linting",
    "magic",
    "maintainability",
    "maintainable",
    "maintenance",
    "misspelled",
    "misspelling",
    "naming",
    "nit",
    "nitpick",
    "readability",
    "readable",
    "redundant",
    "refactor",
    "refactored",
    "refactoring",
    "rename",
    "renamed",
    "renaming",
    "simplified",
    "simplify",
    "spelling",
    "style",
    "styling",
    "ternary",
    "test",
    "tests",
    "todo",
    "todos",
    "typo",
    "typos",
    "unclear",
    "unnecessarily",
    "unnecessary",
    "unrelated",
    "untested",
    "unused",
    "verbose",
];
/// Words of a guess.
const GUESSES: &[&str] = &[
    "appears",
    "case",
    "cases",
    "consider",
    "could",
    "defensive",
    "edge",
    "ensure",
    "future",
    "may",
    "might",
    "monitor",
    "perhaps",
    "possible",
    "possibly",
    "potential",
    "potentially",
    "risk",
    "risks",
    "risky",
    "seems",
    "theoretical",
    "theoretically",
    "unclear",
    "verify",
];
/// Words of a failure that happens: what is raised, lost, never done or done wrongly. Stems.
const FAILURES: &[&str] = &[
    "abort",
    "alway",
    "always",
    "break",
    "broken",
    "bug",
    "bugs",
    "bypass",
    "can't",
    "cannot",
    "case-insensitive",
    "case-sensitive",
    "case-sensitivity",
    "compil",
    "concurrent",
    "concurrently",
    "crash",
    "deadlock",
    "doesn't",
    "fail",
    "fails",
    "ignor",
    "incorrect",
    "infinit",
    "inject",
    "injection",
    "instead",
    "invert",
    "leak",
    "leaks",
    "lose",
    "loses",
    "losing",
    "loss",
    "lost",
    "mismatch",
    "mismatched",
    "miss",
    "missing",
    "never",
    "nil",
    "non-deterministic",
    "none",
    "null",
    "off-by-one",
    "overwrit",
    "overwritten",
    "panic",
    "race",
    "races",
    "rais",
    "raise",
    "return",
    "revers",
    "segfault",
    "silent",
    "silently",
    "ssrf",
    "stale",
    "throw",
    "thrown",
    "undefin",
    "undefined",
    "unreachabl",
    "won't",
    "wrong",
    "xss",
];

/// What a claim counts for, 0 to 1, by how it is put.
pub(super) fn worth(claim: &str) -> f64 {
    let words = plain_words(claim);
    let has = |list: &[&str]| words.iter().any(|word| list.binary_search(&word.as_str()).is_ok());
    let failure = words.iter().any(|word| names_failure(word));
    match (has(REMARKS), failure, has(GUESSES)) {
        (true, false, _) => REMARK,
        (true, true, _) | (false, false, true) => DOUBTFUL,
        (false, true, _) | (false, false, false) => 1.0,
    }
}

/// How far a claim tells what happens and when, in log-odds of being right beside an ordinary one: by its length, the
/// words of failure in it, and its clauses. 0 is ordinary; below 0 is bare.
///
/// From a logistic regression on recorded reviews; each repository left out gives nearly the same coefficients.
pub(super) fn detail(claim: &str) -> f64 {
    const LENGTH: f64 = 0.4;
    const FAILING: f64 = 0.5;
    const CLAUSES: f64 = 0.25;
    const ORDINARY: f64 = 1.84;
    let words = plain_words(claim);
    let failures = words.iter().filter(|word| names_failure(word)).count();
    let commas = claim.matches(',').count();
    LENGTH * more(words.len()) + FAILING * more(failures) + CLAUSES * more(commas) - ORDINARY
}

/// Each further one says less than the one before.
#[expect(clippy::cast_precision_loss, reason = "counts within one claim")]
fn more(count: usize) -> f64 {
    libm::log1p(count as f64)
}

fn names_failure(word: &str) -> bool {
    let is = |word: &str| FAILURES.binary_search(&word).is_ok();
    let is_error = |ending: &str| word.strip_suffix(ending).is_some_and(|kind| !kind.is_empty());
    is(word) || is(&stem(word)) || is_error("error") || is_error("exception")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_for_the_search() {
        for list in [REMARKS, GUESSES, FAILURES] {
            let unsorted = list.windows(2).find(|pair| pair[0] >= pair[1]);
            assert_eq!(unsorted, None);
        }
    }

    #[test]
    fn a_failure_counts_whole_and_a_remark_little() {
        let cases = [
            ("The shift overflows and panics for retry 64", 1.0),
            ("ValueError is raised when the list is empty", 1.0),
            ("Missing tests for the new path", DOUBTFUL),
            ("No tests cover the new path", REMARK),
            ("Nested ternary is hard to read and could be simplified", REMARK),
            ("The order might matter here", DOUBTFUL),
            ("overflow", 1.0),
            ("", 1.0),
        ];
        for (claim, expected) in cases {
            assert!((worth(claim) - expected).abs() < 1e-12, "{claim}");
        }
    }

    #[test]
    fn detail_rises_with_length_failures_and_clauses() {
        let claims = [
            "",
            "The cache is read",
            "The cache is stale",
            "The cache is stale, wrong",
            "When two writers come at once, the second reads a stale entry, never sees the first, and its update is lost",
        ];
        let details = claims.map(detail);
        assert!(details.is_sorted_by(|a, b| a < b), "{details:?}");
        assert!(details[3] < 0.0 && details[4] > 0.25, "{details:?}");
    }
}
