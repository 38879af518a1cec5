//! Disputes on one place in the code: a finding that one member reports as grave and another looked at and let pass.

use super::language::Statement;
use super::{Answer, Dispute, Voice};
use crate::opinion::{Finding, Severity, Stance};

/// Lines apart that are still the same place.
const NEAR: u32 = 3;

pub(super) fn find(answers: &[Answer<'_>]) -> Vec<Dispute> {
    let mut disputes: Vec<Dispute> = Vec::new();
    for (at, one) in answers.iter().enumerate() {
        for other in &answers[at + 1..] {
            for dispute in between(one, other) {
                add(&mut disputes, dispute);
            }
        }
    }
    disputes.iter_mut().for_each(leave_out_both);
    disputes.retain(|dispute| !dispute.holds.is_empty() && !dispute.against.is_empty());
    disputes
}

/// Whoever judges one place in two ways stands on no side.
fn leave_out_both(dispute: &mut Dispute) {
    let names = |voices: &[Voice]| -> Vec<String> { voices.iter().map(|voice| voice.member.clone()).collect() };
    let (holds, against) = (names(&dispute.holds), names(&dispute.against));
    dispute.holds.retain(|voice| !against.contains(&voice.member));
    dispute.against.retain(|voice| !holds.contains(&voice.member));
}

fn add(disputes: &mut Vec<Dispute>, new: Dispute) {
    match disputes.iter_mut().find(|known| known.claim == new.claim) {
        Some(known) => {
            for (side, voices) in [(&mut known.holds, new.holds), (&mut known.against, new.against)] {
                side.extend(voices);
                side.sort();
                side.dedup();
            }
        }
        None => disputes.push(new),
    }
}

fn between(one: &Answer<'_>, other: &Answer<'_>) -> Vec<Dispute> {
    let mut disputes = Vec::new();
    for finding in one.view.findings {
        for answer in other.view.findings.iter().filter(|answer| same_place(finding, answer)) {
            if passes(answer) && graver(finding, answer) {
                disputes.push(dispute(finding, one, other, answer));
            } else if passes(finding) && graver(answer, finding) {
                disputes.push(dispute(answer, other, one, finding));
            }
        }
    }
    disputes
}

fn dispute(claim: &Finding, holder: &Answer<'_>, denier: &Answer<'_>, denial: &Finding) -> Dispute {
    let place = match (&claim.file, claim.line) {
        (Some(file), Some(line)) => format!("{file}:{line}: "),
        (Some(file), None) => format!("{file}: "),
        _ => String::new(),
    };
    let voice = |answer: &Answer<'_>, finding: &Finding| Voice {
        member: answer.view.member.to_owned(),
        reason: finding.claim.clone(),
    };
    Dispute {
        claim: format!("{place}{}", claim.claim),
        holds: vec![voice(holder, claim)],
        against: vec![voice(denier, denial)],
        at_a_place: true,
    }
}

fn same_place(one: &Finding, other: &Finding) -> bool {
    match (one.line, other.line) {
        (Some(a), Some(b)) => one.file.is_some() && one.file == other.file && a.abs_diff(b) <= NEAR,
        _ => false,
    }
}

/// At least two levels apart; a denial in so many words needs none.
fn graver(finding: &Finding, than: &Finding) -> bool {
    than.stance == Stance::DoesNotHold || finding.severity as i32 - than.severity as i32 >= 2
}

/// The finding says that there is nothing to do: it denies, or its words speak well of the place.
pub(super) fn passes(finding: &Finding) -> bool {
    if finding.stance == Stance::DoesNotHold {
        return true;
    }
    finding.severity == Severity::Low && super::lexicon_says(&Statement::read(&finding.claim)) > 0
}
