//! How a dispute ended, in words.

use baton_core::consensus::{Conflict, DecidedBy, Decision, MergedFinding, Standing, unsettled};
use baton_core::ids::MemberId;
use baton_core::opinion::{Position, Verdict};
use baton_core::route::Role;
use baton_core::run::{RunState, Step};
use baton_core::text::one_line;
use baton_core::workflow::{Act, Node, Who};

use super::words::{bracketed, names};

/// How a dispute ended: a word for what settled it, and the record's own words.
pub(super) enum Ended {
    Settled(String),
    Open(String),
}

/// What settled a dispute, or what was tried in vain.
pub(super) fn ended(conflict: &Conflict, state: &RunState, decision: &Decision) -> Ended {
    let argued = |step: &&Step| step.dispute().is_some_and(|dispute| dispute.claim == conflict.claim);
    let (arbiters, parties): (Vec<&Step>, Vec<&Step>) =
        state.steps.iter().filter(argued).partition(|step| step.role == Role::Arbiter);
    if let Some(by) = &conflict.settled_by {
        let by = one_line(by, 200);
        let begins_with = |member: &MemberId| by.split([' ', ',']).next() == Some(member.as_str());
        let what = if decision.checks.iter().any(|check| begins_with(&check.check)) {
            "settled by a check"
        } else if arbiters.iter().any(|step| begins_with(&step.member)) {
            "settled by an arbiter"
        } else if parties.iter().any(|step| begins_with(&step.member)) {
            "settled by argument"
        } else {
            "settled"
        };
        return Ended::Settled(format!("{what}: {by}"));
    }
    let person = match &decision.decided_by {
        DecidedBy::Person { answer, note } => Some((by_person(conflict, answer, decision), answer, note)),
        // The person's own answer is what stands now.
        DecidedBy::Override { answer, note, .. } => Some((by_person(conflict, "approve", decision), answer, note)),
        DecidedBy::Rule | DecidedBy::Client { .. } => None,
    };
    if let Some((side, answer, note)) = person {
        return Ended::Settled(format!("{side}: {answer}{}", bracketed(note)));
    }
    let nobody = if arbiters.is_empty() && had_no_arbiter(state) { NO_ARBITER } else { "" };
    Ended::Open(open(&unsettled(decision, &conflict.claim), &parties, &arbiters) + nobody)
}

const NO_ARBITER: &str = "; nobody of another family than the sides could be asked";

/// The run came past the place where an arbiter is asked.
fn had_no_arbiter(state: &RunState) -> bool {
    let asks = |node: &Node| matches!(node.act, Act::Ask { who: Who::Arbiter, .. });
    let place = state.inputs.as_ref().and_then(|inputs| inputs.workflow.nodes.iter().position(asks));
    place.is_some_and(|place| place < state.node)
}

/// For whom a person's answer to the whole decision speaks on one claim. Turning it down takes no side.
fn by_person(conflict: &Conflict, answer: &str, decision: &Decision) -> String {
    match (answer, stands(conflict, decision)) {
        ("approve", Some(true)) => format!("settled by a person, for {}", names(&conflict.holds)),
        ("approve", Some(false)) => format!("settled by a person, for {}", names(&conflict.against)),
        ("approve", None) => "settled by a person, as the decision has it".to_owned(),
        _ => "closed by a person, for neither side".to_owned(),
    }
}

/// Whether the claim is a part of the decision as it is; `None` where that cannot be told.
fn stands(conflict: &Conflict, decision: &Decision) -> Option<bool> {
    let claim = conflict.claim.as_str();
    let said = claim
        .strip_prefix("the verdict is ")
        .and_then(|word| Verdict::ALL.into_iter().find(|verdict| verdict.as_str() == word));
    if let (Some(said), Some(verdict)) = (said, decision.verdict) {
        return Some(said.approves() == verdict.approves());
    }
    if let (Some(options), Some(choice)) = (claim.strip_prefix("the answer is "), &decision.choice) {
        let first = options.strip_prefix(choice.as_str()).is_some_and(|rest| rest.starts_with(", not "));
        let second = options.strip_suffix(choice.as_str()).is_some_and(|rest| rest.ends_with(", not "));
        if first || second {
            return Some(first);
        }
    }
    let about = |issue: &&MergedFinding| {
        claim.strip_prefix(issue.claim.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(" ("))
    };
    decision.issues.iter().find(about).map(|issue| issue.standing == Standing::Confirmed)
}

fn open(run: &str, parties: &[&Step], arbiters: &[&Step]) -> String {
    let of = |steps: &[&Step]| {
        let mut members: Vec<MemberId> = steps.iter().map(|step| step.member.clone()).collect();
        members.dedup();
        names(&members)
    };
    let gave_way = format!("neither side gave way ({})", of(parties));
    let ruled = format!("the arbiter {} {}", of(arbiters), ruled(arbiters));
    match (parties.is_empty(), arbiters.is_empty()) {
        (true, true) => format!("open: {run}"),
        (false, true) => format!("open: {run}, and {gave_way}"),
        (true, false) => format!("open: {ruled}"),
        (false, false) => format!("open: {gave_way}, and {ruled}"),
    }
}

/// What came of an arbiter that settled nothing: whether it named a side each time.
fn ruled(arbiters: &[&Step]) -> &'static str {
    let names_one =
        |step: &&Step| step.opinion.as_ref().is_some_and(|opinion| matches!(opinion.position, Position::Choice { .. }));
    if arbiters.iter().all(names_one) {
        "did not say the same in both orders"
    } else {
        "did not name a side in both orders"
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::render::sample::{self, id};
    use baton_core::consensus::Side;
    use baton_core::ids::StepId;
    use baton_core::opinion::Opinion;
    use baton_core::run::{Dispute, Order, PromptPlan, StepStatus, Work};

    pub(in crate::render) fn asked(member: &str, role: Role, claim: &str) -> Step {
        let own = (role != Role::Arbiter).then_some(Side::Holds);
        let (holds, against) = (StepId(0), StepId(1));
        let dispute = Dispute { claim: claim.into(), order: Order::HoldingFirst, holds, against, own };
        Step {
            id: StepId(0),
            node: 0,
            round: 0,
            role,
            stands_in_for: None,
            member: id(member),
            work: Work::Prompt(PromptPlan {
                template: String::new(),
                with: Vec::new(),
                draft: None,
                quotes: Vec::new(),
                note: None,
                dispute: Some(dispute),
                claim: None,
            }),
            draft: false,
            status: StepStatus::Done,
            attempts: Vec::new(),
            opinion: None,
            evidence: None,
            answer: None,
        }
    }

    /// How the sample's dispute is said to have ended, with this for its settlement and these members asked about it.
    fn told(settled_by: Option<&str>, steps: &[(&str, Role)], change: impl FnOnce(&mut Decision)) -> String {
        let (_, mut state, mut decision) = sample::decided();
        let claim = decision.conflicts[0].claim.clone();
        state.steps = steps.iter().map(|(member, role)| asked(member, *role, &claim)).collect();
        decision.conflicts[0].settled_by = settled_by.map(str::to_owned);
        change(&mut decision);
        let (Ended::Settled(how) | Ended::Open(how)) = ended(&decision.conflicts[0], &state, &decision);
        how
    }

    #[test]
    fn it_is_told_what_settled_a_dispute() {
        let both = [("alder", Role::Primary), ("birch", Role::Secondary)];
        let judge = [("fir", Role::Arbiter), ("fir", Role::Arbiter)];
        let none = |_: &mut Decision| {};
        assert_eq!(told(Some("tests failed at a.rs:1"), &[], none), "settled by a check: tests failed at a.rs:1");
        assert!(told(Some("birch gave way"), &both, none).starts_with("settled by argument: birch"));
        assert!(told(Some("fir, of another family"), &judge, none).starts_with("settled by an arbiter: fir,"));
        assert_eq!(told(Some("in words of a later version"), &both, none), "settled: in words of a later version");
        let person = |decision: &mut Decision| {
            decision.decided_by = DecidedBy::Person { answer: "approve".into(), note: "I looked".into() };
        };
        assert_eq!(told(None, &both, person), "settled by a person, for alder, cedar: approve (I looked)");
        let lowered = |decision: &mut Decision| {
            person(decision);
            decision.issues[0].standing = Standing::Unconfirmed;
        };
        assert_eq!(told(None, &both, lowered), "settled by a person, for birch: approve (I looked)");
        let turned_down = |decision: &mut Decision| {
            decision.decided_by = DecidedBy::Person { answer: "reject".into(), note: String::new() };
        };
        assert_eq!(told(None, &both, turned_down), "closed by a person, for neither side: reject");
        let overridden = |decision: &mut Decision| {
            let (answer, note) = ("approve".to_owned(), "seen it run".to_owned());
            decision.issues[0].standing = Standing::Unconfirmed;
            decision.decided_by = DecidedBy::Override { answer, instead_of: Some("reject".into()), note };
        };
        assert_eq!(told(None, &both, overridden), "settled by a person, for birch: approve (seen it run)");
    }

    #[test]
    fn a_persons_word_speaks_for_the_side_that_the_decision_takes() {
        let (_, _, mut decision) = sample::decided();
        let mut told = |claim: &str, choice: Option<&str>| {
            decision.choice = choice.map(str::to_owned);
            let conflict = Conflict { claim: claim.into(), settled_by: None, ..decision.conflicts[0].clone() };
            stands(&conflict, &decision)
        };
        assert_eq!(told("the verdict is revise", None), Some(true), "of one camp with reject");
        assert_eq!(told("the verdict is approve", None), Some(false));
        assert_eq!(told("the answer is redis, not sqlite", Some("redis")), Some(true));
        assert_eq!(told("the answer is redis, not sqlite", Some("sqlite")), Some(false));
        assert_eq!(told("the answer is redis, not sqlite", Some("postgres")), None);
        assert_eq!(told("It panics (src/b.rs:3)", None), Some(false));
        assert_eq!(told("move the queue to Redis", None), None);
    }

    #[test]
    fn an_open_dispute_tells_what_was_tried() {
        let both = [("alder", Role::Primary), ("birch", Role::Secondary)];
        let all = [both[0], both[1], ("fir", Role::Arbiter), ("fir", Role::Arbiter)];
        let without = |decision: &mut Decision| decision.checks.clear();
        assert_eq!(told(None, &[], without), "open: there is no check that could settle it");
        assert_eq!(told(None, &[], |_| {}), "open: tests failed, which does not tell who is right about it");
        let silent = |decision: &mut Decision| decision.checks[0].result = "abstained".into();
        let could_not =
            "open: no check could settle it, as tests could not be run, and neither side gave way (alder, birch)";
        assert_eq!(told(None, &both, silent), could_not);
        assert!(told(None, &all, |_| {}).ends_with("the arbiter fir did not name a side in both orders"));
        let mut named = asked("fir", Role::Arbiter, "one");
        let position = Position::Choice { option: "first".into() };
        named.opinion = Some(Opinion { position, ..Opinion::abstaining("") });
        assert_eq!(ruled(&[&named, &named]), "did not say the same in both orders");
        assert_eq!(ruled(&[&named, &asked("fir", Role::Arbiter, "one")]), "did not name a side in both orders");
    }
}
