//! What sort of task is this. The user's word comes first; otherwise words of the prompt speak for kinds, complexity
//! and priority, and the reasons are kept.
//!
//! This is a first, plain rule: a lexicon with weights. It says when it is unsure, and then routing takes a general
//! team.

use serde::{Deserialize, Serialize};

use crate::task::{Complexity, Hints, Kind, Priority, Question, Task};
use crate::text::words;

/// What a task was taken for, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classification {
    pub kind: Kind,
    pub complexity: Complexity,
    pub priority: Priority,
    pub question: Question,
    /// No kind stood out: `kind` is the nearest, and no role is taken from it.
    pub unsure: bool,
    pub reasons: Vec<String>,
}

/// Stems that speak for a kind. A word counts when it starts with the stem.
const LEXICON: &[(Kind, u32, &[&str])] = &[
    (Kind::SecurityReview, 4, &["security", "vulnerab", "exploit", "injection", "xss", "csrf", "cve", "attack"]),
    (Kind::SecurityReview, 2, &["auth", "secret", "token", "permission", "sanitiz", "untrusted", "leak"]),
    (Kind::CodeReview, 4, &["review", "pr", "diff"]),
    (Kind::CodeReview, 2, &["safe", "correct", "bug", "wrong", "check", "look"]),
    (Kind::Architecture, 4, &["architect", "design", "microservice", "monolith", "schema", "hexagonal"]),
    (Kind::Architecture, 2, &["plan", "structure", "boundar", "scal", "component"]),
    (Kind::Implementation, 3, &["implement", "build", "create", "write", "add", "develop", "support", "feature"]),
    (Kind::Performance, 4, &["performan", "optimi", "slow", "faster", "latency", "throughput", "profil", "benchmark"]),
    (Kind::Performance, 2, &["speed", "memory", "cpu", "cache"]),
    (Kind::CodebaseAnalysis, 4, &["codebase", "repository", "repo", "dependenc", "callers"]),
    (Kind::CodebaseAnalysis, 2, &["where", "explain", "understand", "trace", "which", "analy"]),
    (Kind::Brainstorming, 4, &["brainstorm", "idea", "ideas", "suggest", "creative", "names"]),
    (Kind::QuickFix, 4, &["typo", "bump", "rename", "hello"]),
    (Kind::QuickFix, 2, &["fix", "quick", "small", "oneliner", "error"]),
    (Kind::Documentation, 4, &["document", "readme", "docs", "docstring", "changelog", "tutorial"]),
    (Kind::Documentation, 2, &["comment", "guide", "describe"]),
    (Kind::TestingStrategy, 4, &["test", "coverage", "flaky", "fuzz", "regression"]),
    (Kind::Refactoring, 4, &["refactor", "decouple", "extract", "clean", "simplify", "split", "migrat"]),
    (Kind::Alternatives, 4, &["alternativ", "instead", "versus", "vs", "compare", "options", "besides"]),
    (Kind::Alternatives, 2, &["other", "or", "better", "rather"]),
];

const COMPLEX_STEMS: &[&str] =
    &["system", "entire", "whole", "architect", "migrat", "distributed", "end-to-end", "redesign", "service", "every"];
const QUICK_STEMS: &[&str] = &["typo", "bump", "rename", "quick", "oneliner", "small", "simple", "hello", "just"];
const CRITICAL_STEMS: &[&str] = &["critical", "urgent", "production", "outage", "breach", "incident"];

/// The least score at which a kind is believed.
const SURE: u32 = 4;

/// Classifies a task. Deterministic; explains itself in `reasons`.
#[must_use]
pub fn classify(task: &Task) -> Classification {
    let words = words(&task.prompt);
    let mut reasons = Vec::new();
    let (kind, unsure) = kind(&task.hints, &words, &mut reasons);
    let complexity = complexity(task, &words, kind, &mut reasons);
    let priority = priority(&task.hints, &words, &mut reasons);
    let question = question(task, (!unsure).then_some(kind), &words, &mut reasons);
    Classification { kind, complexity, priority, question, unsure, reasons }
}

fn kind(hints: &Hints, words: &[String], reasons: &mut Vec<String>) -> (Kind, bool) {
    if let Some(kind) = hints.kind {
        reasons.push(format!("kind {kind}: you said so"));
        return (kind, false);
    }
    let mut best = (0, Kind::Implementation, Vec::new());
    for kind in Kind::ALL {
        let (score, heard) = score(*kind, words);
        if score > best.0 {
            best = (score, *kind, heard);
        }
    }
    let (score, kind, heard) = best;
    if score < SURE {
        reasons.push("kind unsure: no word of the task speaks clearly for one".to_owned());
        return (kind, true);
    }
    reasons.push(format!("kind {kind}: the task says {}", heard.join(", ")));
    (kind, false)
}

fn score(kind: Kind, words: &[String]) -> (u32, Vec<String>) {
    let mut total = 0;
    let mut heard: Vec<String> = Vec::new();
    for (_, weight, stems) in LEXICON.iter().filter(|(of, ..)| *of == kind) {
        for word in words.iter().filter(|word| stems.iter().any(|stem| speaks(word, stem))) {
            if !heard.contains(word) {
                total += weight;
                heard.push(word.clone());
            }
        }
    }
    (total, heard)
}

/// Short stems must be whole words: `pr` is not `print`.
fn speaks(word: &str, stem: &str) -> bool {
    if stem.len() <= 4 { word == stem } else { word.starts_with(stem) }
}

fn has_any(words: &[String], stems: &[&str]) -> Option<String> {
    words.iter().find(|word| stems.iter().any(|stem| speaks(word, stem))).cloned()
}

fn complexity(task: &Task, words: &[String], kind: Kind, reasons: &mut Vec<String>) -> Complexity {
    if let Some(complexity) = task.hints.complexity {
        reasons.push(format!("{complexity}: you said so"));
        return complexity;
    }
    let attached: u64 = task.attachments.iter().map(|attachment| attachment.bytes).sum();
    let (complexity, because) = if let Some(word) = has_any(words, COMPLEX_STEMS) {
        (Complexity::Complex, format!("the task says {word}"))
    } else if words.len() > 120 || attached > 60_000 {
        (Complexity::Complex, "it is long".to_owned())
    } else if let Some(word) = has_any(words, QUICK_STEMS) {
        (Complexity::Quick, format!("the task says {word}"))
    } else if kind == Kind::QuickFix {
        (Complexity::Quick, "it is a quick fix".to_owned())
    } else {
        (Complexity::Standard, "nothing says otherwise".to_owned())
    };
    reasons.push(format!("{complexity}: {because}"));
    complexity
}

fn priority(hints: &Hints, words: &[String], reasons: &mut Vec<String>) -> Priority {
    if let Some(priority) = hints.priority {
        reasons.push(format!("priority {priority}: you said so"));
        return priority;
    }
    if let Some(word) = has_any(words, CRITICAL_STEMS) {
        reasons.push(format!("priority high: the task says {word}"));
        return Priority::High;
    }
    Priority::Normal
}

const VERDICT_OPENERS: &[&str] = &["is", "are", "does", "do", "should", "can", "could", "will", "would", "may", "has"];

fn question(task: &Task, kind: Option<Kind>, words: &[String], reasons: &mut Vec<String>) -> Question {
    if let Some(question) = &task.hints.question {
        return question.clone();
    }
    let opens = words.first().is_some_and(|first| VERDICT_OPENERS.contains(&first.as_str()));
    let (question, because) = match kind {
        Some(Kind::CodeReview | Kind::SecurityReview) => (Question::Findings, "a review lists what it finds"),
        _ if opens && !task.attachments.is_empty() => (Question::Findings, "a question about attached text"),
        _ if opens => (Question::Verdict, "it asks for yes or no"),
        _ => (Question::Text, "it asks for a text"),
    };
    reasons.push(format!("asks for {}: {because}", question.as_str()));
    question
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::hash::Hash;
    use crate::task::{Attachment, AttachmentForm};

    pub(crate) fn task(prompt: &str) -> Task {
        Task { prompt: prompt.into(), attachments: vec![], hints: Hints::default(), workspace: None }
    }

    #[test]
    fn the_users_word_comes_first() {
        let mut task = task("Review the login for security holes");
        task.hints = Hints { kind: Some(Kind::Documentation), priority: Some(Priority::Critical), ..Hints::default() };
        let seen = classify(&task);
        assert_eq!((seen.kind, seen.priority, seen.unsure), (Kind::Documentation, Priority::Critical, false));
    }

    #[test]
    fn words_speak_for_kinds_and_the_reason_names_them() {
        let cases = [
            ("Review security of auth code", Kind::SecurityReview),
            ("Design and plan the user service boundaries", Kind::Architecture),
            ("why is this query so slow, optimise it", Kind::Performance),
            ("brainstorm ideas for onboarding", Kind::Brainstorming),
            ("Write a README for this tool and document its flags", Kind::Documentation),
        ];
        for (prompt, kind) in cases {
            let seen = classify(&task(prompt));
            assert_eq!((seen.kind, seen.unsure), (kind, false), "{prompt}");
            assert!(seen.reasons[0].contains("the task says"), "{:?}", seen.reasons);
        }
    }

    #[test]
    fn nothing_said_is_unsure_and_standard() {
        let seen = classify(&task("please have a go at this thing"));
        assert!(seen.unsure);
        assert_eq!((seen.complexity, seen.priority), (Complexity::Standard, Priority::Normal));
    }

    #[test]
    fn short_stems_do_not_match_inside_words() {
        assert!(classify(&task("print the output")).unsure, "pr is not print");
    }

    #[test]
    fn a_yes_or_no_question_about_a_file_asks_for_findings() {
        let mut asked = task("Is this retry loop safe?");
        assert_eq!(classify(&asked).question, Question::Verdict);
        asked.attachments.push(Attachment {
            name: "src/net.rs".into(),
            form: AttachmentForm::File,
            content: Hash::ZERO,
            bytes: 100,
        });
        assert_eq!(classify(&asked).question, Question::Findings);
    }
}
