//! How a finding is put: does it name a failure, or ask for tests, names and comments? Remarks of the second sort are
//! mostly right and rarely what is acted on, whoever reports them.

use super::listed::Listed;
use super::text::{for_plain_words, stem};

/// What a remark on tests, wording, style or upkeep that names no failure counts beside a finding that does.
const REMARK: f64 = 0.3;
/// A remark that also names a failure, and a guess that names none.
const DOUBTFUL: f64 = 0.6;

/// Remarks on tests, documentation, naming, style and upkeep.
static REMARKS: Listed<66> = Listed::of([
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
]);
/// Words of a guess.
static GUESSES: Listed<25> = Listed::of([
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
]);
/// Words of a failure that happens: what is raised, lost, never done or done wrongly. Stems.
static FAILURES: Listed<67> = Listed::of([
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
]);

/// How a claim is put.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tone {
    /// What it counts for, 0 to 1.
    pub(super) worth: f64,
    /// How far it tells what happens and when, in log-odds of being right beside an ordinary one: by its length, the
    /// words of failure in it, and its clauses. 0 is ordinary; below 0 is bare.
    ///
    /// From a logistic regression on recorded reviews; each repository left out gives nearly the same coefficients.
    pub(super) detail: f64,
}

impl Tone {
    pub(super) fn of(claim: &str) -> Self {
        let (mut words, mut failures) = (0, 0);
        let (mut remark, mut guess) = (false, false);
        for_plain_words(claim, |word| {
            words += 1;
            failures += usize::from(names_failure(word));
            remark |= REMARKS.has(word);
            guess |= GUESSES.has(word);
        });
        Self { worth: worth(remark, failures > 0, guess), detail: detail(words, failures, claim.matches(',').count()) }
    }
}

const fn worth(remark: bool, failure: bool, guess: bool) -> f64 {
    match (remark, failure, guess) {
        (true, false, _) => REMARK,
        (true, true, _) | (false, false, true) => DOUBTFUL,
        (false, true, _) | (false, false, false) => 1.0,
    }
}

fn detail(words: usize, failures: usize, commas: usize) -> f64 {
    const LENGTH: f64 = 0.4;
    const FAILING: f64 = 0.5;
    const CLAUSES: f64 = 0.25;
    const ORDINARY: f64 = 1.84;
    LENGTH * more(words) + FAILING * more(failures) + CLAUSES * more(commas) - ORDINARY
}

/// Each further one says less than the one before.
#[expect(clippy::cast_precision_loss, reason = "counts within one claim")]
fn more(count: usize) -> f64 {
    libm::log1p(count as f64)
}

fn names_failure(word: &str) -> bool {
    let is_error = |ending: &str| word.strip_suffix(ending).is_some_and(|kind| !kind.is_empty());
    FAILURES.has(word) || FAILURES.has(&stem(word)) || is_error("error") || is_error("exception")
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert!((Tone::of(claim).worth - expected).abs() < 1e-12, "{claim}");
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
        let details = claims.map(|claim| Tone::of(claim).detail);
        assert!(details.is_sorted_by(|a, b| a < b), "{details:?}");
        assert!(details[3] < 0.0 && details[4] > 0.25, "{details:?}");
    }
}
