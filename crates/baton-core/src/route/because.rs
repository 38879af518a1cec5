//! What decided a member's place, in a few words. Each is a fact of this choice: a record, a share of places, or what
//! put it before the next one.

use super::Request;
use super::fitness::Cause;
use super::seating::{Candidate, Crowd, Order};
use crate::classify::Classification;
use crate::learning::Counts;
use crate::member::Member;

/// Fewer answers than this on a kind are not worth a word of their own.
const WORTH_TELLING: u64 = 5;

/// `right in 83 % of 60`; `None` for a member of which nothing was learned. Old outcomes count less, so the number is
/// that of as many new ones.
pub(super) fn record(member: &Member, classification: &Classification, request: &Request<'_>) -> Option<String> {
    let topic = if classification.unsure { "" } else { classification.kind.as_str() };
    let (overall, here) = request.experience.record(&classification.question, member, topic);
    let mut words = format!("right in {}", share(overall)?);
    if let Some(share) = here.filter(|counts| answers(*counts) >= WORTH_TELLING).and_then(share) {
        words.push_str(&format!(", in {share} on {topic}"));
    }
    Some(words)
}

fn answers(counts: Counts) -> u64 {
    counts.asked.saturating_add(500_000) / 1_000_000
}

/// `83 % of 60`; `None` where less than half an answer is left of it.
fn share(counts: Counts) -> Option<String> {
    let asked = answers(counts);
    let percent = counts.right.saturating_mul(100).saturating_add(counts.asked / 2).checked_div(counts.asked)?;
    (asked > 0).then(|| format!("{percent} % of {asked}"))
}

/// `2 of 3 places taken`; `None` for a member that is idle.
pub(super) fn places(member: &Member, request: &Request<'_>) -> Option<String> {
    let taken = request.load.get(&member.id).map_or(0, |load| load.in_flight);
    let places = member.limits.concurrent.max(1);
    (taken > 0).then(|| format!("{taken} of {places} places taken"))
}

/// What put this candidate before the others that are left, where its rule does not say it.
pub(super) fn seated(pool: &[Candidate<'_>], crowds: &[Crowd], best: usize) -> Option<String> {
    let others = || (0..pool.len()).filter(|other| *other != best);
    let passed = others().filter(|other| pool[*other].order < pool[best].order);
    if let Some(passed) = passed.min_by_key(|other| &pool[*other].order) {
        return apart(crowds[best], crowds[passed], pool[passed].member);
    }
    let next = others().filter(|other| crowds[*other] == crowds[best]).min_by_key(|other| &pool[*other].order)?;
    match (&pool[best].order, &pool[next].order) {
        (Order::Other { weak, .. }, Order::Other { weak: other, .. }) if weak == other => {
            fitter(&pool[best], &pool[next])
        }
        (Order::Primary { busyness, place }, Order::Primary { busyness: other, place: listed })
        | (Order::Secondary { busyness, place }, Order::Secondary { busyness: other, place: listed }) => {
            let moved = place > listed && busyness.0 == other.0;
            moved.then(|| format!("more places free than {}", pool[next].member.id))
        }
        _ => None,
    }
}

/// Why one that is less fit was taken all the same.
fn apart(one: Crowd, passed: Crowd, member: &Member) -> Option<String> {
    let fewer = |what: &str, seats: usize| match seats {
        0 => format!("a {what} that has no seat yet"),
        _ => format!("a {what} that has fewer seats than {}'s", member.id),
    };
    if one.keeps_out != passed.keeps_out {
        Some("the decision needs another vendor".into())
    } else if one.vendor != passed.vendor {
        Some(fewer("vendor", one.vendor))
    } else if one.family != passed.family {
        Some(fewer("family", one.family))
    } else if one.model != passed.model {
        Some(fewer("model", one.model))
    } else {
        None
    }
}

/// By what one goes before another that is its equal otherwise. Of reliability the records speak.
pub(super) fn fitter(one: &Candidate<'_>, other: &Candidate<'_>) -> Option<String> {
    let name = &other.member.id;
    match one.fitness.before(&other.fitness)? {
        Cause::Reliability => None,
        Cause::Places => Some(format!("more places free than {name}")),
        Cause::Price => Some(format!("cheaper than {name}")),
        Cause::Time => Some(format!("usually faster than {name}")),
    }
}
