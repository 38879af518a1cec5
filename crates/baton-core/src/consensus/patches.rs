//! Which patch: what it does when it is tried comes first, votes come late.
//!
//! Patches are put in order by, one after the other: does it apply; the user's checks in the order in which the user
//! names them (so the build before the tests before the linter), passed before abstained before failed; does it leave
//! tests as they are; the weight of the members who wrote the same, discounted within a family; fewer changed lines;
//! the stronger author. Nothing that a member says of its patch is looked at.

mod behaviour;

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

use super::choice::{self, Asked};
use super::decision::{Blocker, CheckReport, ConfidenceSource, Conflict, Decision, PatchReport, Recommendation};
use super::explain;
use super::recommend::{self, Outcome};
use super::{Ballot, Ground};
use crate::evidence::{CheckResult, Evidence, Fit, Trial, TrialCheck};
use crate::hash::Hash;
use crate::ids::MemberId;
use crate::learning;
use crate::opinion::Position;
use crate::task::{Priority, Question};

/// What came of trying one patch.
#[derive(Clone, Debug)]
pub struct Tried<'a> {
    /// The patch as it was read.
    pub content: Hash,
    pub evidence: &'a Evidence,
    /// The patch as git wrote it after it was applied.
    pub diff: Option<Hash>,
}

impl Tried<'_> {
    fn trial(&self) -> Option<&Trial> {
        self.evidence.trial.as_ref()
    }
}

/// How much a member counts for its class.
struct Voice {
    weight: i64,
    reliability: f64,
    discount: f64,
}

/// One distinct patch and what is known of it.
struct Candidate<'a> {
    /// Who wrote just this, strongest first; never empty.
    by: Vec<&'a Ballot<'a>>,
    /// Others who wrote the same but for what makes no difference.
    backed: Vec<&'a Ballot<'a>>,
    files: &'a [String],
    content: Hash,
    changed_lines: u32,
    weakens_tests: bool,
    tried: Option<&'a Tried<'a>>,
    /// Of all who wrote the same, in millionths.
    weight: i64,
    /// A dispute about what it does went against it.
    overruled: bool,
}

impl Candidate<'_> {
    fn trial(&self) -> Option<&Trial> {
        self.tried?.trial()
    }

    fn fit(&self) -> u8 {
        match self.trial().map(|trial| &trial.fit) {
            Some(Fit::Yes) => 0,
            Some(Fit::Unknown { .. }) | None => 1,
            Some(Fit::No { .. }) => 2,
        }
    }

    fn results(&self) -> Vec<u8> {
        let rank = |check: &TrialCheck| match check.result {
            CheckResult::Passed => 0,
            CheckResult::Abstained { .. } => 1,
            CheckResult::Failed => 2,
        };
        self.trial().map(|trial| trial.checks.iter().map(rank).collect()).unwrap_or_default()
    }

    fn failed(&self) -> Option<&TrialCheck> {
        self.trial()?.checks.iter().find(|check| check.result == CheckResult::Failed)
    }

    /// It applies, a check passed, and none failed.
    fn holds(&self) -> bool {
        let results = self.results();
        self.fit() == 0 && results.contains(&0) && !results.contains(&2)
    }

    fn author(&self) -> (u8, &MemberId) {
        let member = self.by[0].member;
        (member.tier, &member.id)
    }
}

fn order(one: &Candidate<'_>, other: &Candidate<'_>) -> Ordering {
    let key = |patch: &Candidate<'_>| (patch.fit(), patch.results(), patch.weakens_tests, Reverse(patch.weight));
    let late = |patch: &Candidate<'_>| patch.changed_lines;
    key(one).cmp(&key(other)).then(late(one).cmp(&late(other))).then_with(|| one.author().cmp(&other.author()))
}

/// The patches in order, and how much each member counts.
pub(super) struct Ranked<'a> {
    candidates: Vec<Candidate<'a>>,
    voices: BTreeMap<&'a MemberId, Voice>,
    /// What the probes show, where patches that hold do different things.
    difference: Option<behaviour::Difference>,
}

/// `None` where no patch was asked for.
pub(super) fn rank<'a>(ground: &'a Ground<'a>) -> Option<Ranked<'a>> {
    if ground.classification.question != Question::Patch {
        return None;
    }
    let voices = voices(ground);
    let mut candidates: Vec<Candidate<'_>> = Vec::new();
    for ballot in &ground.ballots {
        let Position::Patch { files, class, content, changed_lines, weakens_tests } = &ballot.opinion.position else {
            continue;
        };
        if let Some(known) = candidates.iter_mut().find(|known| known.content == *content) {
            known.by.push(ballot);
            continue;
        }
        let same: Vec<&Ballot<'_>> = ground.ballots.iter().filter(|other| class_of(other) == Some(*class)).collect();
        let weight = same.iter().filter_map(|other| voices.get(&other.member.id)).map(|voice| voice.weight).sum();
        let is_other = |other: &&Ballot<'_>| matches!(&other.opinion.position, Position::Patch { content: its, .. } if its != content);
        candidates.push(Candidate {
            by: vec![ballot],
            backed: same.into_iter().filter(is_other).collect(),
            files,
            content: *content,
            changed_lines: *changed_lines,
            weakens_tests: *weakens_tests,
            tried: ground.trials.iter().find(|tried| tried.content == *content),
            weight,
            overruled: false,
        });
    }
    candidates.sort_by(order);
    let difference = behaviour::difference(&candidates);
    Some(Ranked { candidates, voices, difference })
}

fn class_of(ballot: &Ballot<'_>) -> Option<Hash> {
    match &ballot.opinion.position {
        Position::Patch { class, .. } => Some(*class),
        _ => None,
    }
}

/// A class is an option that a member votes for by writing it.
fn voices<'a>(ground: &'a Ground<'a>) -> BTreeMap<&'a MemberId, Voice> {
    let classes: Vec<Option<String>> =
        ground.ballots.iter().map(|ballot| class_of(ballot).map(|class| class.to_string())).collect();
    let votes: Vec<learning::Vote<'_>> = ground
        .ballots
        .iter()
        .zip(&classes)
        .map(|(ballot, class)| learning::Vote {
            tier: ballot.member.tier,
            member: ballot.member.id.as_str(),
            family: &ballot.member.family,
            option: class.as_deref(),
        })
        .collect();
    let asked = Asked { topic: ground.classification.kind.as_str(), options: votes.len().max(2) };
    let choice = choice::decide(&votes, &asked, &ground.experience.choices, &ground.rules.tier_reliability);
    let voice = |ballot: &'a Ballot<'a>| {
        let vote = choice.votes.iter().find(|vote| vote.member == ballot.member.id.as_str())?;
        let voice = Voice { weight: vote.weight, reliability: vote.reliability, discount: vote.discount };
        Some((&ballot.member.id, with_record(voice, ballot, ground)))
    };
    ground.ballots.iter().filter_map(voice).collect()
}

/// A member whose patches are known by what became of them counts by that.
fn with_record(voice: Voice, ballot: &Ballot<'_>, ground: &Ground<'_>) -> Voice {
    let (known, member) = (&ground.experience.patches, ballot.member.id.as_str());
    if !known.members.contains_key(member) {
        return voice;
    }
    let reliability = known.reliability(member, ground.classification.kind.as_str(), voice.reliability);
    let weight = choice::share_of(learning::odds_squared(reliability), voice.discount);
    Voice { weight, reliability, ..voice }
}

/// What follows from the first patch. A failed check blocks, whoever stands behind the patch.
pub(super) fn conclude(ground: &Ground<'_>, ranked: &Ranked<'_>, conflicts: Vec<Conflict>) -> Outcome {
    let mut blockers = recommend::blockers(ground, &conflicts);
    let best = ranked.candidates.first();
    if best.is_some_and(|best| best.fit() == 2 || best.failed().is_some()) {
        blockers.push(Blocker::PatchFails);
    }
    if ground.classification.priority == Priority::Critical {
        blockers.push(Blocker::NeedsPerson);
    }
    blockers.sort_unstable();
    // Tests that the patch itself made weaker lift nothing.
    let supported = best.is_some_and(|best| best.holds() && !best.weakens_tests);
    let authors = best.iter().flat_map(|best| best.by.iter().chain(&best.backed));
    let behind: Vec<(f64, f64)> = authors
        .filter_map(|ballot| ranked.voices.get(&ballot.member.id))
        .map(|voice| (voice.reliability, voice.discount))
        .collect();
    let confidence = recommend::backed_by(&behind, supported);
    let source = if supported { ConfidenceSource::PriorAndEvidence } else { ConfidenceSource::Prior };
    let recommendation = match recommend::recommendation(ground, confidence, &blockers) {
        Recommendation::Proceed if !supported => at_most(ground.classification.priority),
        as_usual => as_usual,
    };
    Outcome {
        recommendation,
        confidence,
        source,
        learned_over: None,
        blockers,
        conflicts,
        verdict: None,
        verdict_because: None,
    }
}

/// What is advised of a patch that nothing shows to work: how sure its authors are is no ground to act on it unseen.
const fn at_most(priority: Priority) -> Recommendation {
    match priority {
        Priority::Low | Priority::Normal => Recommendation::ProceedWithCaution,
        Priority::High | Priority::Critical => Recommendation::ReviewRequired,
    }
}

/// Puts the patches into the decision, and the reasons for their order in front of the others.
pub(super) fn tell(ranked: &Ranked<'_>, decision: &mut Decision) {
    let first_applies = ranked.candidates.first().is_some_and(|first| first.fit() < 2);
    decision.patches = ranked.candidates.iter().map(report).collect();
    if let Some(first) = decision.patches.first_mut().filter(|_| first_applies) {
        first.adopted = true;
        decision.patch = first.content;
    }
    decision.reasoning.splice(0..0, reasons(ranked));
}

fn report(candidate: &Candidate<'_>) -> PatchReport {
    let ids = |ballots: &[&Ballot<'_>]| ballots.iter().map(|ballot| ballot.member.id.clone()).collect();
    let (applies, because) = match candidate.trial().map(|trial| &trial.fit) {
        Some(Fit::Yes) => ("yes", None),
        Some(Fit::No { because }) => ("no", Some(because.clone())),
        Some(Fit::Unknown { because }) => ("unknown", Some(because.clone())),
        None => ("unknown", Some("it was not tried".to_owned())),
    };
    let check = |check: &TrialCheck| {
        let (result, summary) = explain::result_words(&check.result, &check.summary);
        CheckReport { check: check.check.clone(), command: check.command.clone(), result, summary }
    };
    PatchReport {
        by: ids(&candidate.by),
        backed_by: ids(&candidate.backed),
        files: candidate.files.to_vec(),
        changed_lines: candidate.changed_lines,
        applies: applies.into(),
        because,
        checks: candidate.trial().map(|trial| trial.checks.iter().map(check).collect()).unwrap_or_default(),
        weakens_tests: candidate.weakens_tests,
        // Without a trial the diff is kept nowhere but in the member's answer.
        content: candidate.tried.map(|tried| tried.diff.unwrap_or(candidate.content)),
        adopted: false,
    }
}

fn reasons(ranked: &Ranked<'_>) -> Vec<String> {
    let mut reasons = Vec::new();
    for (place, candidate) in ranked.candidates.iter().enumerate() {
        let said = standing(candidate);
        reasons.push(match (place, candidate.fit()) {
            (_, 2) => format!("set aside: the patch of {}: {said}", authors(candidate)),
            (0, _) => format!("adopted: the patch of {}: {said}", authors(candidate)),
            _ => {
                let first = &ranked.candidates[0];
                format!("behind it: the patch of {}: {said}; {}", authors(candidate), decisive(first, candidate))
            }
        });
    }
    reasons.extend(behaviour::said(&ranked.candidates));
    if ranked.candidates.iter().any(|candidate| candidate.weakens_tests && candidate.holds()) {
        reasons.push("a patch that takes something out of tests is not lifted by them".to_owned());
    }
    reasons.extend(ranked.candidates.first().and_then(unshown));
    reasons
}

/// Why the first patch is acted on with caution at most.
fn unshown(first: &Candidate<'_>) -> Option<String> {
    let because = if first.fit() == 2 || first.failed().is_some() {
        return None;
    } else if first.fit() == 1 {
        "it was not tried"
    } else if !first.holds() {
        "no check passed with it"
    } else if first.weakens_tests {
        "the tests that pass are weaker than before"
    } else {
        return None;
    };
    Some(format!("nothing shows that this patch works, as {because}: look at it before you take it"))
}

fn authors(candidate: &Candidate<'_>) -> String {
    let names = candidate.by.iter().chain(&candidate.backed).map(|ballot| ballot.member.id.as_str());
    names.collect::<Vec<_>>().join(", ")
}

fn standing(candidate: &Candidate<'_>) -> String {
    let Some(trial) = candidate.trial() else { return "not tried".to_owned() };
    match (&trial.fit, candidate.failed()) {
        (Fit::No { because }, _) => format!("does not apply: {because}"),
        (Fit::Unknown { because }, _) => format!("not tried: {because}"),
        (Fit::Yes, Some(failed)) => format!("applies, {} fails", failed.check),
        (Fit::Yes, None) if candidate.holds() => {
            let passed = trial.checks.iter().filter(|check| check.result == CheckResult::Passed);
            let names: Vec<&str> = passed.map(|check| check.check.as_str()).collect();
            format!("applies, {} passes", names.join(" and "))
        }
        (Fit::Yes, None) => "applies, no check says anything".to_owned(),
    }
}

/// The first thing in which the later one is worse.
fn decisive(first: &Candidate<'_>, later: &Candidate<'_>) -> &'static str {
    if first.fit() != later.fit() {
        "it is not known to apply"
    } else if later.overruled {
        "the dispute about what it does went against it"
    } else if first.results() != later.results() {
        "the checks decide"
    } else if first.weakens_tests != later.weakens_tests {
        "it takes something out of tests"
    } else if first.weight != later.weight {
        "fewer or weaker members wrote it"
    } else if first.changed_lines != later.changed_lines {
        "it changes more lines"
    } else {
        "its author comes later"
    }
}
