//! From votes, claims and evidence to a recommendation and its confidence.

use std::collections::BTreeSet;

use super::decision::{Blocker, ConfidenceSource, Conflict, Recommendation};
use super::findings::Claims;
use super::votes::Tally;
use super::{Ground, disputes};
use crate::evidence::CheckResult;
use crate::opinion::{Position, Verdict};
use crate::task::Priority;
use crate::units::Probability;

/// How independent the votes of different families are taken to be: their log-odds add up at this rate.
const INDEPENDENCE: f64 = 0.8;
/// What a check that settles the question adds to the log-odds: a factor of twenty.
const EVIDENCE_LOG_ODDS: f64 = 2.995_732;
/// The most that evidence can lift a confidence that nothing has been learned for.
const EVIDENCE_CAP: f64 = 0.95;
const CAUTION_BAND: Probability = Probability::from_millionths(100_000);

/// What follows, before it is put into words.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) recommendation: Recommendation,
    pub(super) confidence: Probability,
    pub(super) source: ConfidenceSource,
    pub(super) learned_over: Option<u32>,
    pub(super) blockers: Vec<Blocker>,
    pub(super) conflicts: Vec<Conflict>,
    /// After evidence and credible critical findings, which no vote can set aside.
    pub(super) verdict: Option<Verdict>,
    pub(super) verdict_because: Option<String>,
}

pub(super) fn conclude(ground: &Ground<'_>, claims: &Claims, tally: &Tally, conflicts: Vec<Conflict>) -> Outcome {
    let settled = settled_verdict(ground, claims, tally);
    let supported = settled.is_some();
    let (verdict, verdict_because) = verdict(claims, tally, settled);
    let (confidence, source) = confidence(ground, tally, verdict, supported);
    let mut blockers = blockers(ground, &conflicts);
    if overruled_by_critical(claims, tally) {
        blockers.push(Blocker::CriticalFinding);
    }
    if ground.classification.priority == Priority::Critical {
        blockers.push(Blocker::NeedsPerson);
    }
    blockers.sort_unstable();
    let recommendation = recommendation(ground, confidence, &blockers);
    let learned = matches!(source, ConfidenceSource::Learned | ConfidenceSource::LearnedAndEvidence);
    let learned_over = tally.learned.filter(|_| learned).map(|(_, over)| over);
    Outcome { recommendation, confidence, source, learned_over, blockers, conflicts, verdict, verdict_because }
}

/// A check that failed, when somebody asks for a change: the strongest ground there is for that side. A check speaks on
/// whether a thing may stay as it is, not on which option to choose.
fn settled_verdict(ground: &Ground<'_>, claims: &Claims, tally: &Tally) -> Option<String> {
    tally.winning_verdict()?;
    let at_a_claim =
        claims.merged.iter().filter(|claim| claim.settles_the_verdict()).find_map(|claim| claim.settled_by.clone());
    at_a_claim.or_else(|| {
        let failed = |check: &&super::CheckOutcome<'_>| check.evidence.result == CheckResult::Failed;
        ground.checks.iter().find(failed).map(|check| format!("{} failed", check.member))
    })
}

fn overruled_by_critical(claims: &Claims, tally: &Tally) -> bool {
    let credible = claims.merged.iter().any(|claim| claim.credible_critical && claim.settled_by.is_none());
    credible && tally.winning_verdict().is_some_and(Verdict::approves)
}

fn verdict(claims: &Claims, tally: &Tally, settled: Option<String>) -> (Option<Verdict>, Option<String>) {
    let voted = tally.winning_verdict();
    let approves = voted.is_some_and(Verdict::approves);
    if let (Some(because), Some(_)) = (settled, voted) {
        return (if approves { Some(Verdict::Revise) } else { voted }, Some(because));
    }
    if approves && claims.merged.iter().any(|claim| claim.credible_critical) {
        return (Some(Verdict::Revise), Some("a credible critical finding stands against the vote".into()));
    }
    (voted, None)
}

/// What members contradict each other about; settled where a check says who is right.
pub(super) fn conflicts(ground: &Ground<'_>, claims: &Claims, tally: &Tally) -> Vec<Conflict> {
    let settled = settled_verdict(ground, claims, tally);
    let mut conflicts: Vec<Conflict> = tally.conflict(ground, settled).into_iter().collect();
    for claim in &claims.merged {
        // A denial always counts; that somebody calls the place fine does where its weight does.
        let counts = |conflict: &Conflict| !claim.finding.denied_by.is_empty() || disputes::weighty(ground, conflict);
        conflicts.extend(claim.conflict().filter(counts));
    }
    conflicts
}

pub(super) fn blockers(ground: &Ground<'_>, conflicts: &[Conflict]) -> Vec<Blocker> {
    let mut blockers = Vec::new();
    let counted = ground.ballots.iter().filter(|ballot| !ballot.opinion.position.abstains());
    let vendors: BTreeSet<&str> = counted.map(|ballot| ballot.member.vendor.as_str()).collect();
    if ground.ballots.is_empty() {
        let budget = !ground.over_budget.is_empty() && ground.failures.is_empty();
        blockers.push(if budget { Blocker::Budget } else { Blocker::AllFailed });
    } else if vendors.is_empty() || vendors.len() < usize::from(ground.team.vendors_needed) {
        let from_the_start = ground.team.vendors_present < ground.team.vendors_needed && !vendors.is_empty();
        blockers.push(if from_the_start { Blocker::SingleVendor } else { Blocker::NoQuorum });
    }
    if conflicts.iter().any(|conflict| conflict.settled_by.is_none()) {
        blockers.push(Blocker::Conflict);
    }
    blockers
}

pub(super) fn recommendation(ground: &Ground<'_>, confidence: Probability, blockers: &[Blocker]) -> Recommendation {
    let threshold = ground.rules.thresholds.at(ground.classification.priority);
    let cautious = ground.classification.priority <= Priority::Normal;
    if blockers.contains(&Blocker::Conflict) {
        Recommendation::ConflictResolutionNeeded
    } else if !blockers.is_empty() {
        Recommendation::ReviewRequired
    } else if confidence >= threshold {
        Recommendation::Proceed
    } else if cautious && confidence >= threshold.minus(CAUTION_BAND) {
        Recommendation::ProceedWithCaution
    } else {
        Recommendation::ReviewRequired
    }
}

/// The chance that a person would accept the result: learned where there were enough outcomes and the vote stands.
/// Otherwise it is a prior: log-odds of the reliabilities, those for less those against, capped at the most reliable
/// supporter's own.
fn confidence(
    ground: &Ground<'_>,
    tally: &Tally,
    verdict: Option<Verdict>,
    supported: bool,
) -> (Probability, ConfidenceSource) {
    if tally.winner.is_none() {
        return (text_confidence(ground), ConfidenceSource::Prior);
    }
    let overruled =
        verdict.is_some_and(|verdict| tally.winning_verdict().is_some_and(|won| won.approves() != verdict.approves()));
    if let Some((learned, _)) = tally.learned.filter(|_| !overruled) {
        return learned_confidence(learned, supported);
    }
    let (holding, against): (Vec<_>, Vec<_>) = if overruled {
        (tally.opposed().collect(), tally.agreeing().collect())
    } else {
        (tally.agreeing().collect(), tally.opposed().collect())
    };
    let sum = |votes: &[&super::votes::Vote]| -> f64 {
        votes.iter().map(|vote| logit(vote.reliability).max(0.05) * vote.discount).sum()
    };
    let log_odds = INDEPENDENCE * (sum(&holding) - sum(&against));
    let lead = holding.iter().map(|vote| vote.reliability).fold(0.0, f64::max);
    if supported {
        let raised = logistic(log_odds + EVIDENCE_LOG_ODDS).min(EVIDENCE_CAP);
        return (Probability::saturating(raised), ConfidenceSource::PriorAndEvidence);
    }
    (Probability::saturating(logistic(log_odds).min(lead)), ConfidenceSource::Prior)
}

fn learned_confidence(learned: Probability, supported: bool) -> (Probability, ConfidenceSource) {
    if !supported {
        return (learned, ConfidenceSource::Learned);
    }
    let log_odds = logit(learned.as_f64().clamp(0.01, 0.99));
    let raised = logistic(log_odds + EVIDENCE_LOG_ODDS).min(EVIDENCE_CAP);
    (Probability::saturating(raised.max(learned.as_f64())), ConfidenceSource::LearnedAndEvidence)
}

/// The chance that a patch is accepted, from the reliability and the family's discount of each member who wrote it.
pub(super) fn backed_by(behind: &[(f64, f64)], supported: bool) -> Probability {
    let Some(lead) = behind.iter().map(|(reliability, _)| *reliability).reduce(f64::max) else {
        return Probability::ZERO;
    };
    let sum: f64 = behind.iter().map(|(reliability, discount)| logit(*reliability).max(0.05) * discount).sum();
    let log_odds = INDEPENDENCE * sum;
    let chance = match supported {
        true => logistic(log_odds + EVIDENCE_LOG_ODDS).min(EVIDENCE_CAP),
        false => logistic(log_odds).min(lead),
    };
    Probability::saturating(chance)
}

/// A free text is worth what its author is.
fn text_confidence(ground: &Ground<'_>) -> Probability {
    let answered = ground.ballots.iter().filter(|ballot| ballot.opinion.position == Position::Answer);
    Probability::saturating(answered.map(|ballot| ground.rules.reliability(ballot.member.tier)).fold(0.0, f64::max))
}

fn logit(probability: f64) -> f64 {
    libm::log(probability / (1.0 - probability))
}

fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-log_odds))
}
