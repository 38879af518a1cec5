//! Denials in words of their own: what is said not to hold at a line where others report a fault is about that fault.

use super::{Group, Report};

/// Lines apart at which a denial is still about a report.
const NEAR: u32 = 3;

/// Moves each denial that no report is alike enough to into the group that reports something at its place, the nearest
/// one, and of equally near ones the best supported. A denial at no such place stays where it is, and nobody who reports
/// a thing denies it.
pub(super) fn to_their_place(groups: &mut [Group], reports: &[Report<'_>]) {
    let holds = |part: &usize| reports.get(*part).is_some_and(|report| report.holds);
    let (mut taken, mut moves) = (Vec::new(), Vec::new());
    for (from, group) in groups.iter().enumerate().filter(|(_, group)| !group.parts.iter().any(holds)) {
        for part in &group.parts {
            if let Some(to) = reports.get(*part).and_then(|denial| nearest(groups, reports, denial)) {
                taken.push((from, *part));
                moves.push((to, *part));
            }
        }
    }
    for (from, part) in taken {
        groups[from].parts.retain(|own| *own != part);
    }
    for (to, part) in moves {
        groups[to].parts.push(part);
    }
    // As the merge leaves them: in the order of the ballots.
    groups.iter_mut().for_each(|group| group.parts.sort_unstable());
}

fn nearest(groups: &[Group], reports: &[Report<'_>], denial: &Report<'_>) -> Option<usize> {
    let distance = |group: &Group| {
        let held = || group.parts.iter().filter_map(|part| reports.get(*part)).filter(|report| report.holds);
        let by_others = held().all(|report| report.reviewer != denial.reviewer);
        held().filter_map(|report| apart(report, denial)).min().filter(|apart| by_others && *apart <= NEAR)
    };
    let near = groups.iter().enumerate().filter_map(|(at, group)| Some((distance(group)?, at)));
    near.min().map(|(_, at)| at)
}

/// How many lines apart; `None` where one names no line, or another file.
fn apart(one: &Report<'_>, other: &Report<'_>) -> Option<u32> {
    let same_file = one.file.is_some() && one.file == other.file;
    one.line.zip(other.line).filter(|_| same_file).map(|(a, b)| a.abs_diff(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Probability;

    fn report(reviewer: usize, line: u32, holds: bool) -> Report<'static> {
        Report { reviewer, file: Some("a.rs"), line: Some(line), claim: "c", holds }
    }

    fn group(parts: &[usize]) -> Group {
        Group { parts: parts.to_vec(), support: 0.0, probability: Probability::ZERO, confirmed: false }
    }

    fn parts(groups: &[Group]) -> Vec<&[usize]> {
        groups.iter().map(|group| group.parts.as_slice()).collect()
    }

    #[test]
    fn a_denial_goes_to_the_nearest_report_by_others() {
        let reports = [report(0, 4, true), report(1, 7, true), report(2, 6, false), report(2, 90, false)];
        let mut groups = [group(&[0]), group(&[1]), group(&[2, 3])];
        to_their_place(&mut groups, &reports);
        assert_eq!(parts(&groups), [&[0][..], &[1, 2], &[3]], "nothing is reported at line 90");
        let own = [report(0, 4, true), report(0, 4, false)];
        let mut groups = [group(&[0]), group(&[1])];
        to_their_place(&mut groups, &own);
        assert_eq!(parts(&groups), [&[0][..], &[1]], "nobody denies what it reports");
    }

    #[test]
    fn what_was_found_alike_stays_together() {
        let reports = [report(0, 4, true), report(1, 9, true), report(2, 4, false)];
        let mut groups = [group(&[0]), group(&[1, 2])];
        to_their_place(&mut groups, &reports);
        assert_eq!(parts(&groups), [&[0][..], &[1, 2]]);
    }
}
