//! Puts a decision into its shape and its reasons into words. Every sentence is made from the numbers, so the same
//! inputs give the same bytes.

use super::decision::{AnswerRef, Blocker, CheckReport, DecidedBy, Decision, Dissenter, FailedMember};
use super::findings::Claims;
use super::recommend::Outcome;
use super::votes::{Tally, Vote};
use super::{Ballot, Ground};
use crate::evidence::CheckResult;
use crate::opinion::{Position, Verdict};
use crate::task::Question;
use crate::text::one_line;
use crate::units::MicroUsd;

/// What stands among the reasons of a critical task until it was answered.
pub(crate) const NEEDS_PERSON: &str = "a critical task waits for a person";

/// `unvoted` names the disputes that no vote and no finding shows.
pub(super) fn decision(
    ground: &Ground<'_>,
    claims: Claims,
    tally: &Tally,
    outcome: Outcome,
    unvoted: &[String],
) -> Decision {
    let mut dissenters = dissenters(ground, &outcome, tally);
    let unvoted = outcome.conflicts.iter().filter(|conflict| unvoted.contains(&conflict.claim));
    dissenters.extend(super::disputes::dissenters(ground, unvoted, outcome.verdict, &dissenters));
    let outweighed = super::disputes::outweighed(ground, &outcome.conflicts, &dissenters);
    let mut reasoning = chosen_text(ground, &outweighed);
    reasoning.extend(self::reasoning(ground, &claims, tally, &outcome));
    dissenters.extend(outweighed);
    let choice = if outcome.verdict.is_none() { tally.winner.clone() } else { None };
    let prices = ground.held.iter().filter_map(|seat| seat.cost);
    Decision {
        recommendation: outcome.recommendation,
        overall_confidence: outcome.confidence,
        confidence_source: outcome.source,
        learned_over: outcome.learned_over,
        threshold: ground.rules.thresholds.at(ground.classification.priority),
        has_conflict: outcome.blockers.contains(&Blocker::Conflict),
        blockers: outcome.blockers,
        decided_by: DecidedBy::Rule,
        kind: (!ground.classification.unsure).then_some(ground.classification.kind),
        complexity: ground.classification.complexity,
        priority: ground.classification.priority,
        verdict: outcome.verdict,
        choice,
        answer: answer(ground),
        patch: None,
        patches: Vec::new(),
        reproductions: Vec::new(),
        model_count: counted(ground).count(),
        abstained: abstained(ground),
        failed_models: failed(ground),
        dissenters,
        conflicts: outcome.conflicts,
        issues: claims.merged.into_iter().map(|claim| claim.finding).collect(),
        refused_issues: claims.refused,
        checks: checks(ground),
        not_asked: ground.held.iter().map(|seat| seat.member.id.clone()).collect(),
        saved: prices.fold(MicroUsd(0), MicroUsd::plus),
        reasoning,
        cost: ground.cost,
        cost_unknown: ground.cost_unknown,
        elapsed_ms: ground.elapsed_ms,
        scripted: ground.ballots.iter().any(|ballot| ballot.member.scripted),
    }
}

fn counted<'a>(ground: &'a Ground<'a>) -> impl Iterator<Item = &'a Ballot<'a>> {
    ground.ballots.iter().filter(|ballot| !ballot.opinion.position.abstains())
}

/// The draft that was reviewed, else the strongest member's text where a text was asked for.
fn answer(ground: &Ground<'_>) -> Option<AnswerRef> {
    if ground.draft.is_some() {
        return ground.draft.clone();
    }
    let ballot = texts(ground).next()?;
    Some(AnswerRef {
        member: ballot.member.id.clone(),
        content: ballot.answer,
        summary: ballot.opinion.summary.clone(),
    })
}

/// Those who gave a text, strongest first. Where one was asked for it is the answer, also when a verdict stands at its
/// end.
fn texts<'a>(ground: &'a Ground<'a>) -> impl Iterator<Item = &'a Ballot<'a>> {
    let asked = ground.classification.question == Question::Text;
    ground.ballots.iter().filter(move |ballot| match ballot.opinion.position {
        Position::Answer => true,
        Position::Verdict { .. } => asked,
        Position::Choice { .. } | Position::Patch { .. } | Position::Test { .. } | Position::Abstain { .. } => false,
    })
}

/// Why it is this member's text that was taken, and who says otherwise.
fn chosen_text(ground: &Ground<'_>, outweighed: &[Dissenter]) -> Vec<String> {
    if ground.classification.question != Question::Text || ground.draft.is_some() {
        return Vec::new();
    }
    let Some(first) = texts(ground).next() else { return Vec::new() };
    let (answered, name) = (texts(ground).count(), &first.member.id);
    let alike = texts(ground).filter(|ballot| ballot.member.tier == first.member.tier).count();
    let mut reasons = vec![match (answered, alike) {
        (1, _) => format!("{name}'s text: nobody else gave one"),
        (_, 1) => format!("{name}'s text: the most reliable of the {answered} that answered"),
        _ => format!("{name}'s text: of the {answered} that answered, the first by name of the {alike} most reliable"),
    }];
    if !outweighed.is_empty() {
        let names: Vec<&str> = outweighed.iter().map(|one| one.member.as_str()).collect();
        reasons.push(format!("against it, and too light for a dispute: {}", names.join(", ")));
    }
    reasons
}

fn abstained(ground: &Ground<'_>) -> Vec<Dissenter> {
    let reason = |ballot: &Ballot<'_>| match &ballot.opinion.position {
        Position::Abstain { reason } => {
            Some(Dissenter { member: ballot.member.id.clone(), position: "abstain".into(), reason: reason.clone() })
        }
        Position::Verdict { .. }
        | Position::Choice { .. }
        | Position::Patch { .. }
        | Position::Test { .. }
        | Position::Answer => None,
    };
    ground.ballots.iter().filter_map(reason).collect()
}

fn failed(ground: &Ground<'_>) -> Vec<FailedMember> {
    let report = |failure: &super::Failure| FailedMember {
        member: failure.member.clone(),
        class: failure.outcome.label().to_owned(),
        detail: one_line(&failure.detail, 300),
        replaced_by: failure.replaced_by.clone(),
    };
    ground.failures.iter().map(report).collect()
}

fn checks(ground: &Ground<'_>) -> Vec<CheckReport> {
    let report = |check: &super::CheckOutcome<'_>| {
        let (result, summary) = result_words(&check.evidence.result, &check.evidence.summary);
        CheckReport { check: check.member.clone(), command: check.evidence.command.clone(), result, summary }
    };
    ground.checks.iter().map(report).collect()
}

/// How a check ended and what it says, for people.
pub(super) fn result_words(result: &CheckResult, summary: &str) -> (String, String) {
    match result {
        CheckResult::Passed => ("passed".into(), summary.to_owned()),
        CheckResult::Failed => ("failed".into(), summary.to_owned()),
        CheckResult::Abstained { reason } => ("abstained".into(), reason.clone()),
    }
}

/// Members whose position cannot be right if the decision is. Who gave way is none of them.
fn dissenters(ground: &Ground<'_>, outcome: &Outcome, tally: &Tally) -> Vec<Dissenter> {
    let gave_way = |ballot: &&Ballot<'_>| tally.agreeing().any(|vote| vote.member == ballot.member.id);
    let overruled = outcome.verdict != tally.winning_verdict();
    let said = ground.ballots.iter().filter(|one| overruled || !gave_way(one));
    standing_apart(said, outcome.verdict, tally.winner.as_deref())
}

/// Members whose position cannot be right if this verdict or option is, each with its own words.
pub(crate) fn standing_apart<'a>(
    ballots: impl Iterator<Item = &'a Ballot<'a>>,
    verdict: Option<Verdict>,
    choice: Option<&str>,
) -> Vec<Dissenter> {
    let approves = verdict.map(Verdict::approves);
    let stands_apart = |ballot: &&Ballot<'_>| match (&ballot.opinion.position, approves) {
        (Position::Verdict { verdict }, Some(approves)) => verdict.approves() != approves,
        (Position::Choice { option }, _) => choice != Some(option),
        _ => false,
    };
    let describe = |ballot: &Ballot<'_>| {
        let position = match &ballot.opinion.position {
            Position::Verdict { verdict } => verdict.as_str().to_owned(),
            Position::Choice { option } => option.clone(),
            Position::Patch { .. } | Position::Test { .. } | Position::Answer | Position::Abstain { .. } => {
                String::new()
            }
        };
        Dissenter { member: ballot.member.id.clone(), position, reason: one_line(&ballot.opinion.summary, 300) }
    };
    ballots.filter(stands_apart).map(describe).collect()
}

fn reasoning(ground: &Ground<'_>, claims: &Claims, tally: &Tally, outcome: &Outcome) -> Vec<String> {
    let mut reasons = Vec::new();
    if let Some(winner) = &tally.winner {
        let voters = tally.with(winner).map(|vote| format!("{} (weight {:.1})", vote.member, vote.weight));
        reasons.push(format!("{winner}: {}", voters.collect::<Vec<_>>().join(", ")));
        let with_it: Vec<&Vote> = tally.agreeing().filter(|vote| vote.option != *winner).collect();
        reasons.extend(voices("with it", &with_it));
        reasons.extend(voices("against it", &tally.opposed().collect::<Vec<_>>()));
    }
    if let (Some(verdict), Some(because)) = (outcome.verdict, &outcome.verdict_because) {
        reasons.push(format!("{} holds: {because}", verdict.as_str()));
    }
    let argued = |claim: &str| ground.rulings.iter().any(|ruling| ruling.claim == claim);
    for conflict in outcome.conflicts.iter().filter(|conflict| argued(&conflict.claim)) {
        reasons.push(match &conflict.settled_by {
            Some(by) => format!("settled: {}: {by}", conflict.claim),
            None => format!("argued without a result: {}", conflict.claim),
        });
    }
    reasons.extend(super::reproduction::reasons(ground));
    if !claims.refused.is_empty() {
        let what = if claims.refused.iter().any(|one| one.is_of_no_file()) { "file or line" } else { "line" };
        reasons.push(format!("{} refused: no such {what}", plural(claims.refused.len(), "finding")));
    }
    for failure in &ground.failures {
        let instead =
            failure.replaced_by.as_ref().map_or(String::new(), |other| format!("; {other} was asked instead"));
        reasons.push(format!("{} failed: {}{instead}", failure.member, failure.outcome.label()));
    }
    let stood_in = |(one, other): &(crate::ids::MemberId, crate::ids::MemberId)| {
        format!("{one} was asked in place of {other}: too few vendors had answered")
    };
    reasons.extend(ground.stand_ins.iter().map(stood_in));
    let left_out = |member: &crate::ids::MemberId| format!("{member} was left out: it would pass the spending cap");
    reasons.extend(ground.over_budget.iter().map(left_out));
    reasons.extend(not_asked(ground));
    reasons.extend(blocker_reasons(ground, outcome));
    reasons.push(confidence_reason(ground, claims, outcome));
    reasons
}

fn voices(side: &str, votes: &[&Vote]) -> Option<String> {
    let say = |vote: &&Vote| format!("{} says {} (weight {:.1})", vote.member, vote.option, vote.weight);
    let said: Vec<String> = votes.iter().map(say).collect();
    (!said.is_empty()).then(|| format!("{side}: {}", said.join(", ")))
}

fn not_asked(ground: &Ground<'_>) -> Option<String> {
    let names: Vec<&str> = ground.held.iter().map(|seat| seat.member.id.as_str()).collect();
    (!names.is_empty()).then(|| format!("{} not asked: not worth the cost for what it could change", names.join(", ")))
}

fn blocker_reasons(ground: &Ground<'_>, outcome: &Outcome) -> Vec<String> {
    let needed = ground.team.vendors_needed;
    let say = |blocker: &Blocker| match blocker {
        Blocker::AllFailed => "nobody gave an opinion".to_owned(),
        Blocker::Budget => "the spending cap left nobody to ask".to_owned(),
        Blocker::NoQuorum => format!("no quorum: answers from {} needed", vendors_are(needed)),
        Blocker::SingleVendor => format!("{} needed and fewer could be asked", vendors_are(needed)),
        Blocker::Conflict => format!("members contradict each other: {}", unsettled(ground, outcome)),
        Blocker::CriticalFinding => "a credible critical finding cannot be outvoted".to_owned(),
        Blocker::NeedsPerson => NEEDS_PERSON.to_owned(),
        Blocker::PatchFails => "no patch applies and passes the checks".to_owned(),
        Blocker::TurnedDown => "a person turned it down".to_owned(),
    };
    outcome.blockers.iter().map(say).collect()
}

/// Why what was run settled none of the open disputes.
fn unsettled(ground: &Ground<'_>, outcome: &Outcome) -> String {
    if ground.classification.question == Question::Patch {
        return "no check tells the two patches apart".to_owned();
    }
    let open = outcome.conflicts.iter().filter(|conflict| conflict.settled_by.is_none());
    let claims: Vec<&str> = open.map(|conflict| conflict.claim.as_str()).collect();
    super::unsettled::words(&checks(ground), &super::reproduction::reports(ground), &claims)
}

/// What was run and counts beside the votes, in words that follow what the confidence comes from.
fn evidence(ground: &Ground<'_>, claims: &Claims) -> &'static str {
    if ground.classification.question == Question::Patch {
        "checks that pass with it"
    } else if claims.is_shown_by_a_test() {
        "a test that settled it"
    } else {
        "a check that settled it"
    }
}

fn confidence_reason(ground: &Ground<'_>, claims: &Claims, outcome: &Outcome) -> String {
    use super::decision::ConfidenceSource;
    let threshold = ground.rules.thresholds.at(ground.classification.priority).as_f64();
    let over = outcome.learned_over.unwrap_or_default();
    let source = match outcome.source {
        ConfidenceSource::Prior => "a prior from tiers, capped at the strongest supporter's".to_owned(),
        ConfidenceSource::PriorAndEvidence => format!("a prior from tiers, and {}", evidence(ground, claims)),
        ConfidenceSource::Learned => format!("learned over {over} outcomes"),
        ConfidenceSource::LearnedAndEvidence => {
            format!("learned over {over} outcomes, and {}", evidence(ground, claims))
        }
    };
    let confidence = outcome.confidence.as_f64();
    format!("confidence {confidence:.2} against {threshold:.2} ({source})")
}

fn vendors_are(count: u8) -> String {
    if count == 1 { "1 vendor is".to_owned() } else { format!("{count} vendors are") }
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
