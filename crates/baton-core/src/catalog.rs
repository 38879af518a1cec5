//! Rules as data: the role matrix, team sizes, thresholds and priors. The defaults live in the `catalog/` folder;
//! whatever a run used is frozen into it.

use serde::{Deserialize, Serialize};

use crate::ids::MemberId;
use crate::task::{Complexity, Kind, Priority};
use crate::units::{MicroUsd, Probability};

/// Who is asked for a kind of work, in order of preference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleRow {
    pub kind: Kind,
    pub primary: Vec<MemberId>,
    pub secondary: Vec<MemberId>,
    /// Why these; shown when a choice is explained.
    pub because: String,
}

/// A value for each priority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByPriority<T> {
    pub low: T,
    pub normal: T,
    pub high: T,
    pub critical: T,
}

impl<T: Copy> ByPriority<T> {
    #[must_use]
    pub const fn at(&self, priority: Priority) -> T {
        match priority {
            Priority::Low => self.low,
            Priority::Normal => self.normal,
            Priority::High => self.high,
            Priority::Critical => self.critical,
        }
    }
}

/// The fewest and the most seats of a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamSize {
    pub least: u8,
    pub most: u8,
}

/// Team sizes by complexity. A critical task asks every member present.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamSizes {
    pub quick: TeamSize,
    pub standard: TeamSize,
    pub complex: TeamSize,
}

impl TeamSizes {
    #[must_use]
    pub const fn of(&self, complexity: Complexity) -> TeamSize {
        match complexity {
            Complexity::Quick => self.quick,
            Complexity::Standard => self.standard,
            Complexity::Complex => self.complex,
        }
    }
}

/// Distinct vendors that a decision needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quorum {
    pub quick: u8,
    pub standard: u8,
    pub complex: u8,
    pub critical: u8,
}

impl Quorum {
    #[must_use]
    pub const fn of(&self, complexity: Complexity, priority: Priority) -> u8 {
        match (priority, complexity) {
            (Priority::Critical, _) => self.critical,
            (_, Complexity::Quick) => self.quick,
            (_, Complexity::Standard) => self.standard,
            (_, Complexity::Complex) => self.complex,
        }
    }
}

/// The numbers by which teams are built and decisions taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    pub thresholds: ByPriority<Probability>,
    pub team: TeamSizes,
    pub quorum: Quorum,
    /// The chance that a member of tier 1 to 5 is right, before anything is known of it.
    pub tier_reliability: [Probability; 5],
    /// The chance that a single finding of a member of tier 1 to 5 is worth acting on.
    pub tier_precision: [Probability; 5],
    /// What a wrong decision is taken to cost; held against the price of asking one more member.
    #[serde(default = "stakes")]
    pub stakes: ByPriority<MicroUsd>,
    /// What a run may spend; `None` is no cap.
    pub spend_cap: Option<MicroUsd>,
    /// Tries for one step, over all members.
    pub attempts: u8,
}

impl Rules {
    #[must_use]
    pub fn reliability(&self, tier: u8) -> f64 {
        self.tier_reliability[tier_index(tier)].as_f64()
    }

    #[must_use]
    pub fn precision(&self, tier: u8) -> f64 {
        self.tier_precision[tier_index(tier)].as_f64()
    }
}

/// Ten cents, a dollar, ten and a hundred.
const fn stakes() -> ByPriority<MicroUsd> {
    ByPriority {
        low: MicroUsd(100_000),
        normal: MicroUsd(1_000_000),
        high: MicroUsd(10_000_000),
        critical: MicroUsd(100_000_000),
    }
}

fn tier_index(tier: u8) -> usize {
    usize::from(tier.clamp(1, 5)) - 1
}

impl Default for Rules {
    /// The mission's thresholds and sizes. The priors are those of the measured design: steep enough that a weak
    /// member cannot outvote a strong one.
    fn default() -> Self {
        let millionths = Probability::from_millionths;
        Self {
            thresholds: ByPriority {
                low: millionths(600_000),
                normal: millionths(700_000),
                high: millionths(800_000),
                critical: millionths(900_000),
            },
            team: TeamSizes {
                quick: TeamSize { least: 1, most: 2 },
                standard: TeamSize { least: 3, most: 4 },
                complex: TeamSize { least: 5, most: 7 },
            },
            quorum: Quorum { quick: 1, standard: 2, complex: 2, critical: 3 },
            tier_reliability: [750_000, 680_000, 600_000, 520_000, 450_000].map(millionths),
            tier_precision: [450_000, 420_000, 380_000, 340_000, 300_000].map(millionths),
            stakes: stakes(),
            spend_cap: Some(MicroUsd(2_000_000)),
            attempts: 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tier_out_of_range_is_taken_as_the_nearest() {
        let rules = Rules::default();
        assert!((rules.reliability(0) - 0.75).abs() < 1e-9);
        assert!((rules.reliability(9) - 0.45).abs() < 1e-9);
    }

    #[test]
    fn critical_needs_three_vendors_whatever_the_complexity() {
        let quorum = Rules::default().quorum;
        assert_eq!(quorum.of(Complexity::Quick, Priority::Critical), 3);
        assert_eq!(quorum.of(Complexity::Quick, Priority::High), 1);
        assert_eq!(quorum.of(Complexity::Complex, Priority::Low), 2);
    }
}
