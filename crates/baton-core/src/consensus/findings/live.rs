//! The findings of a live run: refused where the line does not exist, merged, and each with its standing.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::likeness::SAME_PLACE;
use super::said::{self, Said};
use super::{Report, Reviewer, denials, group};
use crate::consensus::decision::{ARGUED, Grounds, MergedFinding, RefusedFinding, Standing, TWICE};
use crate::consensus::reproduction::{Reproduction, SHOWN, Tested, lowered};
use crate::consensus::settle::{Settled, Side};
use crate::consensus::votes::is_worded_as_vote;
use crate::consensus::{Ballot, Ground};
use crate::evidence::{CheckResult, Place};
use crate::ids::MemberId;
use crate::opinion::{Finding, Severity, Stance};
use crate::source::LocationCheck;
use crate::units::Probability;

/// How sure a finding is at least when a dispute about it was settled in its favour: as the word of the strongest tier.
const SETTLED: Probability = Probability::from_millionths(750_000);

/// A check that fails at the place leaves little doubt.
const CHECKED: Probability = Probability::from_millionths(950_000);

/// All findings of a team.
#[derive(Clone, Debug, Default)]
pub(in crate::consensus) struct Claims {
    pub(in crate::consensus) merged: Vec<Claim>,
    pub(in crate::consensus) refused: Vec<RefusedFinding>,
}

impl Claims {
    /// Takes in how disputes about findings ended.
    pub(in crate::consensus) fn settle(&mut self, settled: &[Settled]) {
        for claim in &mut self.merged {
            let disputed = claim.is_disputed();
            let finding = &mut claim.finding;
            let Some(end) = settled.iter().find(|end| disputed && end.claim == claim.disputed_as) else { continue };
            let holds = end.side == Side::Holds;
            finding.standing = if holds { Standing::Confirmed } else { Standing::Unconfirmed };
            finding.confidence = if holds {
                finding.confidence.max(SETTLED)
            } else {
                finding.confidence.min(Probability::ONE.minus(SETTLED))
            };
            let by = end.arbiter.as_ref().map_or("the other side gave way".into(), |id| format!("{id} settled it"));
            finding.because = if holds { by } else { format!("denied: {by}") };
            claim.credible_critical &= holds;
        }
        self.merged.sort_by_key(|claim| rank(&claim.finding));
    }

    /// What speaks on the verdict, and was run, is a member's test.
    pub(in crate::consensus) fn is_shown_by_a_test(&self) -> bool {
        self.merged.iter().find(|claim| claim.settles_the_verdict()).is_some_and(|claim| claim.by_test)
    }
}

/// One claim and who stands where on it.
#[derive(Clone, Debug)]
pub(in crate::consensus) struct Claim {
    pub(in crate::consensus) finding: MergedFinding,
    /// What a dispute about it is called: its words, with the place where the words alone could be taken for something
    /// else.
    pub(in crate::consensus) disputed_as: String,
    /// A critical one that was located and argued by a strong member, or reported by two.
    pub(in crate::consensus) credible_critical: bool,
    /// The check whose output points to this place, or the test that shows it.
    pub(in crate::consensus) settled_by: Option<String>,
    /// Why it is so, in the words of the strongest member that says why.
    pub(in crate::consensus) evidence: Option<String>,
    /// Each member's own part in it.
    pub(super) said: Vec<Said>,
    /// What calls its place fine without a word of denial.
    pub(super) doubts: Vec<Said>,
    /// What settled it is a member's test.
    by_test: bool,
}

impl Claim {
    /// A check that fails may not stay as it is, whatever is said of it. That a test shows a fault of no weight does not
    /// make somebody who let it pass be wrong.
    pub(in crate::consensus) fn settles_the_verdict(&self) -> bool {
        self.settled_by.is_some() && (!self.by_test || self.finding.severity >= Severity::High)
    }
}

struct Part<'a> {
    ballot: &'a Ballot<'a>,
    finding: &'a Finding,
}

impl Part<'_> {
    fn said(&self) -> Said {
        Said { member: self.ballot.member.id.clone(), finding: self.finding.clone() }
    }
}

/// What the merge says of a group, before evidence.
struct Merged {
    probability: Probability,
    confirmed: bool,
}

/// Merges the findings of the ballots, which are in the order of their tiers.
pub(in crate::consensus) fn merge(ground: &Ground<'_>) -> Claims {
    let (parts, refused) = parts(ground);
    let reviewers: Vec<Reviewer<'_>> = ground.ballots.iter().map(reviewer).collect();
    let reports: Vec<Report<'_>> = parts.iter().map(|(reviewer, part)| report(*reviewer, part.finding)).collect();
    let mut merged = Vec::new();
    let mut groups = group(&reviewers, &reports, &ground.experience.findings);
    denials::to_their_place(&mut groups, &reports);
    for group in groups {
        let cluster: Vec<&Part<'_>> =
            group.parts.iter().filter_map(|at| parts.get(*at)).map(|(_, part)| part).collect();
        let merge = Merged { probability: group.probability, confirmed: group.confirmed };
        // A claim that was only ever denied is nobody's claim.
        merged.extend(claim(ground, &cluster, &merge));
    }
    merged.sort_by_key(|claim| rank(&claim.finding));
    name_disputes(&mut merged);
    Claims { merged, refused }
}

/// What is answered about a dispute is told by its name: no two have the same, nor that of a dispute about the verdict.
fn name_disputes(claims: &mut [Claim]) {
    for at in 0..claims.len() {
        let finding = &claims[at].finding;
        let of_another = |one: &Claim| one.is_disputed() && one.finding.claim == finding.claim;
        let doubled = claims.iter().enumerate().any(|(other, one)| other != at && of_another(one));
        if !doubled && !is_worded_as_vote(&finding.claim) {
            continue;
        }
        let line = finding.line.map_or(String::new(), |line| format!(":{line}"));
        let place = finding.file.as_ref().map_or_else(|| "a finding".to_owned(), |file| format!("{file}{line}"));
        let mut name = format!("{} ({place})", finding.claim);
        while claims[..at].iter().any(|one| one.disputed_as == name) {
            name.push_str(" again");
        }
        claims[at].disputed_as = name;
    }
}

fn parts<'a>(ground: &'a Ground<'a>) -> (Vec<(usize, Part<'a>)>, Vec<RefusedFinding>) {
    let mut parts = Vec::new();
    let mut refused = Vec::new();
    for (reviewer, ballot) in ground.ballots.iter().enumerate() {
        for finding in &ballot.opinion.findings {
            match refusal(&ballot.member.id, finding) {
                Some(refusal) => refused.push(refusal),
                None => parts.push((reviewer, Part { ballot, finding })),
            }
        }
    }
    (parts, refused)
}

fn reviewer<'a>(ballot: &'a Ballot<'a>) -> Reviewer<'a> {
    let member = ballot.member;
    Reviewer { member: member.id.as_str(), family: &member.family, tier: member.tier }
}

fn report(reviewer: usize, finding: &Finding) -> Report<'_> {
    Report {
        reviewer,
        file: finding.file.as_deref(),
        line: finding.line,
        claim: &finding.claim,
        holds: finding.stance == Stance::Holds,
    }
}

type Rank = (bool, Reverse<(Severity, Probability, usize)>, Option<String>, Option<u32>);

/// What is said with more support goes before what merely stands earlier in the files.
fn rank(finding: &MergedFinding) -> Rank {
    (
        finding.standing == Standing::Unconfirmed,
        Reverse((finding.severity, finding.confidence, finding.reported_by.len())),
        finding.file.clone(),
        finding.line,
    )
}

fn refusal(member: &MemberId, finding: &Finding) -> Option<RefusedFinding> {
    let (file, line) = (finding.file.clone()?, finding.line?);
    let because = match &finding.location {
        LocationCheck::NoSuchLine { lines } => format!("{file} has {lines} lines: there is no line {line}"),
        LocationCheck::NoSuchFile => format!("{} {file}", RefusedFinding::NO_FILE),
        LocationCheck::Verified | LocationCheck::QuoteNotThere | LocationCheck::EmptyLine | LocationCheck::Unknown => {
            return None;
        }
    };
    Some(RefusedFinding { member: member.clone(), because, file, line, claim: finding.claim.clone() })
}

fn claim(ground: &Ground<'_>, cluster: &[&Part<'_>], merge: &Merged) -> Option<Claim> {
    let of = |stance: Stance| cluster.iter().filter(move |part| part.finding.stance == stance).copied();
    let holding: Vec<&Part<'_>> = of(Stance::Holds).collect();
    let denying: Vec<&Part<'_>> = of(Stance::DoesNotHold).collect();
    // Ballots are sorted by tier: the first part is the strongest member's, and gives the wording and the place, unless the
    // place is a bad one and another member has a better one.
    let lead = holding.iter().find(|part| !is_misplaced(part)).or(holding.first())?;
    let severity = holding.iter().map(|part| part.finding.severity).max().unwrap_or(Severity::Medium);
    let check = settled_by(ground, &holding);
    let test = test_of(ground, &holding);
    let by_test = check.is_none();
    let settled_by = check.or_else(|| test?.settles());
    let credible_critical = credible_critical(&holding);
    let known = Known { settled_by: settled_by.as_deref(), passes: test.filter(|test| test.tested == Tested::Passes) };
    let (standing, because) = standing(&holding, &known, credible_critical, merge);
    let settled = settled_by.as_ref().map(|_| if by_test { SHOWN } else { CHECKED });
    let said: Vec<Said> = cluster.iter().map(|part| part.said()).collect();
    let finding = MergedFinding {
        file: lead.finding.file.clone(),
        line: lead.finding.line,
        severity,
        severities: said::severities(&said),
        claim: lead.finding.claim.clone(),
        reported_by: members(&holding),
        denied_by: members(&denying),
        standing,
        because,
        confidence: settled.unwrap_or_else(|| confidence(ground, &denying, known.passes.is_some(), merge)),
        evidence: grounds(&holding),
    };
    let evidence = holding.iter().find_map(|part| part.finding.evidence.clone());
    let disputed_as = finding.claim.clone();
    let doubts = said::doubts(ground, &said);
    Some(Claim { finding, disputed_as, credible_critical, settled_by, evidence, said, doubts, by_test })
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

/// The true file does not bear out what the member says stands there.
fn is_misplaced(part: &Part<'_>) -> bool {
    matches!(part.finding.location, LocationCheck::QuoteNotThere | LocationCheck::EmptyLine)
}

/// What each reporter points to, once. A quotation that is all a member gives is told as such.
fn grounds(parts: &[&Part<'_>]) -> Vec<Grounds> {
    let mut all: Vec<Grounds> = Vec::new();
    for part in parts {
        let (member, quote) = (part.ballot.member.id.clone(), part.finding.quote.clone());
        let text = part.finding.evidence.clone().filter(|text| Some(text) != quote.as_ref());
        let quote_missing = quote.is_some() && part.finding.location == LocationCheck::QuoteNotThere;
        let one = Grounds { member, text, quote, quote_missing };
        if (one.text.is_some() || one.quote.is_some()) && !all.contains(&one) {
            all.push(one);
        }
    }
    all.sort_by_key(|one| one.quote_missing);
    all
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

/// The test that was asked for of this claim, in whatever words of it.
fn test_of<'a>(ground: &'a Ground<'_>, holding: &[&Part<'_>]) -> Option<&'a Reproduction<'a>> {
    let about = |test: &&Reproduction<'_>| {
        let said =
            |part: &&Part<'_>| test.is_about(&part.finding.claim, part.finding.file.as_deref(), part.finding.line);
        !matches!(test.tested, Tested::Unknown(_)) && holding.iter().any(said)
    };
    ground.reproductions.iter().find(about)
}

fn is_at(finding: &Finding, place: &Place) -> bool {
    let (Some(file), Some(line)) = (&finding.file, finding.line) else { return false };
    let same_file =
        *file == place.file || file.ends_with(&format!("/{}", place.file)) || place.file.ends_with(&format!("/{file}"));
    same_file && line.abs_diff(place.line) <= SAME_PLACE
}

fn critical<'a>(holding: &'a [&'a Part<'a>]) -> impl Iterator<Item = &'a &'a Part<'a>> {
    holding.iter().filter(|part| part.finding.severity == Severity::Critical)
}

fn is_argued(part: &Part<'_>) -> bool {
    part.ballot.member.tier <= 3 && part.finding.location == LocationCheck::Verified && part.finding.evidence.is_some()
}

fn credible_critical(holding: &[&Part<'_>]) -> bool {
    let believable = critical(holding).filter(|part| part.finding.location != LocationCheck::QuoteNotThere);
    let reporters: BTreeSet<&MemberId> = believable.map(|part| &part.ballot.member.id).collect();
    critical(holding).any(|part| is_argued(part)) || reporters.len() >= 2
}

/// What commands say of a claim.
struct Known<'a> {
    settled_by: Option<&'a str>,
    /// A test that was to show it and passes.
    passes: Option<&'a Reproduction<'a>>,
}

/// A test that passes takes a finding of one family back, unless it is a critical one; it is told in any case.
fn standing(holding: &[&Part<'_>], known: &Known<'_>, credible_critical: bool, merge: &Merged) -> (Standing, String) {
    let (standing, because) = by_reporters(holding, known.settled_by, credible_critical, merge);
    let Some(test) = known.passes.filter(|_| known.settled_by.is_none()) else { return (standing, because) };
    let critical = holding.iter().any(|part| part.finding.severity == Severity::Critical);
    let stays = critical || families(holding) >= 2;
    let standing = if stays { standing } else { Standing::Unconfirmed };
    (standing, format!("{because}; a test by {} for it passes", test.by))
}

fn by_reporters(
    holding: &[&Part<'_>],
    settled_by: Option<&str>,
    credible_critical: bool,
    merge: &Merged,
) -> (Standing, String) {
    let quote_missing = holding.iter().all(|part| part.finding.location == LocationCheck::QuoteNotThere);
    let independent = families(holding);
    if let Some(check) = settled_by {
        (Standing::Confirmed, check.to_owned())
    } else if quote_missing {
        (Standing::Unconfirmed, "what it quotes does not stand there".into())
    } else if merge.confirmed {
        (Standing::Confirmed, reporters(independent))
    } else if credible_critical {
        let argued = critical(holding).any(|part| is_argued(part));
        (Standing::Confirmed, if argued { ARGUED } else { TWICE }.into())
    } else if independent >= 2 {
        (Standing::Unconfirmed, format!("{}, too little for this team", reporters(independent)))
    } else if holding.iter().all(|part| part.finding.location == LocationCheck::EmptyLine) {
        (Standing::Unconfirmed, "one reporter, and nothing stands on the line that it names".into())
    } else {
        (Standing::Unconfirmed, "one reporter".into())
    }
}

fn reporters(independent: usize) -> String {
    if independent == 1 {
        "one reporter, precise so far or saying little and that in detail".into()
    } else {
        format!("{independent} independent reporters")
    }
}

/// The merge's probability, less the deniers' share, one per family, and lowered by a test that passes.
fn confidence(ground: &Ground<'_>, denying: &[&Part<'_>], passes: bool, merge: &Merged) -> Probability {
    let mut seen = BTreeSet::new();
    let fresh = denying.iter().filter(|part| seen.insert(part.ballot.member.family.as_str()));
    let doubted: f64 = fresh.map(|part| 1.0 - ground.rules.precision(part.ballot.member.tier)).product();
    let chance = merge.probability.as_f64() * doubted;
    Probability::saturating(if passes { lowered(chance) } else { chance })
}
