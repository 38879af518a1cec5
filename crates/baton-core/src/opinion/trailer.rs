//! The JSON trailer that each prompt asks for: finding it in an answer, and reading its fields with patience.

use serde_json::{Map, Value};

use super::{Finding, Severity, Stance, Verdict};
use crate::source::Sources;
use crate::text::{one_line, prefix};
use crate::units::Probability;

/// A trailer and where it stood.
pub(super) struct Trailer<'a> {
    pub(super) fields: Map<String, Value>,
    /// The answer's text before it.
    pub(super) before: &'a str,
    /// It stood where it was asked for: a fenced block that ends the answer.
    pub(super) in_place: bool,
}

/// The most findings that are read from one answer; a longer list is noise or an attack.
const MOST_FINDINGS: usize = 200;
const LONGEST_CLAIM: usize = 500;
const LONGEST_EVIDENCE: usize = 1_000;
/// How many opening braces are tried when a trailer must be searched for.
const MOST_TRIES: usize = 64;

/// Finds the last JSON object that has a field of the trailer.
pub(super) fn find(text: &str) -> Option<Trailer<'_>> {
    fenced(text).or_else(|| loose(text))
}

fn fenced(text: &str) -> Option<Trailer<'_>> {
    let closed = text.trim_end().strip_suffix("```");
    let body = closed.unwrap_or(text);
    let start = body.rfind("```json").map(|at| (at, at + "```json".len()))?;
    let inner = body[start.1..].split("```").next().unwrap_or_default();
    let fields = object(inner)?;
    let in_place = closed.is_some_and(|closed| closed[start.1..].len() == inner.len());
    Some(Trailer { fields, before: &text[..start.0], in_place })
}

fn loose(text: &str) -> Option<Trailer<'_>> {
    let openings = text.char_indices().rev().filter(|(_, character)| *character == '{').take(MOST_TRIES);
    let mut found: Option<Trailer<'_>> = None;
    for (at, _) in openings {
        let Some(fields) = object(&text[at..]) else { continue };
        // An outer object holds an inner one, as findings are objects too. One that ends before the next begins is
        // another one: an example, a quotation or a first thought.
        if found.as_ref().is_some_and(|later| object(&text[at..later.before.len()]).is_some()) {
            break;
        }
        found = Some(Trailer { fields, before: &text[..at], in_place: false });
    }
    found
}

/// One object with a known field, followed by anything.
fn object(text: &str) -> Option<Map<String, Value>> {
    let Value::Object(fields) = first_value(text.trim_start()).or_else(|| first_value(&mended(text)))? else {
        return None;
    };
    let known = ["verdict", "choice", "findings", "abstain"];
    known.iter().any(|key| fields.contains_key(*key)).then_some(fields)
}

fn first_value(text: &str) -> Option<Value> {
    serde_json::Deserializer::from_str(text).into_iter().next()?.ok()
}

/// The text without commas before a closing bracket, the one slip that models make often.
fn mended(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.trim().chars() {
        if matches!(character, '}' | ']') {
            let kept = out.trim_end().trim_end_matches(',').len();
            out.truncate(kept);
        }
        out.push(character);
    }
    out
}

pub(super) fn verdict(fields: &Map<String, Value>) -> Option<Verdict> {
    verdict_word(fields.get("verdict")?.as_str()?)
}

pub(super) fn verdict_word(word: &str) -> Option<Verdict> {
    match word.trim().to_lowercase().as_str() {
        "approve" | "approved" | "accept" | "yes" | "pass" | "lgtm" | "safe" => Some(Verdict::Approve),
        "revise" | "request_changes" | "request changes" | "changes_requested" | "change" => Some(Verdict::Revise),
        "reject" | "rejected" | "no" | "block" | "fail" | "unsafe" => Some(Verdict::Reject),
        _ => None,
    }
}

pub(super) fn text_field(fields: &Map<String, Value>, key: &str) -> Option<String> {
    let text = fields.get(key)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A number from 0 to 1; whatever else is said is no confidence.
pub(super) fn confidence(fields: &Map<String, Value>) -> Option<Probability> {
    Probability::from_f64(fields.get("confidence")?.as_f64()?)
}

pub(super) fn findings(fields: &Map<String, Value>, sources: &Sources) -> Vec<Finding> {
    let Some(Value::Array(list)) = fields.get("findings") else { return Vec::new() };
    list.iter().take(MOST_FINDINGS).filter_map(|value| finding(value.as_object()?, sources)).collect()
}

fn finding(fields: &Map<String, Value>, sources: &Sources) -> Option<Finding> {
    let claim = text_field(fields, "claim")?;
    let file = text_field(fields, "file");
    let line = fields.get("line").and_then(line_number);
    let quote = text_field(fields, "quote");
    let location = sources.check(file.as_deref(), line, quote.as_deref());
    let file = file.map(|name| sources.resolve(&name).map_or(name.clone(), str::to_owned));
    let evidence = text_field(fields, "evidence").or(quote);
    Some(Finding {
        file: file.map(|name| one_line(&name, 300)),
        line,
        severity: severity(fields),
        claim: one_line(&claim, LONGEST_CLAIM),
        evidence: evidence.map(|text| prefix(&text, LONGEST_EVIDENCE).to_owned()),
        stance: stance(fields),
        location,
    })
}

/// `12`, `"12"`, `"12-14"` and `"L12"` all name line 12.
fn line_number(value: &Value) -> Option<u32> {
    if let Some(number) = value.as_u64() {
        return u32::try_from(number).ok();
    }
    let text = value.as_str()?.trim().trim_start_matches(['L', 'l']);
    let digits = text.split(|character: char| !character.is_ascii_digit()).next()?;
    digits.parse().ok()
}

fn severity(fields: &Map<String, Value>) -> Severity {
    match text_field(fields, "severity").unwrap_or_default().to_lowercase().as_str() {
        "critical" | "blocker" => Severity::Critical,
        "high" | "major" | "error" => Severity::High,
        "low" | "minor" | "info" | "nit" | "note" => Severity::Low,
        _ => Severity::Medium,
    }
}

fn stance(fields: &Map<String, Value>) -> Stance {
    match text_field(fields, "stance").unwrap_or_default().to_lowercase().as_str() {
        "does_not_hold" | "denied" | "refuted" | "false" => Stance::DoesNotHold,
        _ => Stance::Holds,
    }
}
