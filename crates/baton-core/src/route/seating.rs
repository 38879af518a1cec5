//! Who gets the seats of a team, and in which order the others step in.
//!
//! The role matrix is a person's word: who stands in it goes before who does not, in its order, as long as the first
//! wave keeps room for the vendors that the decision needs. All other seats go round: each to the vendor that has
//! fewest so far, of these to the family and then the model that has fewest, and only then to the fittest. A second
//! seat of a model that sits at the table already adds little, whatever its tier.

use std::collections::{BTreeMap, BTreeSet};

use super::Request;
use super::because;
use super::fitness::Fitness;
use crate::classify::Classification;
use crate::ids::MemberId;
use crate::member::Member;

/// A member that can be asked.
pub(super) struct Candidate<'a> {
    pub(super) member: &'a Member,
    pub(super) order: Order,
    pub(super) fitness: Fitness,
    /// Measured to be worse than the weakest tier: not asked for its vendor's sake.
    pub(super) poor: bool,
    /// Not strong in the kind.
    weak: bool,
    pub(super) rule: String,
    /// What is known of it that may have counted, in a few words each.
    pub(super) facts: Vec<String>,
    /// What put it before the others.
    remark: Option<String>,
}

/// Its place before anybody is seated; smaller is first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    Named {
        place: usize,
    },
    Primary {
        busyness: (i64, u32),
        place: usize,
    },
    Secondary {
        busyness: (i64, u32),
        place: usize,
    },
    /// `weak`: not strong in the kind.
    Other {
        weak: bool,
        fitness: Fitness,
        tier: u8,
        id: MemberId,
    },
}

impl Order {
    pub(super) fn of(member: &Member, classification: &Classification, request: &Request<'_>) -> Self {
        Self::Other {
            weak: is_weak(member, classification),
            fitness: Fitness::of(member, classification, request),
            tier: member.tier,
            id: member.id.clone(),
        }
    }

    /// The matrix, or the user, put it where it is.
    const fn is_a_persons(&self) -> bool {
        !matches!(self, Self::Other { .. })
    }
}

fn is_weak(member: &Member, classification: &Classification) -> bool {
    classification.unsure || !member.strengths.contains(&classification.kind)
}

impl<'a> Candidate<'a> {
    pub(super) fn new(
        member: &'a Member,
        order: Order,
        classification: &Classification,
        request: &Request<'_>,
    ) -> Self {
        let fitness = Fitness::of(member, classification, request);
        let record = because::record(member, classification, request);
        let poor = record.is_some() && fitness.is_poor(request);
        let facts = record.into_iter().chain(because::places(member, request)).collect();
        let weak = is_weak(member, classification);
        Self { member, order, fitness, poor, weak, rule: String::new(), facts, remark: None }
    }

    /// The rule that chose it with everything else that counted.
    pub(super) fn into_rule(self) -> String {
        std::iter::once(self.rule).chain(self.facts).chain(self.remark).collect::<Vec<_>>().join("; ")
    }
}

/// How many seats there are, and of how many vendors.
pub(super) struct Seats {
    pub(super) first_wave: usize,
    pub(super) most: usize,
    pub(super) vendors: usize,
}

/// How much of what a candidate would bring is at the table already; smaller goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Crowd {
    /// Another vendor has to come now, and this is none.
    pub(super) keeps_out: bool,
    of_no_person: bool,
    poor: bool,
    pub(super) vendor: usize,
    pub(super) family: usize,
    pub(super) model: usize,
}

impl Crowd {
    fn of(one: &Candidate<'_>, seated: &[Candidate<'_>], needs_new: bool) -> Self {
        let count =
            |same: fn(&Member, &Member) -> bool| seated.iter().filter(|other| same(other.member, one.member)).count();
        let vendor = count(|a, b| a.vendor == b.vendor);
        let keeps_out = needs_new && vendor > 0;
        if one.order.is_a_persons() {
            return Self { keeps_out, of_no_person: false, poor: false, vendor: 0, family: 0, model: 0 };
        }
        let family = count(|a, b| a.family == b.family);
        let model = count(|a, b| a.vendor == b.vendor && a.model == b.model);
        Self { keeps_out, of_no_person: true, poor: one.poor, vendor, family, model }
    }
}

/// Those who get a seat, in order, and those who get none.
pub(super) fn choose<'a>(mut pool: Vec<Candidate<'a>>, seats: &Seats) -> (Vec<Candidate<'a>>, Vec<Candidate<'a>>) {
    let mut chosen: Vec<Candidate<'a>> = Vec::with_capacity(seats.most);
    while chosen.len() < seats.most && !pool.is_empty() {
        let known: BTreeSet<&str> = chosen.iter().map(|one| one.member.vendor.as_str()).collect();
        let missing = seats.vendors.saturating_sub(known.len());
        let needs_new = missing > 0 && missing >= seats.first_wave.saturating_sub(chosen.len());
        let crowds: Vec<Crowd> = pool.iter().map(|one| Crowd::of(one, &chosen, needs_new)).collect();
        let best = (0..pool.len()).min_by(|a, b| (crowds[*a], &pool[*a].order).cmp(&(crowds[*b], &pool[*b].order)));
        let Some(best) = best else { break };
        let remark = because::seated(&pool, &crowds, best);
        let mut one = pool.remove(best);
        one.remark = remark;
        chosen.push(one);
    }
    (chosen, pool)
}

/// Who steps in, the most reliable first (a tier's prior until more was learned), of equal ones those that are strong in
/// the kind; and what decided a place beside that.
pub(super) fn ladder<'a>(
    unasked: impl Iterator<Item = &'a Candidate<'a>>,
) -> (Vec<MemberId>, BTreeMap<MemberId, String>) {
    let rank = |one: &Candidate<'_>| (one.fitness.reliability_first(), one.weak, one.fitness, one.member.tier);
    let mut ladder: Vec<&Candidate<'_>> = unasked.collect();
    ladder.sort_by(|a, b| (rank(a), &a.member.id).cmp(&(rank(b), &b.member.id)));
    let mut remarks = BTreeMap::new();
    for (place, one) in ladder.iter().enumerate() {
        let next = ladder.get(place + 1).filter(|next| next.weak == one.weak);
        let words = one.facts.iter().cloned().chain(next.and_then(|next| because::fitter(one, next)));
        let words: Vec<String> = words.collect();
        if !words.is_empty() {
            remarks.insert(one.member.id.clone(), words.join("; "));
        }
    }
    (ladder.into_iter().map(|one| one.member.id.clone()).collect(), remarks)
}
