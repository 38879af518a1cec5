//! Small reviews with known truth.

use super::*;
use crate::{Case, read_line};

/// A review of one change: members with their claims, and which findings tell of which of two issues.
fn case(id: &str, opinions: &[(&str, &[&str])], matches: &[(&str, &str)]) -> FindingsCase {
    let opinions: Vec<_> = opinions
        .iter()
        .map(|(member, claims)| {
            let findings: Vec<_> = (1..)
                .zip(*claims)
                .map(|(at, claim)| serde_json::json!({"id": format!("{member}-{at}"), "claim": claim}))
                .collect();
            serde_json::json!({"member": member, "family": member, "tier": 3, "findings": findings})
        })
        .collect();
    let matches: BTreeMap<_, _> = matches.iter().copied().collect();
    let line = serde_json::json!({
        "id": id, "kind": "findings", "opinions": opinions,
        "truth": {"issues": [{"id": "g1"}, {"id": "g2"}], "matches": matches},
    });
    match read_line(&line.to_string()) {
        Ok(Case::Findings(case)) => case,
        other => panic!("{other:?}"),
    }
}

fn two_agree() -> FindingsCase {
    case(
        "one",
        &[
            ("a", &["The cache key uses hash() which differs between processes", "Rename this variable"]),
            ("b", &["hash() in the cache key is not stable across processes"]),
            ("c", &["The lock is never released when the write fails"]),
        ],
        &[("a-1", "g1"), ("b-1", "g1"), ("c-1", "g2")],
    )
}

fn groups(of: &[&[&str]]) -> Vec<Vec<String>> {
    of.iter().map(|group| group.iter().map(|id| (*id).to_owned()).collect()).collect()
}

#[test]
fn what_two_report_is_confirmed_and_the_rest_is_kept_apart() {
    let (figures, lines) = evaluate(&[two_agree()], &[]);
    assert_eq!(lines[0].confirmed, groups(&[&["a-1", "b-1"]]));
    assert_eq!(lines[0].unconfirmed.len(), 2);
    assert_eq!((figures.cases, figures.learned_from), (1, 0));
    assert_eq!((figures.confirmed.precision, figures.confirmed.recall), (Some(1.0), Some(0.5)));
    assert_eq!((figures.union.recall, figures.members["a"].precision), (Some(1.0), Some(0.5)));
}

#[test]
fn an_issue_claimed_twice_counts_once_and_the_majority_of_parts_claims() {
    let truth = two_agree().truth.unwrap();
    let twice = score(&groups(&[&["a-1"], &["b-1"], &["a-2"]]), &truth);
    assert_eq!(twice, Counts { right: 1, wrong: 2, missed: 1 });
    let mixed = score(&groups(&[&["a-1", "b-1", "c-1"]]), &truth);
    assert_eq!(mixed, Counts { right: 1, wrong: 0, missed: 1 });
    assert_eq!(claims(&["b-1".into(), "c-1".into()], &truth), Some("g1"), "of equals the first");
}

#[test]
fn a_case_without_truth_is_decided_and_not_scored() {
    let unknown = FindingsCase { truth: None, ..two_agree() };
    let (figures, lines) = evaluate(std::slice::from_ref(&unknown), std::slice::from_ref(&unknown));
    assert_eq!(lines[0].confirmed.len(), 1);
    assert_eq!((figures.cases, figures.without_truth, figures.learned_from), (0, 1, 0));
    assert_eq!((figures.confirmed, figures.f1_interval), (Fit::default(), None));
}

#[test]
fn order_of_members_and_findings_does_not_matter() {
    let mut turned = two_agree();
    turned.opinions.reverse();
    for opinion in &mut turned.opinions {
        opinion.findings.reverse();
    }
    let sets = |case: FindingsCase| -> BTreeSet<BTreeSet<String>> {
        let (_, lines) = evaluate(&[case], &[]);
        lines[0].confirmed.iter().map(|group| group.iter().cloned().collect()).collect()
    };
    assert_eq!(sets(two_agree()), sets(turned));
}

#[test]
fn the_interval_is_the_same_every_time_and_holds_the_figure() {
    let one = Counts { right: 3, wrong: 1, missed: 1 };
    let other = Counts { right: 1, wrong: 2, missed: 3 };
    let scores = [one, other, one, other, one];
    let [low, high] = interval(&scores);
    assert_eq!(interval(&scores).map(f64::to_bits), [low, high].map(f64::to_bits));
    let figure = scores.iter().fold(Counts::default(), |sum, one| sum.plus(*one)).fit().f1.unwrap();
    assert!(low < figure && figure < high, "{low} {figure} {high}");
    assert_eq!(interval(&[]).map(f64::to_bits), [0_u64; 2]);
}

/// A share of nothing is no zero.
#[test]
fn what_cannot_be_computed_is_not_given() {
    let silent = case("silent", &[("a", &[])], &[]);
    let (figures, lines) = evaluate(&[silent], &[]);
    assert_eq!(figures.confirmed, Fit { precision: None, recall: Some(0.0), f1: Some(0.0) });
    assert_eq!(figures.members["a"], figures.confirmed);
    assert_eq!((lines[0].confirmed.len(), lines[0].unconfirmed.len()), (0, 0));
    assert_eq!(Counts::default().fit(), Fit::default());
}

#[test]
fn an_opinion_that_is_there_twice_counts_once() {
    let mut twice = two_agree();
    let again = twice.opinions[0].clone();
    twice.opinions.push(again);
    assert_eq!(evaluate(&[twice.clone()], &[twice]), evaluate(&[two_agree()], &[two_agree()]));
}

#[test]
fn the_order_of_cases_changes_no_figure() {
    let silent =
        |id: &str| case(id, &[("a", &[]), ("b", &["The lock is never released when it fails"])], &[("b-1", "g2")]);
    let mut cases = vec![two_agree(), silent("two"), two_agree(), silent("three"), silent("four")];
    let forward = evaluate(&cases, &[]).0;
    cases.rotate_left(2);
    assert_eq!(evaluate(&cases, &[]).0, forward);
}

/// Names of members and ids of cases are labels.
#[test]
fn renamed_members_are_decided_alike() {
    let mut renamed = two_agree();
    for (opinion, name) in renamed.opinions.iter_mut().zip(["z", "y", "x"]) {
        (opinion.member, opinion.family) = (name.to_owned(), name.to_owned());
    }
    assert_eq!(evaluate(&[renamed], &[]).1, evaluate(&[two_agree()], &[]).1);
}

#[test]
fn training_moves_the_precisions() {
    let experience = learn(&[two_agree(), two_agree()]);
    assert_eq!(experience.reviews, 2);
    assert_eq!(experience.members["a"], baton_core::learning::Counts { right: 2_000_000, asked: 4_000_000 });
}
