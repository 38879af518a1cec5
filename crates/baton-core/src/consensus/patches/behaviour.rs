//! Patches that all hold and yet do different things: what the user's probes show with each is compared.
//!
//! The first patch is held against the others that apply and fail no check. A difference is a conflict about the probe's
//! words, which names no member: what is asked about it later stays without names. That the same is shown joins nothing
//! and lifts nothing, since a probe shows a part of what a program does; it is said.

use super::super::decision::{Conflict, Reason};
use super::super::settle::{Settled, Side};
use super::{Candidate, Ranked, authors};
use crate::evidence::{Probe, Shown};
use crate::ids::MemberId;
use crate::text::one_line;

/// So much of a line is told.
const LONGEST_LINE: usize = 60;

/// Two behaviours, each with the places of the patches that show it.
pub(super) struct Difference {
    claim: String,
    holds: Vec<usize>,
    against: Vec<usize>,
    reasons: [String; 2],
}

impl Ranked<'_> {
    /// The conflict that the probes show, if they do.
    pub(in crate::consensus) fn conflict(&self) -> Option<Conflict> {
        let difference = self.difference.as_ref()?;
        let members = |places: &[usize]| -> Vec<MemberId> {
            places.iter().flat_map(|at| &self.candidates[*at].by).map(|ballot| ballot.member.id.clone()).collect()
        };
        let (holds, against) = (members(&difference.holds), members(&difference.against));
        let firsts = [holds.first(), against.first()].into_iter().flatten();
        let reasons = firsts.zip(&difference.reasons);
        let reasons = reasons.map(|(member, reason)| Reason { member: member.clone(), reason: reason.clone() });
        let reasons = reasons.collect();
        Some(Conflict { claim: difference.claim.clone(), holds, against, reasons, settled_by: None })
    }

    /// Where the dispute went against the first patch, the first of the other side takes its place.
    pub(in crate::consensus) fn settle(&mut self, settled: &[Settled]) {
        let Some(difference) = &self.difference else { return };
        let Some(end) = settled.iter().find(|end| end.claim == difference.claim) else { return };
        if end.side == Side::Against
            && let Some(winner) = difference.against.first().copied()
        {
            for loser in &difference.holds {
                self.candidates[*loser].overruled = true;
            }
            self.candidates[..=winner].rotate_right(1);
        }
        // The places are no longer what they were.
        self.difference = None;
    }
}

/// What the first patch and the others that hold show, where they do not all show the same.
pub(super) fn difference(candidates: &[Candidate<'_>]) -> Option<Difference> {
    let first = candidates.first().filter(|first| stands(first))?;
    probes(first).find_map(|probe| {
        let own = probe.shown()?;
        let shown = |at: &usize| stands(&candidates[*at]).then(|| of(&candidates[*at], &probe.probe)).flatten();
        let other = (1..candidates.len()).find_map(|at| shown(&at).filter(|other| !own.is_same(other)))?;
        let like = |wanted: &Shown| -> Vec<usize> {
            (0..candidates.len()).filter(|at| shown(at).is_some_and(|one| one.is_same(wanted))).collect()
        };
        let (claim, reasons) = words(probe, own, other);
        Some(Difference { claim, holds: like(own), against: like(other), reasons })
    })
}

/// What the probes say of the patches that hold, one line each, in words.
pub(super) fn said(candidates: &[Candidate<'_>]) -> Vec<String> {
    let Some(first) = candidates.first().filter(|first| stands(first)) else { return Vec::new() };
    let line = |probe: &Probe| {
        let Some(own) = probe.shown() else {
            return Some(format!("the probe {} says nothing: {}", probe.probe, probe.because().unwrap_or_default()));
        };
        let others = candidates[1..].iter().filter(|other| stands(other));
        let (same, other): (Vec<_>, Vec<_>) = others
            .filter_map(|other| Some((other, of(other, &probe.probe)?)))
            .partition(|(_, shown)| own.is_same(shown));
        let names = |list: &[(&Candidate<'_>, &Shown)]| {
            list.iter().map(|(candidate, _)| authors(candidate)).collect::<Vec<_>>().join(" and of ")
        };
        match (same.is_empty(), other.is_empty()) {
            (true, true) => None,
            (_, false) => Some(format!(
                "the probe {} tells the patch of {} from that of {}",
                probe.probe,
                authors(first),
                names(&other)
            )),
            (false, true) => Some(format!(
                "the probe {} shows the same with the patch of {} and of {}",
                probe.probe,
                authors(first),
                names(&same)
            )),
        }
    };
    probes(first).filter_map(line).collect()
}

fn stands(candidate: &Candidate<'_>) -> bool {
    candidate.fit() == 0 && candidate.failed().is_none()
}

fn probes<'a>(candidate: &Candidate<'a>) -> impl Iterator<Item = &'a Probe> {
    candidate.tried.and_then(|tried| tried.trial()).into_iter().flat_map(|trial| &trial.probes)
}

fn of<'a>(candidate: &Candidate<'a>, probe: &MemberId) -> Option<&'a Shown> {
    probes(candidate).find(|own| own.probe == *probe).and_then(Probe::shown)
}

/// The claim, and what either side shows in place of it.
fn words(probe: &Probe, own: &Shown, other: &Shown) -> (String, [String; 2]) {
    let name = &probe.probe;
    let line = |text: Option<&str>| {
        text.map_or("nothing more".to_owned(), |text| format!("`{}`", one_line(text, LONGEST_LINE)))
    };
    if let Some((number, one, another)) = own.first_difference(other) {
        let (one, another) = (line(one), line(another));
        let claim = format!("line {number} of what the probe {name} prints should be {one}, not {another}");
        let reason = |shown: &str| format!("with its patch line {number} of {name} is {shown}");
        return (claim, [reason(&one), reason(&another)]);
    }
    if own.code != other.code {
        let claim = format!("the probe {name} should end with exit code {}, not {}", own.code, other.code);
        let reason = |shown: &Shown| format!("with its patch {name} ends with {}", shown.code);
        return (claim, [reason(own), reason(other)]);
    }
    let claim = format!("what the probe {name} prints after its first {} bytes should stay as it is", own.output.len());
    (claim, [&own.whole, &other.whole].map(|hash| format!("with its patch the output of {name} has the hash {hash}")))
}
