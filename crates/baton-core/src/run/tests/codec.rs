//! Events as rows, and back.

use super::*;
use crate::classify::asking::{Heard, Said};
use crate::hash::Hash;
use crate::journal::{Row, verify_chain};
use crate::opinion::{Finding, Severity, Stance};
use crate::outcome::Deadline;
use crate::source::LocationCheck;

/// A vague task, and what a member said of it.
fn said_to_be(kind: Kind) -> Inputs {
    let said = Said { kind, complexity: Some(Complexity::Complex) };
    Inputs { task: task("hm"), said_kind: Some(Heard { member: id("d"), said }), ..inputs() }
}

#[test]
fn what_a_member_said_of_the_kind_is_in_the_plan_with_its_name() {
    let outside = Outside::submit(said_to_be(Kind::Performance), all_approve);
    let seen = &outside.state.plan.as_ref().unwrap().classification;
    assert_eq!((seen.kind, seen.complexity, seen.unsure), (Kind::Performance, Complexity::Complex, false));
    assert!(seen.reasons.contains(&"kind performance: d was asked".to_owned()), "{:?}", seen.reasons);
    let mut sure = said_to_be(Kind::Performance);
    sure.task.hints.kind = Some(Kind::Documentation);
    let outside = Outside::submit(sure, all_approve);
    assert_eq!(outside.state.plan.as_ref().unwrap().classification.kind, Kind::Documentation, "the user goes first");
}

/// One of every kind, with every optional field set somewhere.
fn events() -> Vec<Event> {
    let finding = Finding {
        file: Some("src/ä.rs".into()),
        line: Some(3),
        severity: Severity::Critical,
        claim: "overflow".into(),
        evidence: Some("1 << 64".into()),
        quote: None,
        stance: Stance::DoesNotHold,
        location: LocationCheck::NoSuchLine { lines: 2 },
    };
    let provenance = Provenance {
        program: Some("codex".into()),
        program_version: Some("1.2".into()),
        model: Some("m".into()),
        request_id: Some("r".into()),
        session: Some("s".into()),
    };
    let usage = Usage { input_tokens: u64::MAX, cached_tokens: 1, output_tokens: 2, reported_cost: Some(MicroUsd(3)) };
    let full = TurnReport {
        outcome: Outcome::RateLimited { retry_after_ms: Some(1) },
        detail: "slow \"down\"\n".into(),
        usage: Some(usage),
        provenance,
        transcript: Some(Hash::of(b"t")),
        answer: Some(Hash::of(b"a")),
    };
    let timed_out = report(Outcome::TimedOut { deadline: Deadline::Idle }, None);
    let mut judged = opinion(Verdict::Reject);
    judged.findings = vec![finding];
    let decision = Outside::submit(inputs(), all_approve).run().decision().clone();
    let abstained = evidence(CheckResult::Abstained { reason: "not here".into() });
    vec![
        Event::Submitted(Box::new(inputs())),
        Event::Submitted(Box::new(said_to_be(Kind::Performance))),
        Event::StepStarted {
            step: StepId(0),
            attempt: 1,
            member: id("a"),
            prompt: Some(Hash::of(b"p")),
            session: None,
        },
        Event::StepStarted { step: StepId(1), attempt: 0, member: id("b"), prompt: None, session: None },
        Event::StepFinished { step: StepId(0), attempt: 1, report: full },
        Event::StepFinished { step: StepId(1), attempt: 0, report: timed_out },
        Event::OpinionRead { step: StepId(0), reader: 3, opinion: judged },
        Event::EvidenceRecorded { step: StepId(2), evidence: abstained },
        Event::StepInDoubt { step: StepId(2), attempt: 0 },
        Event::TimerFired { step: StepId(2) },
        Event::CancelRequested,
        Event::Overridden { answer: "reject".into(), note: "seen it fail".into() },
        Event::PersonAnswered { node: 3, answer: "approve".into(), note: "fine".into() },
        Event::Decided(Box::new(decision)),
    ]
}

fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (at, event) in (0..).zip(events()) {
        let actor = [Actor::Engine, Actor::Person, Actor::Client("engine".into())][rows.len() % 3].clone();
        let new = event.encode(Timestamp(at), actor).unwrap();
        let previous = rows.last().map(|row| (row.ordinal, row.hash));
        rows.push(Row::next(previous, "run:r", 4, new));
    }
    rows
}

#[test]
fn every_event_round_trips_with_its_time_and_its_author() {
    let rows = rows();
    assert_eq!(verify_chain(&rows), Ok(()));
    let mut kinds: Vec<&str> = rows.iter().map(|row| row.kind.as_str()).collect();
    kinds.dedup();
    assert_eq!(kinds.len(), 11, "every kind is here");
    for (index, (row, event)) in rows.iter().zip(events()).enumerate() {
        let read = Stamped::decode(row).unwrap();
        assert_eq!((read.event, read.at), (event, row.at));
        let actor = [Actor::Engine, Actor::Person, Actor::Client("engine".into())][index % 3].clone();
        assert_eq!(read.actor, actor, "a client that calls itself engine is none");
    }
}

#[test]
fn what_a_newer_version_wrote_is_named_as_such() {
    for mut row in rows() {
        row.version = 2;
        let unknown = CodecError::Unknown { ordinal: row.ordinal, kind: row.kind.clone(), version: 2 };
        assert_eq!(Stamped::decode(&row), Err(unknown.clone()));
        assert!(unknown.to_string().contains("written by a newer one"));
        (row.version, row.kind) = (1, "step_dreamt".into());
        assert!(matches!(Stamped::decode(&row), Err(CodecError::Unknown { version: 1, .. })));
    }
}

#[test]
fn a_dropped_body_is_reported_where_it_is_needed() {
    for mut row in rows() {
        let had_body = row.body.take().is_some();
        let read = Stamped::decode(&row);
        let expected = matches!(row.kind.as_str(), "submitted" | "opinion_read" | "evidence_recorded" | "decided");
        assert_eq!(had_body, expected, "{}", row.kind);
        assert_eq!(read == Err(CodecError::BodyDropped { ordinal: row.ordinal }), expected, "{}", row.kind);
        assert_eq!(read.is_ok(), !expected, "{}", row.kind);
    }
}

#[test]
fn what_cannot_be_read_is_damage() {
    for mut row in rows().into_iter().filter(|row| row.kind != "cancel_requested") {
        row.header = "{".into();
        row.body = row.body.map(|_| b"{".to_vec());
        assert!(matches!(Stamped::decode(&row), Err(CodecError::Damaged { .. })), "{}", row.kind);
    }
}

#[test]
fn headers_tell_what_lists_need_without_bodies() {
    let rows = rows();
    let header = |kind: &str| -> serde_json::Value {
        serde_json::from_str(&rows.iter().find(|row| row.kind == kind).unwrap().header).unwrap()
    };
    assert_eq!(header("submitted")["prompt"], "Review this diff");
    assert_eq!(header("submitted")["workflow"], "simple");
    assert_eq!(header("decided")["recommendation"], "proceed");
    assert_eq!(header("step_finished")["outcome"]["class"], "rate_limited");
}

#[test]
fn a_field_that_a_later_version_adds_to_a_header_is_passed_over() {
    let mut row = rows().remove(3);
    row.header = row.header.replacen('{', "{\"mood\":\"fine\",", 1);
    assert!(Stamped::decode(&row).is_ok());
}

#[test]
fn a_whole_run_survives_its_rows() {
    let live = Outside::submit(critical(), all_approve).run();
    let mut previous = None;
    let mut read = Vec::new();
    for event in &live.journal {
        let row = Row::next(previous, "run:r", 1, event.event.encode(event.at, event.actor.clone()).unwrap());
        previous = Some((row.ordinal, row.hash));
        read.push(Stamped::decode(&row).unwrap());
    }
    assert_eq!(read, live.journal);
    assert_eq!(format!("{:?}", fold(read).unwrap()), format!("{:?}", live.state));
}
