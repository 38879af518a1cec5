//! How fit a member is beside others: what it is measured to be, how busy it is, what it costs and how long it takes.
//!
//! The order is lexicographic, in steps coarse enough that noise does not decide: reliability in steps of 0.05 (a
//! tier's prior until outcomes were learned), then the share of its places that are taken, then its price in steps of a
//! doubling, then its usual time in steps of a doubling. Equal seats so share the load.

use serde::{Deserialize, Serialize};

use super::Request;
use crate::classify::Classification;
use crate::member::Member;

/// What was known of a member when a run was submitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Load {
    /// Turns on its account just then, of all processes.
    pub in_flight: u32,
    /// How long its turns usually take; `None` before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usual_ms: Option<u64>,
}

impl Load {
    /// Takes in a turn that took so long: the newest counts a quarter.
    #[must_use]
    pub fn after_turn(self, took_ms: u64) -> Self {
        let usual = self.usual_ms.map_or(took_ms, |usual| (usual.saturating_mul(3).saturating_add(took_ms)) / 4);
        Self { usual_ms: Some(usual), ..self }
    }
}

/// Smaller is fitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fitness {
    unreliability: i64,
    taken: u32,
    price: u32,
    time: u32,
}

/// Steps of reliability: a twentieth.
const STEPS: f64 = 20.0;
/// What a call is counted as whose price nobody knows: a cent, in millionths of a dollar.
const UNKNOWN_PRICE: u64 = 10_000;
/// Shares of places that are told apart.
const FULL: u32 = 4;

/// What makes one member fitter than another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    Reliability,
    Places,
    Price,
    Time,
}

impl Fitness {
    /// By what it goes before the other one, where it does.
    pub(super) fn before(&self, other: &Self) -> Option<Cause> {
        let steps = [
            (self.unreliability.cmp(&other.unreliability), Cause::Reliability),
            (self.taken.cmp(&other.taken), Cause::Places),
            (self.price.cmp(&other.price), Cause::Price),
            (self.time.cmp(&other.time), Cause::Time),
        ];
        let (order, cause) = steps.into_iter().find(|(order, _)| order.is_ne())?;
        order.is_lt().then_some(cause)
    }

    pub(super) const fn reliability_first(&self) -> i64 {
        self.unreliability
    }

    /// Measured, and worse than one of the weakest tier is taken to be.
    pub(super) fn is_poor(&self, request: &Request<'_>) -> bool {
        -self.unreliability < steps(request.rules.reliability(u8::MAX))
    }

    pub(super) fn of(member: &Member, classification: &Classification, request: &Request<'_>) -> Self {
        let load = request.load.get(&member.id).copied().unwrap_or_default();
        let price = member.estimate(request.tokens).map_or(UNKNOWN_PRICE, |cost| cost.0);
        Self {
            unreliability: -steps(reliability(member, classification, request)),
            taken: load.in_flight.saturating_mul(FULL) / member.limits.concurrent.max(1),
            price: doublings(price),
            time: doublings(load.usual_ms.unwrap_or(0)),
        }
    }

    /// By how much a member was measured to be worse than its tier says, and how busy it is: what moves it within a
    /// row of the role matrix, whose order is a person's.
    pub(super) fn busyness(member: &Member, classification: &Classification, request: &Request<'_>) -> (i64, u32) {
        let expected = request.rules.reliability(member.tier);
        let measured = reliability(member, classification, request) - expected;
        (-steps(measured), Self::of(member, classification, request).taken)
    }
}

fn reliability(member: &Member, classification: &Classification, request: &Request<'_>) -> f64 {
    let topic = if classification.unsure { "" } else { classification.kind.as_str() };
    request.experience.reliability(&classification.question, member, topic, &request.rules.tier_reliability)
}

#[expect(clippy::cast_possible_truncation, reason = "from -1 to 1, times twenty")]
fn steps(share: f64) -> i64 {
    libm::round(share * STEPS) as i64
}

const fn doublings(value: u64) -> u32 {
    u64::BITS - value.leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_time_follows_slowly() {
        let load = Load::default().after_turn(1_000).after_turn(5_000);
        assert_eq!(load.usual_ms, Some(2_000));
        assert_eq!(load.after_turn(u64::MAX).usual_ms.map(|ms| ms > 2_000), Some(true), "and never overflows");
    }

    #[test]
    fn noise_does_not_decide() {
        assert_eq!(steps(0.751), steps(0.749));
        assert!(steps(0.75) > steps(0.68));
        assert_eq!(doublings(1_025), doublings(2_000));
        assert!(doublings(0) < doublings(1) && doublings(1) < doublings(2));
    }
}
