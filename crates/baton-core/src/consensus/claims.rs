//! Findings of several reviewers, merged into claims: by place first, then by words.

use std::collections::BTreeSet;

use super::decision::{MergedFinding, RefusedFinding, Standing};
use super::settle::{Settled, Side};
use super::{Ballot, Ground};
use crate::evidence::{CheckResult, Place};
use crate::ids::MemberId;
use crate::opinion::{Finding, Severity, Stance};
use crate::source::LocationCheck;
use crate::text::words;
use crate::units::Probability;

/// Lines apart that may still be the same place.
const SAME_PLACE: u32 = 5;
/// Lines apart at which place alone is enough.
const SAME_LINE: u32 = 1;
/// Share of the shorter claim's words that both must have when the place alone does not tell.
const SAME_WORDS: f64 = 0.3;

/// All findings of a team.
#[derive(Clone, Debug, Default)]
pub(super) struct Claims {
    pub(super) merged: Vec<Claim>,
    pub(super) refused: Vec<RefusedFinding>,
}

impl Claims {
    /// Takes in how disputes about findings ended.
    pub(super) fn settle(&mut self, settled: &[Settled]) {
        for claim in &mut self.merged {
            let finding = &mut claim.finding;
            let disputed = !finding.denied_by.is_empty();
            let Some(end) = settled.iter().find(|end| disputed && end.claim == finding.claim) else { continue };
            finding.standing = if end.side == Side::Holds { Standing::Confirmed } else { Standing::Unconfirmed };
            let by = end.arbiter.as_ref().map_or("the other side gave way".into(), |id| format!("{id} settled it"));
            finding.because = if end.side == Side::Holds { by } else { format!("denied: {by}") };
            claim.credible_critical &= end.side == Side::Holds;
        }
        self.merged.sort_by_key(|claim| rank(&claim.finding));
    }
}

/// One claim and who stands where on it.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    pub(super) finding: MergedFinding,
    /// A critical one that was located and argued by a strong member, or reported by two.
    pub(super) credible_critical: bool,
    /// The check whose output points to this place.
    pub(super) settled_by: Option<String>,
}

struct Part<'a> {
    ballot: &'a Ballot<'a>,
    finding: &'a Finding,
}

pub(super) fn merge(ground: &Ground<'_>) -> Claims {
    let mut clusters: Vec<Vec<Part<'_>>> = Vec::new();
    let mut refused = Vec::new();
    for ballot in ground.ballots.iter() {
        for finding in &ballot.opinion.findings {
            if let Some(refusal) = refusal(&ballot.member.id, finding) {
                refused.push(refusal);
                continue;
            }
            let part = Part { ballot, finding };
            match clusters.iter_mut().find(|cluster| joins(cluster, &part)) {
                Some(cluster) => cluster.push(part),
                None => clusters.push(vec![part]),
            }
        }
    }
    // A claim that was only ever denied is nobody's claim.
    clusters.retain(|cluster| cluster.iter().any(|part| part.finding.stance == Stance::Holds));
    let mut merged: Vec<Claim> = clusters.iter().map(|cluster| claim(ground, cluster)).collect();
    merged.sort_by_key(|claim| rank(&claim.finding));
    Claims { merged, refused }
}

type Rank = (bool, std::cmp::Reverse<Severity>, std::cmp::Reverse<usize>, Option<String>, Option<u32>);

fn rank(finding: &MergedFinding) -> Rank {
    (
        finding.standing == Standing::Unconfirmed,
        std::cmp::Reverse(finding.severity),
        std::cmp::Reverse(finding.reported_by.len()),
        finding.file.clone(),
        finding.line,
    )
}

fn refusal(member: &MemberId, finding: &Finding) -> Option<RefusedFinding> {
    let LocationCheck::NoSuchLine { lines } = &finding.location else { return None };
    let (file, line) = (finding.file.clone()?, finding.line?);
    Some(RefusedFinding {
        member: member.clone(),
        because: format!("{file} has {lines} lines: there is no line {line}"),
        file,
        line,
        claim: finding.claim.clone(),
    })
}

fn joins(cluster: &[Part<'_>], part: &Part<'_>) -> bool {
    // One member's two findings stay two, unless they name the same line; and nobody contradicts itself.
    let place = |finding: &Finding| (finding.file.clone(), finding.line, finding.stance);
    let own = cluster.iter().find(|other| other.ballot.member.id == part.ballot.member.id);
    if own.is_some_and(|own| place(own.finding) != place(part.finding)) {
        return false;
    }
    cluster.iter().any(|other| same(other.finding, part.finding))
}

fn same(one: &Finding, other: &Finding) -> bool {
    match (&one.file, &other.file) {
        (Some(a), Some(b)) if a != b => return false,
        _ => {}
    }
    match (one.line, other.line) {
        (Some(a), Some(b)) if one.file.is_some() && a.abs_diff(b) <= SAME_LINE => true,
        (Some(a), Some(b)) if a.abs_diff(b) <= SAME_PLACE => overlap(&one.claim, &other.claim) >= SAME_WORDS,
        (Some(_), Some(_)) => false,
        _ => overlap(&one.claim, &other.claim) >= 2.0 * SAME_WORDS,
    }
}

/// The share of the shorter text's telling words that the other has too.
fn overlap(one: &str, other: &str) -> f64 {
    let telling = |text: &str| -> BTreeSet<String> { words(text).into_iter().filter(|word| word.len() > 3).collect() };
    let (one, other) = (telling(one), telling(other));
    let shorter = one.len().min(other.len());
    if shorter == 0 {
        return 0.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of words in one claim")]
    let share = one.intersection(&other).count() as f64 / shorter as f64;
    share
}

fn claim(ground: &Ground<'_>, cluster: &[Part<'_>]) -> Claim {
    let holding: Vec<&Part<'_>> = cluster.iter().filter(|part| part.finding.stance == Stance::Holds).collect();
    let denying: Vec<&Part<'_>> = cluster.iter().filter(|part| part.finding.stance == Stance::DoesNotHold).collect();
    // Ballots are sorted by tier: the first part is the strongest member's, and gives the wording.
    let lead = holding[0];
    let severity = holding.iter().map(|part| part.finding.severity).max().unwrap_or(Severity::Medium);
    let settled_by = settled_by(ground, &holding);
    let credible_critical = credible_critical(&holding);
    let (standing, because) = standing(&holding, settled_by.as_deref(), credible_critical);
    let finding = MergedFinding {
        file: lead.finding.file.clone(),
        line: lead.finding.line,
        severity,
        claim: lead.finding.claim.clone(),
        reported_by: members(&holding),
        denied_by: members(&denying),
        standing,
        because,
        confidence: confidence(ground, &holding, &denying, settled_by.is_some()),
    };
    Claim { finding, credible_critical, settled_by }
}

fn members(parts: &[&Part<'_>]) -> Vec<MemberId> {
    let mut ids: Vec<MemberId> = Vec::new();
    for part in parts {
        if !ids.contains(&part.ballot.member.id) {
            ids.push(part.ballot.member.id.clone());
        }
    }
    ids
}

fn families(parts: &[&Part<'_>]) -> usize {
    parts.iter().map(|part| part.ballot.member.family.as_str()).collect::<BTreeSet<_>>().len()
}

/// The first failed check whose output names a line of this claim.
fn settled_by(ground: &Ground<'_>, holding: &[&Part<'_>]) -> Option<String> {
    let points_here = |place: &Place| holding.iter().any(|part| is_at(part.finding, place));
    let failed = ground.checks.iter().filter(|check| check.evidence.result == CheckResult::Failed);
    let mut hits = failed
        .filter_map(|check| check.evidence.places.iter().find(|place| points_here(place)).map(|place| (check, place)));
    hits.next().map(|(check, place)| format!("{} failed at {}:{}", check.member, place.file, place.line))
}

fn is_at(finding: &Finding, place: &Place) -> bool {
    let (Some(file), Some(line)) = (&finding.file, finding.line) else { return false };
    let same_file =
        *file == place.file || file.ends_with(&format!("/{}", place.file)) || place.file.ends_with(&format!("/{file}"));
    same_file && line.abs_diff(place.line) <= SAME_PLACE
}

fn credible_critical(holding: &[&Part<'_>]) -> bool {
    let critical: Vec<&&Part<'_>> = holding.iter().filter(|part| part.finding.severity == Severity::Critical).collect();
    let argued = |part: &&Part<'_>| {
        part.ballot.member.tier <= 3
            && part.finding.location == LocationCheck::Verified
            && part.finding.evidence.is_some()
    };
    let believable = critical.iter().filter(|part| part.finding.location != LocationCheck::QuoteNotThere);
    let reporters: BTreeSet<&MemberId> = believable.map(|part| &part.ballot.member.id).collect();
    critical.iter().any(|part| argued(part)) || reporters.len() >= 2
}

fn standing(holding: &[&Part<'_>], settled_by: Option<&str>, credible_critical: bool) -> (Standing, String) {
    let quote_missing = holding.iter().all(|part| part.finding.location == LocationCheck::QuoteNotThere);
    if let Some(check) = settled_by {
        (Standing::Confirmed, check.to_owned())
    } else if quote_missing {
        (Standing::Unconfirmed, "what it quotes does not stand there".into())
    } else if families(holding) >= 2 {
        (Standing::Confirmed, format!("{} independent reporters", families(holding)))
    } else if credible_critical {
        (Standing::Confirmed, "critical, located and argued".into())
    } else {
        (Standing::Unconfirmed, "one reporter".into())
    }
}

/// Noisy-or of the reporters' precisions, one per family, less the deniers' share; a check that fails at the place
/// leaves little doubt.
fn confidence(ground: &Ground<'_>, holding: &[&Part<'_>], denying: &[&Part<'_>], settled: bool) -> Probability {
    if settled {
        return Probability::from_millionths(950_000);
    }
    let misses = |parts: &[&Part<'_>]| {
        let mut seen = BTreeSet::new();
        let fresh = parts.iter().filter(|part| seen.insert(part.ballot.member.family.as_str()));
        fresh.map(|part| 1.0 - ground.rules.precision(part.ballot.member.tier)).product::<f64>()
    };
    Probability::saturating((1.0 - misses(holding)) * misses(denying))
}
