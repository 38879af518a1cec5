//! From opinions and evidence to a decision. A pure function: the order in which opinions came does not matter, and
//! whatever is stated here can be computed again from the journal.
//!
//! The rules kept here: positions are compared, never texts; weights fall steeply with reliability; one family's votes
//! are discounted; failed seats are reported and never counted; evidence is no vote and weighs more; a credible
//! critical finding cannot be outvoted; silence is not dissent.

pub mod choice;
pub mod conflict;
mod decision;
mod disputes;
mod explain;
pub mod findings;
mod patches;
mod recommend;
mod reproduction;
mod settle;
mod unsettled;
mod value;
mod votes;

use crate::catalog::Rules;
use crate::classify::Classification;
use crate::evidence::Evidence;
use crate::hash::Hash;
use crate::ids::MemberId;
use crate::learning::Experience;
use crate::member::Member;
use crate::opinion::Opinion;
use crate::outcome::Outcome;
use crate::route::Team;
use crate::units::MicroUsd;

pub(crate) use explain::{NEEDS_PERSON, standing_apart};
pub(crate) use votes::is_worded_as_vote;

pub use decision::{
    AnswerRef, Blocker, CheckReport, ConfidenceSource, Conflict, DecidedBy, Decision, Dissenter, FailedMember, Grounds,
    MergedFinding, PatchReport, Rated, Reason, Recommendation, RefusedFinding, ReproductionReport, Standing,
};
pub use patches::Tried;
pub use reproduction::{OpenClaim, Reproduction, Tested, open_claims, tested};
pub use settle::{Ruling, Side, Speaker};
pub use unsettled::unsettled;
pub use value::{Held, worth_asking};

/// One member's opinion, as counted.
#[derive(Clone, Debug)]
pub struct Ballot<'a> {
    pub member: &'a Member,
    pub opinion: &'a Opinion,
    /// Where the whole answer is kept.
    pub answer: Option<Hash>,
}

/// A seat that gave no opinion.
#[derive(Clone, Debug)]
pub struct Failure {
    pub member: MemberId,
    pub outcome: Outcome,
    pub detail: String,
    /// Who stepped in for it.
    pub replaced_by: Option<MemberId>,
}

/// A check that was run.
#[derive(Clone, Debug)]
pub struct CheckOutcome<'a> {
    pub member: &'a MemberId,
    pub evidence: &'a Evidence,
}

/// Everything a decision is computed from.
#[derive(Clone, Debug)]
pub struct Ground<'a> {
    /// What was asked, in the user's words.
    pub task: &'a str,
    pub classification: &'a Classification,
    pub rules: &'a Rules,
    /// What was learned from earlier outcomes, as frozen into the run.
    pub experience: &'a Experience,
    pub team: &'a Team,
    pub ballots: Vec<Ballot<'a>>,
    pub failures: Vec<Failure>,
    /// Who was asked in place of whom, as too few vendors had answered.
    pub stand_ins: Vec<(MemberId, MemberId)>,
    pub checks: Vec<CheckOutcome<'a>>,
    /// Patches that were tried.
    pub trials: Vec<Tried<'a>>,
    /// Tests that were asked for to reproduce findings.
    pub reproductions: Vec<Reproduction<'a>>,
    /// Findings for which nobody could be asked for a test.
    pub untested: &'a [String],
    /// What was answered about disputed claims.
    pub rulings: Vec<Ruling>,
    /// Everybody that could be asked: an arbiter is looked up here.
    pub members: Vec<&'a Member>,
    /// Seats that were left out to stay under the spending cap.
    pub over_budget: Vec<MemberId>,
    /// Seats that were not asked, since what they might say is not worth its cost.
    pub held: Vec<Held<'a>>,
    /// What was drafted, where the opinions are about a draft.
    pub draft: Option<AnswerRef>,
    pub cost: MicroUsd,
    /// Some calls did not say what they cost.
    pub cost_unknown: bool,
    pub elapsed_ms: u64,
}

/// Computes the decision. Total: with nothing to count it says so.
#[must_use]
pub fn decide(ground: &Ground<'_>) -> Decision {
    let ground = in_order(ground);
    let mut claims = findings::merge(&ground);
    let mut tally = votes::tally(&ground);
    let mut conflicts = recommend::conflicts(&ground, &claims, &tally);
    let unvoted = disputes::add(&ground, &tally, &mut conflicts);
    let mut ranked = patches::rank(&ground);
    conflicts.extend(ranked.as_ref().and_then(patches::Ranked::conflict));
    let settled = settle::settle(&mut conflicts, &ground.rulings);
    claims.settle(&settled);
    tally.settle(&settled, &ground);
    conflicts.extend(votes::third_sides(&mut tally, &ground));
    if let Some(ranked) = &mut ranked {
        ranked.settle(&settled);
    }
    let outcome = match &ranked {
        Some(ranked) => patches::conclude(&ground, ranked, conflicts),
        None => recommend::conclude(&ground, &claims, &tally, conflicts),
    };
    let mut decision = explain::decision(&ground, claims, &tally, outcome, &unvoted);
    if let Some(ranked) = &ranked {
        patches::tell(ranked, &mut decision);
    }
    reproduction::tell(&ground, &mut decision);
    decision
}

/// Order of arrival must not matter: everything is taken in one fixed order.
fn in_order<'a>(ground: &Ground<'a>) -> Ground<'a> {
    let mut ground = ground.clone();
    ground.ballots.sort_by(|a, b| (a.member.tier, &a.member.id).cmp(&(b.member.tier, &b.member.id)));
    ground.ballots.dedup_by(|a, b| a.member.id == b.member.id);
    ground.failures.sort_by(|a, b| (&a.member, a.outcome.label()).cmp(&(&b.member, b.outcome.label())));
    ground.failures.dedup_by(|a, b| a.member == b.member);
    ground.checks.sort_by(|a, b| a.member.cmp(b.member));
    ground.checks.dedup_by(|a, b| a.member == b.member);
    ground.rulings = settle::last_words(&ground.rulings);
    ground.over_budget.sort();
    ground.over_budget.dedup();
    ground
}

#[cfg(test)]
mod tests;
