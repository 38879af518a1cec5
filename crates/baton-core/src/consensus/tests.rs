//! Decisions of small, made-up teams.

mod behaviour;
mod claims;
mod disputes;
mod learned;
mod outcome;
mod patches;
mod quorum;
mod reproductions;
mod shape;
mod votes;

use super::*;
use crate::evidence::{CheckResult, Place};
use crate::member::tests::seat;
use crate::opinion::{Finding, Position, Reading, Severity, Stance, Verdict};
use crate::source::LocationCheck;
use crate::task::{Complexity, Kind, Priority, Question};
use crate::units::Probability;

/// A table of members with their opinions. By default one vendor is enough and the priority is normal.
struct Table {
    task: String,
    classification: Classification,
    rules: Rules,
    experience: Experience,
    team: Team,
    seats: Vec<(Member, Opinion)>,
    failures: Vec<Failure>,
    checks: Vec<(MemberId, Evidence)>,
    over_budget: Vec<MemberId>,
    rulings: Vec<Ruling>,
}

fn table() -> Table {
    Table {
        task: "Review this change".into(),
        classification: Classification {
            kind: Kind::CodeReview,
            complexity: Complexity::Standard,
            priority: Priority::Normal,
            question: Question::Findings,
            unsure: false,
            confidence: Probability::ONE,
            reasons: vec![],
        },
        rules: Rules::default(),
        experience: Experience::default(),
        team: Team { vendors_needed: 1, vendors_present: 9, ..Team::default() },
        seats: vec![],
        failures: vec![],
        checks: vec![],
        over_budget: vec![],
        rulings: vec![],
    }
}

impl Table {
    fn priority(mut self, priority: Priority) -> Self {
        self.classification.priority = priority;
        self
    }

    fn vendors(mut self, needed: u8, present: u8) -> Self {
        (self.team.vendors_needed, self.team.vendors_present) = (needed, present);
        self
    }

    /// A member of its own vendor and family.
    fn with(mut self, name: &str, tier: u8, opinion: Opinion) -> Self {
        self.seats.push((seat(name, tier), opinion));
        self
    }

    fn says(self, name: &str, tier: u8, verdict: Verdict) -> Self {
        self.with(name, tier, says(verdict, &format!("{name} thinks so")))
    }

    fn finds(self, name: &str, tier: u8, findings: &[Finding]) -> Self {
        let mut opinion = says(Verdict::Reject, "see the list");
        opinion.findings = findings.to_vec();
        self.with(name, tier, opinion)
    }

    fn chooses(self, name: &str, tier: u8, option: &str) -> Self {
        let position = Position::Choice { option: option.into() };
        self.with(name, tier, Opinion { position, ..Opinion::abstaining("") })
    }

    /// The member seated last is of this vendor and family.
    fn of(mut self, vendor: &str, family: &str) -> Self {
        let (member, _) = self.seats.last_mut().unwrap();
        (member.vendor, member.family) = (vendor.into(), family.into());
        self
    }

    fn fails(mut self, name: &str, outcome: Outcome, replaced_by: Option<&str>) -> Self {
        let replaced_by = replaced_by.map(id);
        self.failures.push(Failure { member: id(name), outcome, detail: "its own words".into(), replaced_by });
        self
    }

    fn check(mut self, name: &str, result: CheckResult, places: &[(&str, u32)]) -> Self {
        let places = places.iter().map(|(file, line)| Place { file: (*file).into(), line: *line }).collect();
        self.checks.push((
            id(name),
            Evidence { result, command: format!("run {name}"), places, summary: "1 of 2".into(), trial: None },
        ));
        self
    }

    fn decide(&self) -> Decision {
        self.decide_with(vec![])
    }

    fn decide_with(&self, trials: Vec<Tried<'_>>) -> Decision {
        self.with_ground(trials, vec![], decide)
    }

    fn decide_after(&self, reproductions: Vec<Reproduction<'_>>) -> Decision {
        self.with_ground(vec![], reproductions, decide)
    }

    fn with_ground<T>(
        &self,
        trials: Vec<Tried<'_>>,
        reproductions: Vec<Reproduction<'_>>,
        then: impl FnOnce(&Ground<'_>) -> T,
    ) -> T {
        then(&Ground {
            task: &self.task,
            classification: &self.classification,
            rules: &self.rules,
            experience: &self.experience,
            team: &self.team,
            ballots: self.seats.iter().map(|(member, opinion)| Ballot { member, opinion, answer: None }).collect(),
            failures: self.failures.clone(),
            stand_ins: vec![],
            checks: self.checks.iter().map(|(member, evidence)| CheckOutcome { member, evidence }).collect(),
            over_budget: self.over_budget.clone(),
            trials,
            reproductions,
            untested: &[],
            rulings: self.rulings.clone(),
            members: vec![],
            held: vec![],
            draft: None,
            cost: MicroUsd(12_345),
            cost_unknown: false,
            elapsed_ms: 7,
        })
    }
}

fn id(name: &str) -> MemberId {
    MemberId::parse(name).unwrap()
}

fn ids(names: &[&str]) -> Vec<MemberId> {
    names.iter().map(|name| id(name)).collect()
}

fn says(verdict: Verdict, summary: &str) -> Opinion {
    Opinion {
        position: Position::Verdict { verdict },
        summary: summary.into(),
        reading: Reading::Strict,
        ..Opinion::abstaining("")
    }
}

/// A located finding of medium severity with no evidence.
fn finding(line: u32, claim: &str) -> Finding {
    Finding {
        file: Some("src/net.rs".into()),
        line: Some(line),
        severity: Severity::Medium,
        claim: claim.into(),
        evidence: None,
        quote: None,
        stance: Stance::Holds,
        location: LocationCheck::Verified,
    }
}

fn critical(line: u32, claim: &str) -> Finding {
    Finding { severity: Severity::Critical, evidence: Some("1 << 64".into()), ..finding(line, claim) }
}

fn names(dissenters: &[Dissenter]) -> Vec<&str> {
    dissenters.iter().map(|one| one.member.as_str()).collect()
}
