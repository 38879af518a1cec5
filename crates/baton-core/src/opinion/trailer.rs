//! The JSON trailer that each prompt asks for: finding it in an answer, and reading its fields with patience.

use serde_json::{Map, Value};

use super::{Finding, Severity, Stance, Verdict, label, mend};
use crate::source::{Named, Sources};
use crate::text::{one_line, prefix};
use crate::units::Probability;

/// A trailer and where it stood.
pub(super) struct Trailer<'a> {
    pub(super) fields: Map<String, Value>,
    /// The answer's text before it.
    pub(super) before: &'a str,
    /// It stood where it was asked for: a fenced block that ends the answer.
    pub(super) in_place: bool,
    /// Nothing but the end of its fence follows it.
    pub(super) last: bool,
}

/// The most findings that are read from one answer; a longer list is noise or an attack.
const MOST_FINDINGS: usize = 200;
const LONGEST_CLAIM: usize = 500;
const LONGEST_EVIDENCE: usize = 1_000;
/// How many opening braces are tried when a trailer must be searched for: one for each finding, and some.
const MOST_TRIES: usize = 256;
const FENCES: [&str; 4] = ["```json", "```JSON", "```json5", "```jsonc"];

/// Finds the last JSON object that has a field of the trailer. What stands inside of another one, as a quotation in a
/// finding, is not that member's own.
pub(super) fn find(text: &str) -> Option<Trailer<'_>> {
    let found = fenced(text).or_else(|| loose(text))?;
    let outer = around(text, found.before.len());
    Some(outer.unwrap_or(found))
}

/// The outermost object with a known field that begins before this place and ends behind it.
fn around(text: &str, place: usize) -> Option<Trailer<'_>> {
    let openings = text[..place].char_indices().rev().filter(|(_, character)| *character == '{').take(MOST_TRIES);
    let spanning = openings.filter_map(|(at, _)| {
        let (fields, length) = object_until(&text[at..])?;
        (at + length > place).then_some((at, fields, at + length))
    });
    let (at, fields, end) = spanning.last()?;
    let head = text[..at].trim_end();
    let fence = FENCES.iter().find_map(|fence| head.strip_suffix(fence));
    let in_place = fence.is_some() && text[end..].trim() == "```";
    let before = fence.or(head.strip_suffix("```")).unwrap_or(&text[..at]);
    Some(Trailer { fields, before, in_place, last: ends(&text[end..]) })
}

fn fenced(text: &str) -> Option<Trailer<'_>> {
    let closed = text.trim_end().strip_suffix("```");
    let body = closed.unwrap_or(text);
    let start = FENCES.iter().filter_map(|fence| body.rfind(fence).map(|at| (at, at + fence.len()))).max()?;
    let inner = body[start.1..].split("```").next().unwrap_or_default();
    let fields = object(inner)?;
    let last = body[start.1..].len() == inner.len();
    Some(Trailer { fields, before: &text[..start.0], in_place: last && closed.is_some(), last })
}

fn ends(after: &str) -> bool {
    matches!(after.trim(), "" | "```")
}

fn loose(text: &str) -> Option<Trailer<'_>> {
    let openings = text.char_indices().rev().filter(|(_, character)| *character == '{').take(MOST_TRIES);
    let mut found: Option<Trailer<'_>> = None;
    for (at, _) in openings {
        let Some((fields, length)) = object_until(&text[at..]) else { continue };
        // An outer object holds an inner one, as findings are objects too. One that ends before the next begins is
        // another one: an example, a quotation or a first thought.
        if found.as_ref().is_some_and(|later| ends_in(&text[at..later.before.len()])) {
            break;
        }
        found = Some(Trailer { fields, before: &text[..at], in_place: false, last: ends(&text[at + length..]) });
    }
    found
}

/// An object that is closed before the text ends: what begins after it is not inside.
fn ends_in(text: &str) -> bool {
    first_value(text).is_some() || mend::closed(text)
}

/// One object with a known field, followed by anything.
fn object(text: &str) -> Option<Map<String, Value>> {
    object_until(text.trim_start()).map(|(fields, _)| fields)
}

/// The object with a known field that a text begins with, and how long it is.
fn object_until(text: &str) -> Option<(Map<String, Value>, usize)> {
    if !text.starts_with('{') {
        return None;
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter();
    let (fields, length) = match values.next() {
        Some(Ok(Value::Object(fields))) => (fields, values.byte_offset()),
        _ => mend::object_until(text)?,
    };
    let known = ["verdict", "choice", "findings", "abstain"];
    known.iter().any(|key| fields.contains_key(*key)).then_some((fields, length))
}

fn first_value(text: &str) -> Option<Value> {
    serde_json::Deserializer::from_str(text).into_iter().next()?.ok()
}

pub(super) fn verdict(fields: &Map<String, Value>) -> Option<Verdict> {
    verdict_word(fields.get("verdict")?.as_str()?)
}

pub(super) fn verdict_word(word: &str) -> Option<Verdict> {
    let plain = word.trim().trim_matches(['.', '!', '"', '\'', '*']).to_lowercase().replace(['_', '-'], " ");
    match plain.as_str() {
        "approve"
        | "approved"
        | "accept"
        | "accepted"
        | "yes"
        | "pass"
        | "lgtm"
        | "safe"
        | "approve with comments"
        | "approve with nits" => Some(Verdict::Approve),
        "revise"
        | "request changes"
        | "requests changes"
        | "changes requested"
        | "change"
        | "needs work"
        | "needs changes"
        | "needs revision"
        | "approve with changes"
        | "approve with conditions"
        | "conditional" => Some(Verdict::Revise),
        "reject" | "rejected" | "no" | "block" | "fail" | "unsafe" | "decline" | "deny" => Some(Verdict::Reject),
        _ => None,
    }
}

/// The member declares that it takes no position: a reason to abstain, or `abstain` for a verdict.
pub(super) fn abstains(fields: &Map<String, Value>) -> bool {
    let said = fields.get("verdict").and_then(Value::as_str).unwrap_or_default().trim().to_lowercase();
    matches!(said.as_str(), "abstain" | "none" | "no opinion" | "unsure" | "unclear")
        || text_field(fields, "abstain").is_some()
}

pub(super) fn text_field(fields: &Map<String, Value>, key: &str) -> Option<String> {
    let text = fields.get(key)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A number from 0 to 1, or a percentage: a text that ends in `%`, or a bare number above 10 and up to 100, which can
/// be nothing else. 7 may be of ten or of a hundred, and is none; so are words, negative and endless numbers.
pub(super) fn confidence(fields: &Map<String, Value>) -> Option<Probability> {
    let said = match fields.get("confidence")? {
        Value::Number(number) => (number.as_f64()?, false),
        Value::String(text) => {
            let text = text.trim();
            let number = text.trim_end_matches('%').trim();
            (number.parse::<f64>().ok()?, text.ends_with('%'))
        }
        _ => return None,
    };
    match said {
        (percent, true) => Probability::from_f64(percent / 100.0),
        (share, false) if share > 10.0 && share <= 100.0 => Probability::from_f64(share / 100.0),
        (share, false) => Probability::from_f64(share),
    }
}

pub(super) fn findings(fields: &Map<String, Value>, sources: &Sources) -> Vec<Finding> {
    let Some(Value::Array(list)) = fields.get("findings") else { return Vec::new() };
    list.iter().take(MOST_FINDINGS).filter_map(|value| finding(value.as_object()?, sources)).collect()
}

/// The places that findings name and of which the texts of the task tell nothing.
pub(super) fn places(fields: &Map<String, Value>, sources: &Sources) -> Vec<Named> {
    let Some(Value::Array(list)) = fields.get("findings") else { return Vec::new() };
    let named = |value: &Value| {
        let (file, line, quote) = place(value.as_object()?);
        Named::of(file?, line?, quote, sources)
    };
    list.iter().take(MOST_FINDINGS).filter_map(named).collect()
}

fn place(fields: &Map<String, Value>) -> (Option<String>, Option<u32>, Option<String>) {
    (text_field(fields, "file"), fields.get("line").and_then(line_number), text_field(fields, "quote"))
}

fn finding(fields: &Map<String, Value>, sources: &Sources) -> Option<Finding> {
    let (file, line, quote) = place(fields);
    let told = Told {
        file,
        line,
        severity: severity(fields),
        claim: text_field(fields, "claim")?,
        evidence: text_field(fields, "evidence").or_else(|| quote.clone()),
    };
    Some(located(told, quote.as_deref(), stance(fields), sources))
}

/// A finding as its member tells it.
pub(super) struct Told {
    pub(super) file: Option<String>,
    pub(super) line: Option<u32>,
    pub(super) severity: Severity,
    pub(super) claim: String,
    pub(super) evidence: Option<String>,
}

/// The finding, bounded, under the true name of its file, and with what is known of its place.
pub(super) fn located(told: Told, quote: Option<&str>, stance: Stance, sources: &Sources) -> Finding {
    let location = sources.check(told.file.as_deref(), told.line, quote);
    let short = |text: &str| prefix(text, LONGEST_EVIDENCE).to_owned();
    let file = told.file.map(|name| sources.resolve(&name).map_or(name.clone(), str::to_owned));
    Finding {
        file: file.map(|name| one_line(&name, 300)),
        line: told.line,
        severity: told.severity,
        claim: one_line(&told.claim, LONGEST_CLAIM),
        evidence: told.evidence.as_deref().map(short),
        quote: quote.map(short),
        stance,
        location,
    }
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
    let said = text_field(fields, "severity").unwrap_or_default().to_lowercase();
    match said.as_str() {
        "error" => Severity::High,
        "info" | "note" => Severity::Low,
        said => label::severity(said).unwrap_or(Severity::Medium),
    }
}

fn stance(fields: &Map<String, Value>) -> Stance {
    match text_field(fields, "stance").unwrap_or_default().to_lowercase().as_str() {
        "does_not_hold" | "denied" | "refuted" | "false" => Stance::DoesNotHold,
        _ => Stance::Holds,
    }
}
