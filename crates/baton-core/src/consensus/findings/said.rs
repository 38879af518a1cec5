//! What each member said of a merged finding: its own reason, how bad it holds it to be, and the dispute that follows.

use super::live::Claim;
use crate::consensus::conflict::lets_pass;
use crate::consensus::decision::{Conflict, Rated, Reason};
use crate::consensus::{Ballot, Ground};
use crate::ids::MemberId;
use crate::opinion::{Finding, Severity, Stance};
use crate::source::LocationCheck;
use crate::text::one_line;

/// Lines apart that are still the same place.
const NEAR: u32 = 3;
const LONGEST_REASON: usize = 300;

/// One member's part in a merged finding.
#[derive(Clone, Debug)]
pub(in crate::consensus) struct Said {
    pub(super) member: MemberId,
    pub(super) finding: Finding,
}

impl Said {
    fn holds(&self) -> bool {
        self.finding.stance == Stance::Holds
    }
}

impl Claim {
    /// Somebody denies it, or calls its place fine.
    pub(in crate::consensus) fn is_disputed(&self) -> bool {
        !self.finding.denied_by.is_empty() || !self.doubts.is_empty()
    }

    /// The one dispute about it: all who report it against all who deny it or call its place fine.
    pub(in crate::consensus) fn conflict(&self) -> Option<Conflict> {
        let mut against = self.finding.denied_by.clone();
        for doubt in &self.doubts {
            if !against.contains(&doubt.member) {
                against.push(doubt.member.clone());
            }
        }
        let mut holds = self.finding.reported_by.clone();
        holds.retain(|member| !against.contains(member));
        let both = !holds.is_empty() && !against.is_empty();
        let for_it = holds.iter().filter_map(|member| self.reported(member));
        let reasons = for_it.chain(against.iter().filter_map(|member| self.denied(member))).collect();
        let (claim, settled_by) = (self.disputed_as.clone(), self.settled_by.clone());
        both.then_some(Conflict { claim, holds, against, reasons, settled_by })
    }

    /// Why a member reports it: its evidence, else the claim in its own words.
    fn reported(&self, member: &MemberId) -> Option<Reason> {
        let own = || self.said.iter().filter(|said| said.member == *member && said.holds());
        let evidence = own().find_map(|said| said.finding.evidence.as_deref());
        evidence.or_else(|| own().map(|said| said.finding.claim.as_str()).next()).map(|text| reason(member, text))
    }

    /// Why a member denies it: its evidence, else what it says in other words than the claim that it denies.
    fn denied(&self, member: &MemberId) -> Option<Reason> {
        let denials = self.said.iter().filter(|said| !said.holds());
        let own = || denials.clone().chain(&self.doubts).filter(|said| said.member == *member);
        let of_reporters = |text: &str| {
            self.said.iter().any(|said| said.holds() && said.member != *member && said.finding.claim == text)
        };
        let evidence = own().find_map(|said| said.finding.evidence.as_deref());
        let words = || own().map(|said| said.finding.claim.as_str()).find(|text| !of_reporters(text));
        evidence.or_else(words).map(|text| reason(member, text))
    }
}

fn reason(member: &MemberId, text: &str) -> Reason {
    Reason { member: member.clone(), reason: one_line(text, LONGEST_REASON) }
}

/// How bad each reporter holds it to be, from the least; empty where all are within one level.
pub(super) fn severities(said: &[Said]) -> Vec<Rated> {
    let mut members: Vec<(&MemberId, Severity)> = Vec::new();
    for said in said.iter().filter(|said| said.holds()) {
        match members.iter_mut().find(|(member, _)| **member == said.member) {
            Some((_, worst)) => *worst = (*worst).max(said.finding.severity),
            None => members.push((&said.member, said.finding.severity)),
        }
    }
    let levels = || members.iter().map(|(_, severity)| *severity as i32);
    if levels().max().zip(levels().min()).is_none_or(|(worst, least)| worst - least < 2) {
        return Vec::new();
    }
    let by =
        |level: Severity| members.iter().filter(move |(_, own)| *own == level).map(|(member, _)| (*member).clone());
    let rated = |severity: Severity| Rated { severity, by: by(severity).collect() };
    let all = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical].map(rated);
    all.into_iter().filter(|rated| !rated.by.is_empty()).collect()
}

/// Findings of low weight that speak well of a place where another member reports something grave.
pub(super) fn doubts(ground: &Ground<'_>, said: &[Said]) -> Vec<Said> {
    let graver = |own: &MemberId, fine: &Finding| {
        said.iter().any(|said| {
            let grave = said.finding.severity as i32 - fine.severity as i32 >= 2;
            said.holds() && said.member != *own && grave && same_place(&said.finding, fine)
        })
    };
    let of = |ballot: &Ballot<'_>| {
        let own = &ballot.member.id;
        let fine = ballot.opinion.findings.iter().filter(|finding| is_praise(finding) && graver(own, finding));
        fine.map(|finding| Said { member: own.clone(), finding: finding.clone() }).collect::<Vec<_>>()
    };
    ground.ballots.iter().flat_map(of).collect()
}

fn is_praise(finding: &Finding) -> bool {
    let located = !matches!(finding.location, LocationCheck::NoSuchLine { .. });
    located && finding.stance == Stance::Holds && lets_pass(finding)
}

fn same_place(one: &Finding, other: &Finding) -> bool {
    let near = one.line.zip(other.line).is_some_and(|(a, b)| a.abs_diff(b) <= NEAR);
    near && one.file.is_some() && one.file == other.file
}
