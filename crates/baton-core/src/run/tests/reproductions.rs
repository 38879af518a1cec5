//! Claims that a test can settle: put to one member of another family, once, and run.

use super::*;
use crate::consensus::Standing;
use crate::hash::Hash;
use crate::opinion::{Finding, Stance};
use crate::source::LocationCheck;
use crate::workflow::Workflow;

fn finding(claim: &str, severity: Severity, stance: Stance) -> Finding {
    let line = u32::try_from(claim.len()).unwrap() * 100;
    Finding {
        file: Some("src/net.rs".into()),
        line: Some(line),
        severity,
        claim: claim.into(),
        evidence: Some("1 << 64".into()),
        quote: None,
        stance,
        location: LocationCheck::Verified,
    }
}

/// What a member is read as saying that reports, denies or tests.
pub(super) fn read(reply: &Reply) -> Opinion {
    let with = |verdict, finding| Opinion { findings: vec![finding], ..opinion(verdict) };
    match reply {
        Reply::Reports(severity, claim) => with(Verdict::Reject, finding(claim, *severity, Stance::Holds)),
        Reply::Denies(claim) => with(Verdict::Approve, finding(claim, Severity::Low, Stance::DoesNotHold)),
        Reply::Tests(text) => {
            let position = Position::Test { files: vec!["tests/t.rs".into()], content: Hash::of(text.as_bytes()) };
            Opinion { position, ..Opinion::abstaining("") }
        }
        _ => Opinion::abstaining("unreadable"),
    }
}

const CLAIM: &str = "the counter wraps around when it is full";

/// `a` reports something critical, the others see nothing; tests fail.
fn one_reports(member: &str, _: u8, _: u32) -> Reply {
    match member {
        "a" => Reply::Reports(Severity::Critical, CLAIM),
        "runner" => Reply::Finds(CheckResult::Failed),
        _ => Reply::Says(Verdict::Reject),
    }
}

/// Three report a different thing each.
fn one_report_each(member: &str, _: u8, _: u32) -> Reply {
    match member {
        "a" => Reply::Reports(Severity::High, "the lock is taken twice on this path and never let go"),
        "b" => Reply::Reports(Severity::Critical, CLAIM),
        "c" => Reply::Reports(Severity::High, "a password is written to the log in plain text"),
        _ => Reply::Finds(CheckResult::Failed),
    }
}

fn testing() -> Workflow {
    Workflow {
        nodes: vec![
            node("panel", When::Always, ask(Who::Team, &[])),
            node("decide", When::Always, Act::Decide),
            node("tests", When::Always, ask(Who::Testers, &[Artefact::Claim])),
            node("run-tests", When::Always, Act::Reproduce),
            node("after-the-tests", When::Tested, Act::Decide),
        ],
        ..simple()
    }
}

/// Three answer, a fourth is in reserve, and tests can be run.
fn seated() -> Inputs {
    let mut inputs = Inputs { workflow: testing(), ..inputs() };
    (inputs.rules.team.standard.least, inputs.rules.team.standard.most) = (3, 3);
    inputs.members.push(Member { nature: Nature::Reproduction, ..check("runner") });
    inputs
}

/// Who was asked for a test, and who ran one.
fn asked(outside: &Outside) -> (Vec<&str>, usize) {
    let testers = outside.state.steps.iter().filter(|step| step.claim().is_some());
    let runs = outside.state.steps.iter().filter(|step| matches!(step.work, Work::Reproduce { .. }));
    (testers.map(|step| step.member.as_str()).collect(), runs.count())
}

fn run(script: Script) -> Outside {
    Outside::submit(seated(), script).run()
}

#[test]
fn a_critical_claim_is_put_to_one_member_of_another_family_and_its_test_is_run_once() {
    let outside = run(one_reports);
    assert_eq!(asked(&outside), (vec!["b"], 1));
    let decision = outside.decision();
    let told = &decision.reproductions[0];
    assert_eq!((told.by.as_str(), told.result.as_str(), told.claim.as_str()), ("b", "reproduced", CLAIM));
    assert!(told.test.starts_with("reproduces_") && told.test.len() == 19, "{}", told.test);
    assert_eq!(decision.issues[0].standing, Standing::Confirmed);
    assert!(decision.issues[0].because.starts_with("a test by b fails"), "{}", decision.issues[0].because);
    assert_eq!((decision.model_count, decision.checks.len()), (3, 0), "a test is no vote and no check of the tree");
}

#[test]
fn where_no_test_can_be_run_nobody_is_asked() {
    let mut inputs = seated();
    inputs.members.pop();
    let outside = Outside::submit(inputs, one_reports).run();
    assert_eq!((asked(&outside), outside.decision().reproductions.len()), ((vec![], 0), 0));
    let decided = outside.journal.iter().filter(|one| matches!(one.event, Event::Decided(_))).count();
    assert_eq!(decided, 1, "and nothing is decided again");
}

#[test]
fn who_argues_about_it_or_is_of_their_family_writes_no_test() {
    let of_one_family = |mut inputs: Inputs, names: &[&str]| {
        for member in inputs.members.iter_mut().filter(|member| names.contains(&member.id.as_str())) {
            member.family = "one".into();
        }
        inputs
    };
    let outside = Outside::submit(of_one_family(seated(), &["a", "b", "c"]), one_reports).run();
    assert_eq!(asked(&outside).0, ["d"], "the reserve is of another family");
    let outside = Outside::submit(of_one_family(seated(), &["a", "b", "c", "d"]), one_reports).run();
    assert_eq!(asked(&outside).0, [] as [&str; 0]);
    let said = |reason: &String| reason.ends_with("nobody of another family could be asked for a test");
    assert!(outside.decision().reasoning.iter().any(said), "{:?}", outside.decision().reasoning);
    let outside = run(|member, attempt, round| match member {
        "b" => Reply::Denies(CLAIM),
        _ => one_reports(member, attempt, round),
    });
    assert_eq!(asked(&outside).0, ["c"], "who denies it has a part in it");
}

#[test]
fn two_claims_are_tested_the_critical_one_first_and_small_ones_never() {
    let outside = run(one_report_each);
    let decision = outside.decision();
    let claims: Vec<&str> = decision.reproductions.iter().map(|told| told.claim.as_str()).collect();
    assert_eq!((claims.len(), claims[0]), (2, CLAIM));
    assert_eq!(asked(&outside).1, 2);
    let small = run(|member, attempt, round| match member {
        "a" => Reply::Reports(Severity::Medium, CLAIM),
        _ => one_reports(member, attempt, round),
    });
    assert_eq!(asked(&small).0, [] as [&str; 0]);
}

#[test]
fn what_everybody_reports_goes_to_the_reserve_or_is_told_as_untested() {
    let all: Script = |member, _, _| match member {
        "runner" => Reply::Finds(CheckResult::Failed),
        _ => Reply::Reports(Severity::Critical, CLAIM),
    };
    assert_eq!(asked(&run(all)).0, ["d"]);
    let mut inputs = seated();
    inputs.members.retain(|member| member.id.as_str() != "d");
    let outside = Outside::submit(inputs, all).run();
    let untested = outside.decision().reasoning.iter().filter(|reason| reason.starts_with("not tested: "));
    assert_eq!((asked(&outside).1, untested.count()), (0, 1));
}

#[test]
fn a_disputed_claim_is_tested_whatever_its_weight_and_the_test_ends_the_dispute() {
    let outside = run(|member, attempt, round| match member {
        "a" => Reply::Reports(Severity::Low, CLAIM),
        "b" => Reply::Denies(CLAIM),
        _ => one_reports(member, attempt, round),
    });
    assert_eq!(asked(&outside), (vec!["c"], 1));
    let conflicts = &outside.decision().conflicts;
    let about = conflicts.iter().find(|conflict| conflict.claim == CLAIM).unwrap();
    assert!(about.settled_by.as_deref().unwrap().starts_with("a test by c fails"), "{about:?}");
}

#[test]
fn an_answer_without_a_test_is_told_and_nothing_is_run() {
    let outside = Outside { tester: |_, _| Reply::Abstains, ..Outside::submit(seated(), one_reports) }.run();
    assert_eq!(asked(&outside), (vec!["b"], 0));
    let told = &outside.decision().reproductions[0];
    assert_eq!(told.result, "unknown");
    assert_eq!(told.because.as_deref(), Some("b gave no test that can be run: unreadable"));
    assert_eq!(told.content, None);
}

#[test]
fn who_fails_to_write_a_test_has_no_stand_in() {
    let refuses: Tester = |_, _| Reply::Fails(Outcome::Refused);
    let outside = Outside { tester: refuses, ..Outside::submit(seated(), one_reports) }.run();
    assert_eq!(asked(&outside), (vec!["b"], 0));
    let told = &outside.decision().reproductions[0];
    assert!(told.because.as_deref().unwrap().starts_with("b gave no test: "), "{told:?}");
    assert_eq!(outside.state.status, Status::Decided);
}

#[test]
fn a_test_that_could_not_be_run_says_nothing() {
    let outside = run(|member, attempt, round| match member {
        "runner" => Reply::Fails(Outcome::Crashed),
        _ => one_reports(member, attempt, round),
    });
    let told = &outside.decision().reproductions[0];
    assert_eq!(told.result, "unknown");
    assert!(told.because.as_deref().unwrap().contains("could not be run"), "{told:?}");
    assert!(told.content.is_some(), "the test itself is kept");
    assert!(outside.decision().failed_models.is_empty(), "and it is told once");
}

#[test]
fn what_would_pass_the_cap_is_not_asked() {
    let mut inputs = seated();
    for member in &mut inputs.members {
        member.payer = Payer::Key;
    }
    inputs.members.last_mut().unwrap().payer = Payer::Local;
    let one = inputs.members[0].estimate(inputs.task.estimated_tokens()).unwrap();
    inputs.rules.spend_cap = Some(MicroUsd(one.0 * 3 + 1));
    let outside = Outside::submit(inputs, one_reports).run();
    let told = outside.decision().reproductions.first().cloned();
    assert!(told.is_some_and(|told| told.because.unwrap().contains("spending cap")), "{:?}", outside.starts());
}

#[test]
fn after_a_death_at_any_commit_the_same_is_decided_and_no_finished_turn_is_made_again() {
    let whole = run(one_reports);
    for length in &whole.commits {
        let journal = &whole.journal[..*length];
        let finished =
            |journal: &[Stamped]| journal.iter().filter(|one| matches!(&one.event, Event::StepFinished { .. })).count();
        let again = Outside::recovered(journal, &whole).run();
        assert_eq!(finished(&again.journal), finished(&whole.journal), "after {length} events");
        // Whose turn was lost counts as one that failed, so another may write the test; but one only.
        assert_eq!(asked(&again).1, 1, "after {length} events");
        assert_eq!(again.decision().reproductions[0].result, "reproduced", "after {length} events");
        assert_eq!(again.decision().verdict, whole.decision().verdict);
    }
}

#[test]
fn a_later_round_asks_for_no_second_test_of_the_same_claim() {
    let mut inputs = seated();
    let more = inputs.workflow.nodes[2..].iter().cloned().enumerate();
    let more: Vec<_> = more.map(|(at, each)| node(&format!("again-{at}"), each.when, each.act)).collect();
    inputs.workflow.nodes.extend(more);
    let outside = Outside::submit(inputs, one_reports).run();
    assert_eq!(asked(&outside), (vec!["b"], 1));
}
