//! Evidence: the outcome of a check. Never a vote and never in a quorum; it weighs more than votes.

use serde::{Deserialize, Serialize};

use crate::hash::Hash;
use crate::ids::MemberId;
use crate::text::one_line;

/// What a check says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "result")]
pub enum CheckResult {
    Passed,
    Failed,
    /// It could not be run; nothing follows from that.
    Abstained {
        reason: String,
    },
}

/// Why a test that fails only now and then says nothing.
pub const NOW_AND_THEN: &str = "it failed once and passed once";

/// A place that a check's output points to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    pub file: String,
    pub line: u32,
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    pub result: CheckResult,
    /// The command, as shown to people.
    pub command: String,
    /// Places that the output names, in order of appearance. Only those of a failed check say anything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Place>,
    /// The lines of the output that say most, shortened.
    pub summary: String,
    /// How a patch fared; only where one was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<Trial>,
}

/// Whether a patch fits the files as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "applies")]
pub enum Fit {
    Yes,
    No {
        because: String,
    },
    /// It could not be tried; nothing follows from that.
    Unknown {
        because: String,
    },
}

/// One check, run where the patch was applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialCheck {
    pub check: MemberId,
    #[serde(flatten)]
    pub result: CheckResult,
    /// The command, as shown to people.
    pub command: String,
    pub summary: String,
}

/// What came of trying one patch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    #[serde(flatten)]
    pub fit: Fit,
    /// In the order in which the user names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<TrialCheck>,
    /// What the user's probes showed; only where no check failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub probes: Vec<Probe>,
}

/// What a probe showed of a patch: a command of the user's whose output is neither right nor wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    pub probe: MemberId,
    /// The command, as shown to people.
    pub command: String,
    #[serde(flatten)]
    pub result: ProbeResult,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "result")]
pub enum ProbeResult {
    /// Twice the same.
    Showed(Shown),
    /// Nothing follows from it.
    Abstained { reason: String },
}

/// The standard output and the exit code of a probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    pub code: i32,
    /// The beginning, up to [`MOST_SHOWN`] bytes.
    pub output: String,
    /// Of the whole output.
    pub whole: Hash,
}

/// So many bytes of a probe's output are kept to be compared line by line.
pub const MOST_SHOWN: usize = 16 << 10;

impl Probe {
    #[must_use]
    pub const fn shown(&self) -> Option<&Shown> {
        match &self.result {
            ProbeResult::Showed(shown) => Some(shown),
            ProbeResult::Abstained { .. } => None,
        }
    }

    /// Why it says nothing.
    #[must_use]
    pub fn because(&self) -> Option<&str> {
        match &self.result {
            ProbeResult::Showed(_) => None,
            ProbeResult::Abstained { reason } => Some(reason),
        }
    }
}

impl Shown {
    #[must_use]
    pub fn new(code: i32, output: &str) -> Self {
        let kept = crate::text::prefix(output, MOST_SHOWN);
        Self { code, output: kept.to_owned(), whole: Hash::of(output.as_bytes()) }
    }

    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        (self.code, self.whole) == (other.code, other.whole)
    }

    /// The number of the first line that is not the same, from 1, and the lines; `None` stands for the output's end.
    #[must_use]
    pub fn first_difference<'a>(&'a self, other: &'a Self) -> Option<(usize, Option<&'a str>, Option<&'a str>)> {
        let (mut one, mut another) = (self.output.lines(), other.output.lines());
        for number in 1.. {
            match (one.next(), another.next()) {
                (None, None) => return None,
                (one, another) if one != another => return Some((number, one, another)),
                _ => {}
            }
        }
        None
    }
}

const MOST_PLACES: usize = 100;

/// The places that a check's output names as `FILE:LINE`, and a short summary of it.
#[must_use]
pub fn read(result: CheckResult, command: &str, output: &str) -> Evidence {
    let mut places = Vec::new();
    for word in output.split(|character: char| character.is_whitespace() || "()[]'\"`,".contains(character)) {
        if let Some(place) = place(word)
            && !places.contains(&place)
            && places.len() < MOST_PLACES
        {
            places.push(place);
        }
    }
    Evidence { result, command: one_line(command, 200), places, summary: summary(output), trial: None }
}

/// `src/net.rs:31:9`, `src/net.rs:31:` and `src/net.rs:31` name line 31.
fn place(word: &str) -> Option<Place> {
    let (file, rest) = word.split_once(':')?;
    let line: u32 = rest.split(':').next()?.parse().ok()?;
    let has_extension = file.rsplit('/').next()?.contains('.');
    let is_path = file.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte));
    (has_extension && is_path && line > 0).then(|| Place { file: file.trim_start_matches("./").to_owned(), line })
}

const SUMMARY_LINES: usize = 6;

fn summary(output: &str) -> String {
    let telling = |line: &str| {
        let lower = line.to_lowercase();
        let heading = lower.trim_end_matches(':') == "failures";
        !heading
            && ["panicked", "error", "failed", "failure", "test result", "warning"]
                .iter()
                .any(|word| lower.contains(word))
    };
    let mut lines: Vec<&str> = Vec::new();
    let mut after_panic = false;
    for line in output.lines() {
        // What a panic says stands on the line after its place.
        if after_panic || telling(line) {
            lines.push(line);
        }
        after_panic = line.contains("panicked at");
    }
    lines.truncate(SUMMARY_LINES);
    if lines.is_empty() {
        lines = output.lines().rev().filter(|line| !line.trim().is_empty()).take(2).collect();
        lines.reverse();
    }
    lines.iter().map(|line| one_line(line, 160)).collect::<Vec<_>>().join("\n")
}

/// Why a command that did not pass says nothing about what was checked: its exit code and its own words tell that it could
/// not do its work here. `None` where it failed.
#[must_use]
pub fn could_not_run(code: i32, output: &str) -> Option<String> {
    let says = |words: &[&str]| words.iter().any(|words| output.contains(words));
    if matches!(code, 126 | 127) {
        Some(format!("it exited with {code}: a program could not be run"))
    } else if says(NEEDED_NETWORK) {
        Some("it would have needed the network".to_owned())
    } else if says(NO_TOOL) {
        Some("it stands for a tool of which no version is set up here".to_owned())
    } else {
        None
    }
}

/// How a build tool says that it failed only because it has no network.
const NEEDED_NETWORK: &[&str] = &["you're using offline mode", "but --offline was specified"];

/// How programs that only choose a version of a tool (rustup, asdf, Volta) say that there is none.
const NO_TOOL: &[&str] = &[
    "rustup could not choose a version of",
    "no default is configured",
    "No version is set for command",
    "Volta error: Node is not available",
];

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "running 2 tests\ntest tests::a ... ok\ntest tests::b ... FAILED\n\n\
        thread 'tests::b' panicked at src/lib.rs:31:9:\nattempt to shift left with overflow\n\
        note: at 12:30 see http://x.y:80/\n  --> ./src/lib.rs:31\n\ntest result: FAILED. 1 passed; 1 failed";

    #[test]
    fn places_are_read_from_the_output_once_each() {
        let evidence = read(CheckResult::Failed, "cargo test", OUTPUT);
        assert_eq!(evidence.places, [Place { file: "src/lib.rs".into(), line: 31 }]);
    }

    #[test]
    fn the_summary_keeps_what_tells_most() {
        let evidence = read(CheckResult::Failed, "cargo test", OUTPUT);
        assert!(evidence.summary.contains("panicked at src/lib.rs:31:9:\nattempt to shift left with overflow"));
        assert!(!evidence.summary.contains("running 2 tests"));
        assert_eq!(read(CheckResult::Passed, "true", "a\n\nb\nc\n").summary, "b\nc");
    }

    #[test]
    fn a_tool_that_is_not_there_says_nothing_of_the_code() {
        let rustup =
            "error: rustup could not choose a version of cargo to run, because one wasn't specified explicitly";
        assert!(could_not_run(1, rustup).is_some_and(|because| because.contains("no version")));
        assert!(could_not_run(127, "").is_some_and(|because| because.contains("127")));
        assert!(could_not_run(101, "attempting to make an HTTP request, but --offline was specified").is_some());
        assert_eq!(could_not_run(101, "test tests::it_ends ... FAILED"), None);
    }
}
