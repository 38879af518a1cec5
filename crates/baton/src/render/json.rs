//! The decision as other programs read it: `baton.decision/1`. Fields are only ever added.

use baton_core::consensus::Decision;
use baton_core::ids::RunId;
use baton_core::journal::Row;
use baton_core::run::{RunState, Status};
use serde_json::{Map, Value, json};

use super::disputes::{self, Ended};
use crate::commands::open_question;
use crate::failure::Failure;

/// The decision with its schema name, its run and, where it refers to them, the whole answer and the tests' diffs.
pub(crate) fn decision(
    run: &RunId,
    state: &RunState,
    decision: &Decision,
    texts: &super::Texts,
) -> Result<Value, Failure> {
    let encode = |error: serde_json::Error| Failure::configuration(format!("the decision cannot be written: {error}"));
    let mut fields = Map::new();
    fields.insert("schema".into(), json!("baton.decision/1"));
    fields.insert("run".into(), json!(run.as_str()));
    fields.insert("status".into(), json!(status(state.status)));
    if let Value::Object(decided) = serde_json::to_value(decision).map_err(encode)? {
        fields.extend(decided);
    }
    for key in ["overallConfidence", "threshold"] {
        fields.insert(key.into(), fraction(fields.get(key)));
    }
    let mut number = 0;
    for (key, has_confidence) in [("issues", true), ("refusedIssues", false)] {
        let Some(Value::Array(findings)) = fields.get_mut(key) else { continue };
        for finding in findings.iter_mut().filter_map(Value::as_object_mut) {
            number += 1;
            finding.insert("number".into(), json!(number));
            if has_confidence {
                let value = fraction(finding.get("confidence"));
                finding.insert("confidence".into(), value);
            }
        }
    }
    fields.insert("costUsd".into(), dollars(fields.get("cost")));
    fields.remove("cost");
    if let Some(saved) = fields.remove("saved") {
        fields.insert("savedUsd".into(), dollars(Some(&saved)));
    }
    if let Some(plan) = super::plan::value(state) {
        fields.insert("plan".into(), plan);
    }
    fields.insert("turns".into(), super::turns::list(state));
    if let (Some(Value::Object(reference)), Some(text)) = (fields.get_mut("answer"), &texts.answer) {
        reference.insert("text".into(), json!(text));
    }
    beside_the_screen(&mut fields, state, decision, texts);
    if let Some(Value::Array(tests)) = fields.get_mut("reproductions") {
        for (test, diff) in tests.iter_mut().filter_map(Value::as_object_mut).zip(&texts.tests) {
            test.insert("diff".into(), json!(diff));
        }
    }
    Ok(Value::Object(fields))
}

/// What the screen tells and the decision does not hold: the adopted diff, why a dispute is open, what a run waits for.
fn beside_the_screen(fields: &mut Map<String, Value>, state: &RunState, decision: &Decision, texts: &super::Texts) {
    if let (Some(Value::Array(patches)), Some(diff)) = (fields.get_mut("patches"), &texts.answer) {
        let adopted = patches.iter_mut().filter_map(Value::as_object_mut).find(|one| one.get("adopted").is_some());
        if let Some(patch) = adopted {
            patch.insert("diff".into(), json!(diff));
        }
    }
    if let Some(Value::Array(conflicts)) = fields.get_mut("conflicts") {
        for (value, conflict) in conflicts.iter_mut().filter_map(Value::as_object_mut).zip(&decision.conflicts) {
            if let Ended::Open(because) = disputes::ended(conflict, state, decision) {
                value.insert("openBecause".into(), json!(because.trim_start_matches("open: ")));
            }
        }
    }
    if let Some((question, options)) = open_question(state) {
        fields.insert("waitsFor".into(), json!({ "question": question, "answers": options }));
    }
}

/// A row of the journal, with everything that its hash covers, so that others can check the chain.
pub(crate) fn row(row: &Row) -> Value {
    let body = row.body.as_ref().map(|body| String::from_utf8_lossy(body));
    json!({
        "stream": row.stream, "ordinal": row.ordinal, "kind": row.kind, "version": row.version, "at": row.at.0,
        "epoch": row.epoch, "actor": row.actor, "header": row.header, "bodyHash": row.body_hash, "body": body,
        "prevHash": row.prev_hash, "hash": row.hash,
    })
}

pub(crate) fn status(status: Status) -> &'static str {
    match status {
        Status::Open => "open",
        Status::Waiting { .. } => "waiting",
        Status::Decided => "decided",
        Status::Cancelled => "cancelled",
    }
}

/// Millionths inside, fractions outside.
#[expect(clippy::cast_precision_loss, reason = "at most a million")]
fn fraction(value: Option<&Value>) -> Value {
    value.and_then(Value::as_u64).map_or(Value::Null, |millionths| json!(millionths as f64 / 1e6))
}

#[expect(clippy::cast_precision_loss, reason = "dollars on a screen")]
fn dollars(value: Option<&Value>) -> Value {
    value.and_then(Value::as_u64).map_or(Value::Null, |micro| json!(micro as f64 / 1e6))
}
