//! What the answers about disputed claims come to: a side that gives way, an arbiter that is believed.
//!
//! An arbiter is believed only where it names the same side in both orders. A party settles a dispute only by giving
//! way: that it repeats itself says nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::decision::Conflict;
use crate::ids::MemberId;

/// A side of a disputed claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Holds,
    Against,
}

/// In which part a member spoke about a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Speaker {
    /// It had stood on this side.
    Party {
        own: Side,
    },
    Arbiter {
        holding_first: bool,
    },
}

/// One answer about one disputed claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    pub claim: String,
    pub member: MemberId,
    /// The side that it says is right; `None` where it could not tell.
    pub side: Option<Side>,
    pub speaker: Speaker,
}

/// Of each that spoke on a claim in one part the last word, in an order that does not depend on when they spoke.
pub(super) fn last_words(rulings: &[Ruling]) -> Vec<Ruling> {
    let mut last: BTreeMap<(&str, &MemberId, Speaker), &Ruling> = BTreeMap::new();
    for ruling in rulings {
        last.insert((&ruling.claim, &ruling.member, ruling.speaker), ruling);
    }
    last.into_values().cloned().collect()
}

impl Ruling {
    /// The side to which a party moved.
    pub(super) fn gives_way(&self) -> Option<Side> {
        match self.speaker {
            Speaker::Party { own } => self.side.filter(|side| *side != own),
            Speaker::Arbiter { .. } => None,
        }
    }
}

/// A dispute that came to an end, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settled {
    pub(super) claim: String,
    pub(super) side: Side,
    /// The arbiter that settled it; `None` where a side gave way.
    pub(super) arbiter: Option<MemberId>,
}

/// Settles what can be settled. A conflict keeps naming the sides as they first stood; the order of rulings does not
/// matter.
pub(super) fn settle(conflicts: &mut [Conflict], rulings: &[Ruling]) -> Vec<Settled> {
    let open = conflicts.iter_mut().filter(|conflict| conflict.settled_by.is_none());
    open.filter_map(|conflict| {
        let of_claim: Vec<&Ruling> = rulings.iter().filter(|ruling| ruling.claim == conflict.claim).collect();
        let settled = given_way(conflict, &of_claim).or_else(|| arbitrated(conflict, &of_claim))?;
        conflict.settled_by = Some(settled.1);
        Some(settled.0)
    })
    .collect()
}

/// Both sides giving way to each other is no end of the dispute.
fn given_way(conflict: &Conflict, rulings: &[&Ruling]) -> Option<(Settled, String)> {
    let mut moved: Vec<(&MemberId, Side)> =
        rulings.iter().filter_map(|ruling| Some((&ruling.member, ruling.gives_way()?))).collect();
    moved.sort_unstable_by_key(|(member, _)| *member);
    let side = moved.first()?.1;
    if moved.iter().any(|(_, other)| *other != side) {
        return None;
    }
    let left = if side == Side::Holds { &conflict.against } else { &conflict.holds };
    let all_moved = left.iter().all(|member| moved.iter().any(|(other, _)| *other == member));
    let names: Vec<&str> = moved.iter().map(|(member, _)| member.as_str()).collect();
    let because = format!("{} gave way to the other side's evidence", names.join(" and "));
    all_moved.then(|| (Settled { claim: conflict.claim.clone(), side, arbiter: None }, because))
}

/// Arbiters that contradict each other settle nothing.
fn arbitrated(conflict: &Conflict, rulings: &[&Ruling]) -> Option<(Settled, String)> {
    let said = |first: bool| {
        let speaker = Speaker::Arbiter { holding_first: first };
        rulings.iter().filter(move |ruling| ruling.speaker == speaker)
    };
    let consistent = |one: &&&Ruling| {
        one.side.is_some() && said(false).any(|other| other.member == one.member && other.side == one.side)
    };
    let one = said(true).find(consistent)?;
    let side = one.side?;
    if said(true).filter(consistent).any(|other| other.side != Some(side)) {
        return None;
    }
    let arbiter = one.member.clone();
    let because = format!("{arbiter}, of another family, said the same in both orders");
    Some((Settled { claim: conflict.claim.clone(), side, arbiter: Some(arbiter) }, because))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> MemberId {
        MemberId::parse(name).unwrap()
    }

    fn conflict() -> Conflict {
        Conflict { claim: "c".into(), holds: vec![id("a")], against: vec![id("b")], reasons: vec![], settled_by: None }
    }

    fn party(name: &str, own: Side, side: Side) -> Ruling {
        Ruling { claim: "c".into(), member: id(name), side: Some(side), speaker: Speaker::Party { own } }
    }

    fn arbiter(holding_first: bool, side: Side) -> Ruling {
        Ruling { claim: "c".into(), member: id("z"), side: Some(side), speaker: Speaker::Arbiter { holding_first } }
    }

    #[test]
    fn a_side_that_gives_way_ends_the_dispute() {
        let mut conflicts = [conflict()];
        let rulings = [party("a", Side::Holds, Side::Holds), party("b", Side::Against, Side::Holds)];
        let settled = settle(&mut conflicts, &rulings);
        assert_eq!((settled[0].side, settled[0].arbiter.clone()), (Side::Holds, None));
        assert_eq!(conflicts[0].against, [id("b")], "it is still told who stood where");
        assert!(conflicts[0].settled_by.as_deref().unwrap().starts_with("b gave way"));
    }

    #[test]
    fn repeating_oneself_or_swapping_sides_settles_nothing() {
        for rulings in [
            vec![party("a", Side::Holds, Side::Holds), party("b", Side::Against, Side::Against)],
            vec![party("a", Side::Holds, Side::Against), party("b", Side::Against, Side::Holds)],
        ] {
            let mut conflicts = [conflict()];
            assert!(settle(&mut conflicts, &rulings).is_empty());
            assert_eq!(conflicts, [conflict()]);
        }
    }

    #[test]
    fn a_side_of_two_is_not_ended_by_one() {
        let mut conflicts = [Conflict { against: vec![id("b"), id("d")], ..conflict() }];
        assert!(settle(&mut conflicts, &[party("b", Side::Against, Side::Holds)]).is_empty());
        assert_eq!(conflicts[0].settled_by, None);
    }

    #[test]
    fn an_arbiter_is_believed_only_when_it_says_the_same_in_both_orders() {
        let mut conflicts = [conflict()];
        assert!(settle(&mut conflicts, &[arbiter(true, Side::Holds)]).is_empty());
        assert!(settle(&mut conflicts, &[arbiter(true, Side::Holds), arbiter(false, Side::Against)]).is_empty());
        let settled = settle(&mut conflicts, &[arbiter(false, Side::Against), arbiter(true, Side::Against)]);
        assert_eq!((settled[0].side, settled[0].arbiter.clone()), (Side::Against, Some(id("z"))));
    }

    #[test]
    fn who_cannot_tell_moves_nothing() {
        let mut conflicts = [conflict()];
        let undecided = |ruling: Ruling| Ruling { side: None, ..ruling };
        let rulings = [
            undecided(party("b", Side::Against, Side::Holds)),
            undecided(arbiter(true, Side::Holds)),
            undecided(arbiter(false, Side::Holds)),
        ];
        assert!(settle(&mut conflicts, &rulings).is_empty());
    }

    #[test]
    fn a_word_on_another_claim_settles_nothing_here() {
        let mut conflicts = [Conflict { claim: "other".into(), ..conflict() }];
        assert!(settle(&mut conflicts, &[party("b", Side::Against, Side::Holds)]).is_empty());
    }

    #[test]
    fn the_last_word_of_each_counts() {
        let changed = [party("b", Side::Against, Side::Holds), party("b", Side::Against, Side::Against)];
        assert_eq!(last_words(&changed), [party("b", Side::Against, Side::Against)]);
        let other = Ruling { member: id("y"), ..arbiter(true, Side::Holds) };
        let settles = |rulings: &[Ruling]| settle(&mut [conflict()], &last_words(rulings)).first().map(|end| end.side);
        let one = [arbiter(true, Side::Holds), arbiter(false, Side::Holds), other.clone()];
        assert_eq!(settles(&one), Some(Side::Holds), "half a word of another takes nothing away");
        let against = |first| Ruling { member: id("y"), ..arbiter(first, Side::Against) };
        let both = [arbiter(true, Side::Holds), arbiter(false, Side::Holds), against(true), against(false)];
        assert_eq!(settles(&both), None, "two arbiters that contradict each other");
    }
}
