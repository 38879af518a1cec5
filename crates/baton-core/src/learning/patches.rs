//! What is known of those who write patches: how often theirs held.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Counts;
use super::reliability::{TIER_STRENGTH, TOPIC_STRENGTH};

/// What was learned from patches that were tried, accepted, merged or reverted. The default knows nothing and leaves
/// every reliability as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PatchesExperience {
    /// Patches learned from.
    pub patches: u32,
    pub members: BTreeMap<String, PatchRecord>,
}

/// One member's record, over all tasks and by the kind of task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PatchRecord {
    pub counts: Counts,
    pub topics: BTreeMap<String, Counts>,
}

impl PatchesExperience {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Counts one patch. `weight` is 1 for one of today, less for an old one or one of another version. No topic is
    /// empty.
    pub(crate) fn judge(&mut self, member: &str, topic: &str, right: bool, weight: f64) {
        let record = self.members.entry(member.to_owned()).or_default();
        record.counts.add(right, weight);
        if !topic.is_empty() {
            record.topics.entry(topic.to_owned()).or_default().add(right, weight);
        }
    }

    /// The chance that a member's patch holds: on tasks of this kind, backing off to all, backing off to what is
    /// `expected` of it elsewhere. Without a record just that.
    #[must_use]
    pub fn reliability(&self, member: &str, topic: &str, expected: f64) -> f64 {
        let Some(record) = self.members.get(member) else { return expected };
        let overall = record.counts.reliability(expected, TIER_STRENGTH);
        let here = record.topics.get(topic).copied().unwrap_or_default();
        here.reliability(overall, TOPIC_STRENGTH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_record_nothing_changes() {
        let mut known = PatchesExperience::default();
        assert!((known.reliability("a", "refactoring", 0.681) - 0.681).abs() < f64::EPSILON && known.is_empty());
        known.judge("b", "refactoring", false, 1.0);
        assert!((known.reliability("a", "refactoring", 0.681) - 0.681).abs() < f64::EPSILON);
    }

    #[test]
    fn a_record_moves_slowly_and_faster_on_its_own_kind_of_task() {
        let mut known = PatchesExperience::default();
        (0..30).for_each(|_| known.judge("a", "refactoring", false, 1.0));
        let there = known.reliability("a", "implementation", 0.75);
        let here = known.reliability("a", "refactoring", 0.75);
        assert!((there - 0.5).abs() < 1e-9 && here < 0.21, "{there} {here}");
        (0..200).for_each(|_| known.judge("a", "", true, 1.0));
        assert!(known.reliability("a", "implementation", 0.75) > 0.75 && known.members["a"].topics.len() == 1);
    }

    #[test]
    fn what_was_frozen_before_patches_taught_can_be_read() {
        let old: super::super::Experience = serde_json::from_str("{}").unwrap();
        assert!(old.patches.is_empty());
        assert!(!serde_json::to_string(&old).unwrap().contains("patches"), "and is written as it was");
    }
}
