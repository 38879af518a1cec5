//! Positions on a scale: how severe, and how much.

use super::language::Statement;
use super::options::digits;
use crate::opinion::Severity;

const LEVELS: &[(&str, i32)] = &[
    ("critical", 4),
    ("emergency", 4),
    ("blocker", 4),
    ("severe", 4),
    ("catastrophic", 4),
    ("p0", 4),
    ("sev1", 4),
    ("high", 3),
    ("major", 3),
    ("serious", 3),
    ("p1", 3),
    ("medium", 2),
    ("moderate", 2),
    ("p2", 2),
    ("low", 1),
    ("minor", 1),
    ("informational", 1),
    ("cosmetic", 1),
    ("negligible", 1),
    ("trivial", 1),
    ("nit", 1),
    ("harmless", 1),
    ("p3", 1),
    ("p4", 1),
];
const NONE: &[&str] = &[
    "not an issue",
    "no issue",
    "not a problem",
    "no action",
    "no risk",
    "false positive",
    "not exploitable",
    "nothing to do",
    "would not act",
];

/// The first level that an answer names, from 1 (low) to 4 (critical), else the worst of its findings.
pub(super) fn severity(statements: &[Statement], findings: impl Iterator<Item = Severity>) -> Option<i32> {
    let own = statements.iter().filter(|statement| !statement.reports());
    for clause in own.take(2).flat_map(Statement::plain) {
        if NONE.iter().any(|phrase| clause.find(phrase).is_some()) {
            return Some(1);
        }
        let named = clause
            .words
            .iter()
            .filter(|word| !word.negated)
            .find_map(|word| LEVELS.iter().find(|(name, _)| *name == word.text).map(|(_, level)| *level));
        if named.is_some() {
            return named;
        }
    }
    findings.map(|severity| severity as i32 + 1).max()
}

/// The amounts that an answer opens with, in units that can be compared ("2s" and "two seconds" are one).
pub(super) fn amounts(statements: &[Statement], trailer: Option<&str>) -> Vec<String> {
    let said = trailer.map(|text| vec![Statement::read(text)]);
    let own: Vec<&Statement> = statements.iter().filter(|statement| !statement.reports()).collect();
    let mut found: Vec<String> = said.iter().flatten().flat_map(in_statement).collect();
    found.extend(
        own.iter().map(|statement| in_statement(statement)).find(|found| !found.is_empty()).unwrap_or_default(),
    );
    found
}

fn in_statement(statement: &Statement) -> Vec<String> {
    let mut amounts = Vec::new();
    for clause in statement.plain() {
        for (at, word) in clause.words.iter().enumerate().filter(|(_, word)| !word.negated) {
            let next = clause.words.get(at + 1).map_or("", |word| word.text.as_str());
            amounts.extend(amount(&word.text, next));
        }
    }
    amounts
}

fn amount(word: &str, next: &str) -> Option<String> {
    let plain = if word == "a" && unit(next).is_some() { "1".to_owned() } else { digits(word).replace(',', "") };
    let split = plain.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(plain.len());
    let number: f64 = plain.get(..split)?.parse().ok()?;
    let glued = unit(plain.get(split..)?);
    let (factor, kind) = match glued {
        Some(unit) => unit,
        None if split == plain.len() => unit(next).unwrap_or((1.0, "")),
        None => return None,
    };
    Some(format!("{:.3}{kind}", number * factor))
}

fn unit(word: &str) -> Option<(f64, &'static str)> {
    let word = word.trim_start_matches('-');
    Some(match word {
        "ms" | "millisecond" | "milliseconds" => (0.001, "s"),
        "s" | "sec" | "secs" | "second" | "seconds" => (1.0, "s"),
        "min" | "mins" | "minute" | "minutes" => (60.0, "s"),
        "h" | "hour" | "hours" => (3_600.0, "s"),
        "d" | "day" | "days" => (86_400.0, "s"),
        "week" | "weeks" => (604_800.0, "s"),
        "month" | "months" => (2_629_800.0, "s"),
        "year" | "years" => (31_557_600.0, "s"),
        "kb" => (1e3, "b"),
        "mb" => (1e6, "b"),
        "gb" => (1e9, "b"),
        "%" | "percent" => (1.0, "%"),
        _ => return None,
    })
}
