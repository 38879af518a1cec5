//! Is it worth asking the seats that were held back?
//!
//! The expected value of what they may say, in money, is held against what they cost. With `p` the confidence so far,
//! `r` the reliability of each held seat and `L` the sum of 0.8 log(r / (1 - r)) over them:
//!
//! - they overturn the result if all of them speak against it and `L > logit(p)`; that happens with probability
//!   `(1 - p) Πr + p Π(1 - r)` and then the result is right with `1 - 2 logistic(logit(p) - L)` more probability;
//! - they lift it over the threshold if all of them speak for it; that saves a person's look, taken as a tenth of the
//!   stake.
//!
//! The stake is what a wrong decision of this priority is taken to cost ([`Rules::stakes`]). A missing quorum is always
//! worth it, and so is a conflict; a text is not otherwise, since further texts change nothing that is counted.

use super::decision::{Blocker, ConfidenceSource, Decision};
use crate::catalog::Rules;
use crate::member::Member;
use crate::task::{Priority, Question};
use crate::units::MicroUsd;

/// Log-odds of different members add up at this rate.
const INDEPENDENCE: f64 = 0.8;
/// What a person's look costs, as a share of the stake.
const LOOK: f64 = 0.1;
/// What a call is counted as whose price nobody knows: a cent, so that quota is not taken for nothing.
const UNKNOWN_COST: MicroUsd = MicroUsd(10_000);

/// A seat that was held back.
#[derive(Clone, Copy, Debug)]
pub struct Held<'a> {
    pub member: &'a Member,
    /// The chance that it is right, as far as is known.
    pub reliability: f64,
    /// What a call to it is estimated to cost.
    pub cost: Option<MicroUsd>,
}

/// Whether the held seats are to be asked after all.
#[must_use]
pub fn worth_asking(so_far: &Decision, question: &Question, held: &[Held<'_>], rules: &Rules) -> bool {
    if held.is_empty() {
        return false;
    }
    if so_far.blockers.iter().any(|blocker| matches!(blocker, Blocker::NoQuorum | Blocker::AllFailed)) {
        return true;
    }
    if *question == Question::Text {
        return false;
    }
    if so_far.priority == Priority::Critical || so_far.blockers.contains(&Blocker::Conflict) {
        return true;
    }
    // Another reviewer also finds what nobody has found yet; where much is at stake that is reason enough.
    if *question == Question::Findings && so_far.priority == Priority::High {
        return true;
    }
    let cost = held.iter().fold(MicroUsd(0), |sum, seat| sum.plus(seat.cost.unwrap_or(UNKNOWN_COST)));
    #[expect(clippy::cast_precision_loss, reason = "sums of money far below 2^52 millionths")]
    let (stake, cost) = (rules.stakes.at(so_far.priority).0 as f64, cost.0 as f64);
    expected_gain(so_far, held) * stake > cost
}

fn expected_gain(so_far: &Decision, held: &[Held<'_>]) -> f64 {
    let p = so_far.overall_confidence.as_f64().clamp(0.01, 0.99);
    let reliabilities: Vec<f64> = held.iter().map(|seat| seat.reliability.clamp(0.05, 0.95)).collect();
    let right: f64 = reliabilities.iter().product();
    let wrong: f64 = reliabilities.iter().map(|r| 1.0 - r).product();
    let log_odds: f64 = reliabilities.iter().map(|r| INDEPENDENCE * logit(*r)).sum();
    let after_against = logistic(logit(p) - log_odds);
    let overturned =
        if after_against < 0.5 { ((1.0 - p) * right + p * wrong) * (1.0 - 2.0 * after_against) } else { 0.0 };
    let best = reliabilities.iter().copied().fold(p, f64::max);
    let reachable = match so_far.confidence_source {
        ConfidenceSource::Prior => logistic(logit(p) + log_odds).min(best),
        ConfidenceSource::PriorAndEvidence | ConfidenceSource::Learned | ConfidenceSource::LearnedAndEvidence => {
            logistic(logit(p) + log_odds)
        }
    };
    let threshold = so_far.threshold.as_f64();
    let lifted = if p < threshold && reachable >= threshold { p * right + (1.0 - p) * wrong } else { 0.0 };
    overturned + LOOK * lifted
}

fn logit(probability: f64) -> f64 {
    libm::log(probability / (1.0 - probability))
}

fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-log_odds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::member::tests::seat;
    use crate::units::Probability;

    fn so_far(priority: Priority, confidence: u32) -> Decision {
        let threshold = Rules::default().thresholds.at(priority);
        let decision = serde_json::json!({
            "recommendation": "proceed", "overallConfidence": confidence, "confidenceSource": "prior",
            "threshold": threshold, "blockers": [], "decidedBy": {"by": "rule"}, "kind": null,
            "complexity": "standard", "priority": priority, "modelCount": 3, "abstained": [], "failedModels": [],
            "hasConflict": false, "conflicts": [], "dissenters": [], "issues": [], "refusedIssues": [], "checks": [],
            "reasoning": [], "cost": 0, "costUnknown": false, "elapsedMs": 0, "scripted": false,
        });
        Decision {
            overall_confidence: Probability::from_millionths(confidence),
            ..serde_json::from_value(decision).unwrap()
        }
    }

    fn worth(so_far: &Decision, question: &Question, tier: u8, cost: u64) -> bool {
        let member = seat("x", tier);
        let reliability = Rules::default().reliability(tier);
        let held = [Held { member: &member, reliability, cost: Some(MicroUsd(cost)) }];
        worth_asking(so_far, question, &held, &Rules::default())
    }

    #[test]
    fn a_strong_voice_on_an_open_question_is_worth_a_cent_and_a_weak_one_is_not() {
        let open = so_far(Priority::Normal, 600_000);
        assert!(worth(&open, &Question::Verdict, 1, 10_000));
        assert!(!worth(&open, &Question::Verdict, 5, 10_000), "it cannot overturn anything");
    }

    #[test]
    fn what_is_settled_is_not_worth_a_call() {
        assert!(!worth(&so_far(Priority::Normal, 950_000), &Question::Verdict, 1, 100));
    }

    #[test]
    fn the_price_is_held_against_the_stake() {
        let open = |priority| so_far(priority, 600_000);
        assert!(!worth(&open(Priority::Low), &Question::Verdict, 1, 100_000));
        assert!(worth(&open(Priority::High), &Question::Verdict, 1, 100_000));
    }

    #[test]
    fn a_conflict_is_always_worth_it_and_a_text_never() {
        let mut split = so_far(Priority::Low, 950_000);
        split.blockers = vec![Blocker::Conflict];
        assert!(worth(&split, &Question::Verdict, 5, 1_000_000));
        assert!(!worth(&split, &Question::Text, 1, 0));
        assert!(!worth_asking(&split, &Question::Verdict, &[], &Rules::default()), "nobody is left to be asked");
    }

    #[test]
    fn where_too_few_answered_it_is_worth_it_for_a_text_as_well() {
        for blocker in [Blocker::NoQuorum, Blocker::AllFailed] {
            let mut missing = so_far(Priority::Low, 0);
            missing.blockers = vec![blocker];
            assert!(worth(&missing, &Question::Text, 5, 1_000_000), "{blocker:?}");
        }
    }

    #[test]
    fn a_further_reviewer_is_worth_it_where_much_is_at_stake() {
        assert!(worth(&so_far(Priority::High, 950_000), &Question::Findings, 3, 50_000));
        assert!(!worth(&so_far(Priority::Normal, 950_000), &Question::Findings, 3, 50_000));
    }
}
