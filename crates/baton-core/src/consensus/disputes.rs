//! What the sentences of the answers add to the counted votes: disputes that no vote shows, and the members' own
//! reasons. A vote stays the authority on what was voted on.

use std::collections::BTreeSet;

use super::conflict::{self, Dispute, View, Voice};
use super::decision::{Conflict, Dissenter, Reason};
use super::votes::Tally;
use super::{Ballot, Ground};
use crate::ids::MemberId;
use crate::opinion::Verdict;
use crate::task::Question;
use crate::text::one_line;

/// A member this far below the most reliable one of both sides does not make a conflict by itself.
const PEER_GAP: f64 = 0.12;
/// A side with this share of the weight makes a conflict even without a peer of the most reliable one.
const CONFLICT_SHARE: f64 = 0.34;
const LONGEST_CLAIM: usize = 200;

/// Adds what the votes do not show, and returns the names of what was added. Options of a closed choice are voted on by
/// everybody and need nothing; what is disputed about a place in the code is a finding's.
pub(super) fn add(ground: &Ground<'_>, tally: &Tally, conflicts: &mut Vec<Conflict>) -> Vec<String> {
    let mut added = Vec::new();
    if matches!(ground.classification.question, Question::Choice(_)) {
        return added;
    }
    let views = views(ground);
    let task = if ground.draft.is_some() { "Review the draft." } else { ground.task };
    let voted = !conflicts.is_empty();
    for dispute in conflict::find(task, &views).iter().filter(|dispute| !dispute.at_a_place) {
        let Some(found) = conflict_of(ground, dispute) else { continue };
        if let Some(known) = conflicts.iter_mut().find(|known| same_sides(known, &found)) {
            // A finding has its own reasons.
            if Some(&known.claim) == tally.contested_claim().as_ref() {
                known.reasons = better(found.reasons, &known.reasons);
            }
        } else if weighty(ground, &found) && !voted && unvoted(ground, &found) {
            added.push(found.claim.clone());
            conflicts.push(found);
        }
    }
    added
}

/// The sentences that were read for a side, and for whom none was, what is known already.
fn better(mut read: Vec<Reason>, known: &[Reason]) -> Vec<Reason> {
    let silent = |one: &&Reason| !read.iter().any(|other| other.member == one.member);
    let rest: Vec<Reason> = known.iter().filter(silent).cloned().collect();
    read.extend(rest);
    read
}

/// Members on the lighter side of disputes that the votes do not show, with their own words. Where evidence settled it
/// and the result is what a member had said, that member was right and is left out.
pub(super) fn dissenters<'a>(
    ground: &Ground<'_>,
    conflicts: impl Iterator<Item = &'a Conflict>,
    result: Option<Verdict>,
    known: &[Dissenter],
) -> Vec<Dissenter> {
    let was_right = |member: &MemberId| {
        let own = ground.ballots.iter().find(|ballot| ballot.member.id == *member);
        let own = own.and_then(|ballot| ballot.opinion.position.verdict());
        own.zip(result).is_some_and(|(own, result)| own.approves() == result.approves())
    };
    let mut dissenters: Vec<Dissenter> = Vec::new();
    for conflict in conflicts {
        let (side, members) = lighter(ground, conflict);
        for member in members.iter().filter(|member| conflict.settled_by.is_none() || !was_right(member)) {
            let listed = known.iter().chain(&dissenters).any(|dissenter| dissenter.member == *member);
            let reason = conflict.reasons.iter().find(|reason| reason.member == *member);
            if let (false, Some(reason)) = (listed, reason) {
                let position = format!("{side}: {}", conflict.claim);
                dissenters.push(Dissenter { member: member.clone(), position, reason: reason.reason.clone() });
            }
        }
    }
    dissenters
}

/// Members that take the other side of a text that was asked for, with their own words, where they weigh too little for a
/// dispute.
pub(super) fn outweighed(ground: &Ground<'_>, conflicts: &[Conflict], known: &[Dissenter]) -> Vec<Dissenter> {
    if ground.classification.question != Question::Text || ground.draft.is_some() || !conflicts.is_empty() {
        return Vec::new();
    }
    let mut dissenters: Vec<Dissenter> = Vec::new();
    let disputes = conflict::find(ground.task, &views(ground));
    for conflict in disputes.iter().filter(|dispute| !dispute.at_a_place).filter_map(|one| conflict_of(ground, one)) {
        let (side, members) = lighter(ground, &conflict);
        for member in members {
            if !known.iter().chain(&dissenters).any(|dissenter| dissenter.member == *member) {
                let reason = conflict.reasons.iter().find(|reason| reason.member == *member);
                let reason = reason.map_or(String::new(), |reason| reason.reason.clone());
                let position = format!("{side}: {}", conflict.claim);
                dissenters.push(Dissenter { member: member.clone(), position, reason });
            }
        }
    }
    dissenters
}

fn views<'a>(ground: &'a Ground<'_>) -> Vec<View<'a>> {
    ground.ballots.iter().map(|ballot| View::of(ballot.member.id.as_str(), ballot.opinion)).collect()
}

/// The side of a dispute that weighs less, and what it says of the claim.
fn lighter<'a>(ground: &Ground<'_>, conflict: &'a Conflict) -> (&'static str, &'a [MemberId]) {
    let for_it = weight(ground, &conflict.holds) < weight(ground, &conflict.against);
    if for_it { ("for", &conflict.holds) } else { ("against", &conflict.against) }
}

fn conflict_of(ground: &Ground<'_>, dispute: &Dispute) -> Option<Conflict> {
    let members = |voices: &[Voice]| -> Vec<MemberId> {
        // In the order of the ballots: strongest first.
        let spoke = |ballot: &&Ballot<'_>| voices.iter().any(|voice| voice.member == ballot.member.id.as_str());
        ground.ballots.iter().filter(spoke).map(|ballot| ballot.member.id.clone()).collect()
    };
    let (holds, against) = (members(&dispute.holds), members(&dispute.against));
    let reason = |member: &MemberId| {
        let voice = dispute.holds.iter().chain(&dispute.against).find(|voice| voice.member == member.as_str())?;
        (!voice.reason.is_empty()).then(|| Reason { member: member.clone(), reason: voice.reason.clone() })
    };
    let reasons = holds.iter().chain(&against).filter_map(reason).collect();
    let both = !holds.is_empty() && !against.is_empty();
    both.then(|| Conflict { claim: one_line(&dispute.claim, LONGEST_CLAIM), holds, against, reasons, settled_by: None })
}

fn same_sides(one: &Conflict, other: &Conflict) -> bool {
    let set = |members: &[MemberId]| -> BTreeSet<MemberId> { members.iter().cloned().collect() };
    let (one, other) = ((set(&one.holds), set(&one.against)), (set(&other.holds), set(&other.against)));
    one == other || (one.0 == other.1 && one.1 == other.0)
}

/// It is about something that was not put to the vote: a text was asked for, or a member's verdict could not be read.
fn unvoted(ground: &Ground<'_>, conflict: &Conflict) -> bool {
    let silent = |member: &MemberId| {
        let ballot = ground.ballots.iter().find(|ballot| ballot.member.id == *member);
        ballot.is_some_and(|ballot| ballot.opinion.position.verdict().is_none())
    };
    ground.classification.question == Question::Text || conflict.holds.iter().chain(&conflict.against).any(silent)
}

/// The lighter side has a peer of the most reliable member, or a heavy share: the rule of contested votes.
pub(super) fn weighty(ground: &Ground<'_>, conflict: &Conflict) -> bool {
    let (holds, against) = (weight(ground, &conflict.holds), weight(ground, &conflict.against));
    let lead = strongest(ground, &conflict.holds).max(strongest(ground, &conflict.against));
    let peer = strongest(ground, lighter(ground, conflict).1) + PEER_GAP + 1e-9 >= lead;
    peer || holds.min(against) / (holds + against) >= CONFLICT_SHARE
}

fn weight(ground: &Ground<'_>, members: &[MemberId]) -> f64 {
    let odds = |reliability: f64| reliability / (1.0 - reliability);
    members.iter().map(|member| odds(reliability(ground, member)) * odds(reliability(ground, member))).sum()
}

fn strongest(ground: &Ground<'_>, members: &[MemberId]) -> f64 {
    members.iter().map(|member| reliability(ground, member)).fold(0.0, f64::max)
}

fn reliability(ground: &Ground<'_>, member: &MemberId) -> f64 {
    let ballot = ground.ballots.iter().find(|ballot| ballot.member.id == *member);
    ballot.map_or(0.5, |ballot| ground.rules.reliability(ballot.member.tier)).clamp(0.01, 0.99)
}
