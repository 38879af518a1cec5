//! All pairs of answers to one task weighed together: is there a conflict, and who stands on which side.

use std::collections::BTreeMap;

use super::pairs::{self, FEATURES, Panel, Reading};
use super::topic::Topic;
use super::{Answer, Dispute, Side, Voice, dispute, on_the_topic};

/// The dispute on what was asked, where at least one pair of answers is more likely than not to contradict each other.
/// The sides are those of the rules for this form of question where these place everybody.
pub(super) fn weighed(topic: &Topic, answers: &[Answer<'_>]) -> Option<Dispute> {
    let weighing = Weighing::of(topic, answers);
    let strength = |(one, other): &(usize, usize)| (weighing.odds(*one, *other), std::cmp::Reverse((*one, *other)));
    let (one, other) = weighing.all().max_by_key(strength)?;
    if weighing.odds(one, other) <= 0 {
        return None;
    }
    weighing.dispute(one, other)
}

/// The answers to one task, read for how likely two of them contradict each other.
pub(super) struct Weighing<'a> {
    topic: &'a Topic,
    answers: &'a [Answer<'a>],
    readings: Vec<Reading>,
    panel: Panel,
    /// What the rules for this form of question see.
    ruled: Option<Dispute>,
}

impl<'a> Weighing<'a> {
    pub(super) fn of(topic: &'a Topic, answers: &'a [Answer<'a>]) -> Self {
        let readings: Vec<Reading> = answers.iter().map(|answer| Reading::of(topic, answer)).collect();
        let panel = Panel::of(&readings);
        Self { topic, answers, readings, panel, ruled: on_the_topic(topic, answers) }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let answers = self.answers.len();
        (0..answers).flat_map(move |one| (one + 1..answers).map(move |other| (one, other)))
    }

    fn apart(&self, one: usize, other: usize) -> bool {
        self.ruled.as_ref().is_some_and(|dispute| separates(dispute, self.answers, one, other))
    }

    pub(super) fn features(&self, one: usize, other: usize) -> [i32; FEATURES.len()] {
        let apart = self.apart(one, other);
        pairs::features(self.topic, self.panel, &self.readings[one], &self.readings[other], apart)
    }

    pub(super) fn plain(&self, one: usize, other: usize) -> bool {
        self.readings[one].is_plain() && self.readings[other].is_plain() && self.apart(one, other)
    }

    /// Log-odds, in hundredths, that both cannot be right.
    fn odds(&self, one: usize, other: usize) -> i32 {
        let weighed = pairs::contradiction(&self.features(one, other));
        if self.plain(one, other) { weighed.max(1) } else { weighed }
    }

    /// The two sides that contradict each other most and themselves least, by the sum of log-odds over all pairs. From
    /// the strongest pair, which stays apart, everybody goes to the side that it contradicts less, again and again until
    /// nobody moves; who has no preference takes no part.
    fn sides(&self, one: usize, other: usize) -> (Vec<usize>, Vec<usize>) {
        let takes_part = |at: &usize| *at == one || *at == other || !self.readings[*at].indifferent;
        let members: Vec<usize> = (0..self.answers.len()).filter(takes_part).collect();
        let mut sides: BTreeMap<usize, bool> =
            members.iter().map(|at| (*at, *at == one || (*at != other && self.prefers(*at, one, other)))).collect();
        // Each move raises the sum, so that it ends; the bound is only for the reader.
        for _ in 0..members.len() * members.len() {
            let moves = |at: &&usize| **at != one && **at != other && self.pull(**at, &sides) < 0;
            let Some(at) = members.iter().find(moves) else { break };
            sides.entry(*at).and_modify(|side| *side = !*side);
        }
        members.into_iter().partition(|at| sides[at])
    }

    fn prefers(&self, at: usize, one: usize, other: usize) -> bool {
        self.odds(at, one) <= self.odds(at, other)
    }

    /// How much more the sum is with this member where it is than on the other side.
    fn pull(&self, at: usize, sides: &BTreeMap<usize, bool>) -> i32 {
        let others = sides.iter().filter(|(other, _)| **other != at);
        others
            .map(|(other, side)| if *side == sides[&at] { -self.odds(at, *other) } else { self.odds(at, *other) })
            .sum()
    }

    /// The sides as a dispute. "For" are those whom the rules see there, else those who lean to it.
    fn dispute(&self, one: usize, other: usize) -> Option<Dispute> {
        if let Some(ruled) = self.ruled.as_ref().filter(|ruled| self.covers(ruled)) {
            return Some(ruled.clone());
        }
        let (mut holds, mut against) = self.sides(one, other);
        let leaning = |side: &[usize]| side.iter().map(|at| self.leaning(*at)).sum::<i32>();
        if leaning(&holds) < leaning(&against) {
            std::mem::swap(&mut holds, &mut against);
        }
        let claim = self.ruled.as_ref().map_or(&self.topic.claim, |ruled| &ruled.claim);
        let voices = |side: Vec<usize>| side.into_iter().map(|at| self.voice(at)).collect();
        dispute(claim, voices(holds), voices(against))
    }

    /// Everybody who can take part is on one of the sides that the rules see.
    fn covers(&self, ruled: &Dispute) -> bool {
        let stands = |at: usize| side(ruled, self.answers[at].view.member).is_some();
        (0..self.answers.len()).all(|at| self.readings[at].indifferent || stands(at))
    }

    fn leaning(&self, at: usize) -> i32 {
        let Some(ruled) = &self.ruled else { return self.readings[at].leaning() };
        match side(ruled, self.answers[at].view.member) {
            Some(Side::For) => 1,
            Some(Side::Against) => -1,
            None => 0,
        }
    }

    fn voice(&self, at: usize) -> Voice {
        Voice { member: self.answers[at].view.member.to_owned(), reason: self.readings[at].reason.clone() }
    }
}

fn separates(dispute: &Dispute, answers: &[Answer<'_>], one: usize, other: usize) -> bool {
    let stands = |at: usize| side(dispute, answers[at].view.member);
    matches!((stands(one), stands(other)), (Some(one), Some(other)) if one != other)
}

fn side(dispute: &Dispute, member: &str) -> Option<Side> {
    let is_in = |voices: &[Voice]| voices.iter().any(|voice| voice.member == member);
    match () {
        () if is_in(&dispute.holds) => Some(Side::For),
        () if is_in(&dispute.against) => Some(Side::Against),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consensus::conflict::View;
    use crate::opinion;
    use crate::source::Sources;
    use crate::task::Question;

    const NAMES: [&str; 4] = ["alder", "birch", "cedar", "dogwood"];

    fn with<T>(task: &str, said: &[&str], look: impl FnOnce(&Weighing<'_>) -> T) -> T {
        let read = |text: &&str| opinion::read(text, &Question::Text, &Sources::default());
        let opinions: Vec<_> = said.iter().map(read).collect();
        let views: Vec<View<'_>> = NAMES.iter().zip(&opinions).map(|(name, opinion)| View::of(name, opinion)).collect();
        let answers: Vec<Answer<'_>> = views.iter().map(Answer::read).collect();
        look(&Weighing::of(&Topic::read(task), &answers))
    }

    fn verdict(prose: &str, verdict: &str) -> String {
        format!("{prose}\n\n```json\n{{\"verdict\": \"{verdict}\"}}\n```")
    }

    #[test]
    fn everybody_ends_on_the_side_that_is_contradicted_less() {
        let approves = verdict("The second reader waits at the barrier until the page is written.", "approve");
        let refuses = verdict("The second reader passes the barrier while the page is half written.", "reject");
        let said = [approves.as_str(), &refuses, &refuses, &approves];
        with("Does the reader lag behind because of the barrier?", &said, |weighing| {
            assert_eq!(weighing.sides(0, 1), (vec![0, 3], vec![1, 2]));
            assert_eq!(weighing.sides(1, 3), (vec![1, 2], vec![0, 3]));
        });
    }

    #[test]
    fn who_has_no_preference_is_on_no_side() {
        let said = ["Kafka.", "NATS.", "Either will do."];
        with("Should we use Kafka or NATS for the events?", &said, |weighing| {
            assert_eq!(weighing.sides(0, 1), (vec![0], vec![1]));
            let ruled = weighing.ruled.clone().unwrap();
            assert!(weighing.covers(&ruled), "the third need not be placed");
            assert_eq!(weighing.dispute(0, 1), Some(ruled));
        });
    }

    #[test]
    fn where_the_rules_leave_somebody_out_the_pairs_place_all() {
        let approves = verdict("Yes, it is safe.", "approve");
        let refuses = verdict("No, it leaks.", "reject");
        let said =
            [approves.as_str(), &refuses, "Every handle that the pool takes back stays open until the process ends."];
        with("Is the pool safe?", &said, |weighing| {
            let ruled = weighing.ruled.clone().unwrap();
            assert!(!weighing.covers(&ruled));
            let found = weighing.dispute(0, 1).unwrap();
            assert_eq!((found.claim, found.holds.len() + found.against.len()), (ruled.claim, 3));
            assert_eq!(found.holds[0].member, "alder", "for is who the rules see there");
        });
    }
}
