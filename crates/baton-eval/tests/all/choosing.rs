//! Choices: what is decided, what is counted and what is printed.

use baton_eval::choice::{Picked, evaluate};
use baton_eval::{ChoiceCase, ChoiceOpinion, Recorded, Report};

/// A question on which `good` says what is right, `bad` and `worse` agree on something else, `mute` says nothing.
fn line(index: usize, truth: bool) -> String {
    let (right, wrong) = if index.is_multiple_of(2) { ("A", "B") } else { ("B", "A") };
    let (good, bad) = if index % 10 == 9 { (wrong, right) } else { (right, wrong) };
    let opinion = |member: &str, tier: u8, position: &str| {
        format!(r#"{{"member":"{member}","family":"{member}","tier":{tier},"position":{position}}}"#)
    };
    let opinions = [
        opinion("bad", 2, &format!("\"{bad}\"")),
        opinion("good", 3, &format!("\"{good}\"")),
        opinion("mute", 1, "null"),
        opinion("worse", 3, &format!("\"{bad}\"")),
    ];
    let truth = if truth { format!(r#","truth":"{right}""#) } else { String::new() };
    format!(
        r#"{{"id":"q{index}","kind":"choice","category":"math","options":["A","B","C"],"opinions":[{}]{truth}}}"#,
        opinions.join(",")
    )
}

fn recorded(lines: &[String]) -> Recorded {
    let mut recorded = Recorded::default();
    recorded.read(&lines.join("\n")).unwrap();
    recorded
}

fn cases(count: usize) -> Vec<ChoiceCase> {
    recorded(&(0..count).map(|index| line(index, true)).collect::<Vec<_>>()).choice
}

#[test]
fn a_member_with_a_record_is_believed_against_two_without() {
    let (figures, lines) = evaluate(&cases(20), &cases(200));
    assert_eq!((figures.cases, figures.training, figures.without_truth), (20, 200, 0));
    assert_eq!((figures.accuracy, figures.majority), (Some(0.9), Some(0.1)), "{figures:?}");
    let single = figures.best_single.unwrap();
    assert_eq!(single.picked_by, Picked::Training);
    assert_eq!((&*single.member, figures.confidence.source, figures.confidence.over), ("good", "learned", 200));
    assert!((figures.members["mute"] - 0.0).abs() < 1e-9, "an abstention is not right");
    assert!(figures.ece < Some(0.1) && figures.texts.is_none());
    assert_eq!((&*lines[0].id, lines[0].answer.as_deref()), ("q0", Some("A")));
    assert!(lines[0].confidence > 0.7);
}

#[test]
fn without_training_the_tier_speaks_and_the_best_single_is_the_strongest_seat() {
    let (figures, _) = evaluate(&cases(20), &[]);
    assert_eq!((figures.training, figures.confidence.source), (0, "prior"));
    let single = figures.best_single.unwrap();
    assert_eq!((&*single.member, single.picked_by), ("mute", Picked::Tier));
    assert_eq!(figures.accuracy, Some(0.1), "`bad` is of tier 2");
}

#[test]
fn a_case_without_truth_is_decided_and_not_scored() {
    let (figures, lines) = evaluate(&recorded(&[line(0, true), line(1, false)]).choice, &[]);
    assert_eq!((figures.cases, figures.without_truth, lines.len()), (1, 1, 2));
    assert!(lines[1].answer.is_some());
}

#[test]
fn the_order_of_cases_and_training_changes_nothing() {
    let (test, training) = (cases(20), cases(150));
    let (forward, mut lines) = evaluate(&test, &training);
    let turned = |cases: &[ChoiceCase]| {
        let mut cases = cases.to_vec();
        cases.reverse();
        cases.iter_mut().for_each(|case| case.opinions.rotate_left(1));
        cases
    };
    let (backward, mut again) = evaluate(&turned(&test), &turned(&training));
    lines.sort_by(|a, b| a.id.cmp(&b.id));
    again.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!((backward, again), (forward, lines));
}

#[test]
fn odd_cases_are_decided_too() {
    let text = r#"{"id":"none","kind":"choice","options":["A"],"opinions":[],"truth":"A"}
        {"id":"out","kind":"choice","options":["A","B"],"opinions":[{"member":"m","tier":1,"position":"Z"}],"truth":"B"}
        {"id":"twice","kind":"choice","options":["A","B"],"opinions":[{"member":"m","tier":1,"position":"A"},
            {"member":"m","tier":1,"position":"B"}],"truth":"B"}"#;
    let mut recorded = Recorded::default();
    recorded.read(&text.replace(",\n", ",")).unwrap();
    let (figures, lines) = evaluate(&recorded.choice, &recorded.choice);
    assert_eq!(figures.cases, 3);
    assert!(lines.iter().all(|line| line.answer.is_none() && line.confidence == 0.0), "{lines:?}");
    assert_eq!((figures.auroc, figures.accuracy, figures.unanswered), (None, Some(0.0), 3));
}

#[test]
fn a_position_is_read_from_the_text_where_there_is_one() {
    let text = r#"{"id":"t","kind":"choice","options":["A","B"],"opinions":[
        {"member":"m","tier":1,"position":"B","text":"So the answer is (B)."},
        {"member":"n","tier":5,"position":"A","text":"Hard to say."}],"truth":"B"}"#;
    let (figures, lines) = evaluate(&recorded(&[text.replace('\n', "")]).choice, &[]);
    assert_eq!(lines[0].answer.as_deref(), Some("B"));
    let texts = figures.texts.unwrap();
    assert_eq!((texts.read, texts.as_recorded), (2, 0.5));
}

#[test]
fn the_report_has_one_line_a_case_and_the_names_that_programs_rely_on() {
    let cases = recorded(&[line(0, true), line(1, true), line(9, true)]);
    let report = Report::of(&cases, &Recorded::default());
    let value = serde_json::to_value(&report).unwrap();
    assert_eq!(value["schema"], "baton.eval/1");
    for name in [
        "cases",
        "accuracy",
        "majority",
        "auroc",
        "ece",
        "coverageAt90",
        "bestSingle",
        "training",
        "members",
        "unanswered",
    ] {
        assert!(value["choice"].get(name).is_some(), "{name}: {value}");
    }
    let lines = report.lines.json().unwrap();
    assert_eq!(lines.lines().count(), 3);
    assert!(lines.starts_with(r#"{"id":"q0","answer":""#), "{lines}");
    let table = report.table();
    assert!(table.contains("plain majority") && table.contains("best single (mute)"), "{table}");
    assert_eq!(value["choice"]["bestSingle"]["pickedBy"], "tier");
}

/// Nothing is a zero that was not measured.
#[test]
fn without_any_truth_there_are_decisions_and_no_figures() {
    let (figures, lines) = evaluate(&recorded(&[line(0, false), line(1, false)]).choice, &cases(3));
    assert_eq!((figures.cases, figures.without_truth, lines.len()), (0, 2, 2));
    assert_eq!((figures.accuracy, figures.majority, figures.ece, figures.coverage_at_90), (None, None, None, None));
    assert!(figures.best_single.is_none() && figures.auroc.is_none() && figures.members.is_empty());
}

#[test]
fn the_best_single_member_has_its_strongest_tier_in_whatever_order_the_cases_come() {
    let case = |id: &str, tier: u8| {
        format!(
            r#"{{"id":"{id}","kind":"choice","options":["A","B"],"opinions":[{{"member":"m","tier":{tier},"position":"A"}},{{"member":"n","tier":2,"position":"B"}}],"truth":"B"}}"#
        )
    };
    for tiers in [[1, 3], [3, 1]] {
        let cases = recorded(&[case("one", tiers[0]), case("two", tiers[1])]).choice;
        assert_eq!(evaluate(&cases, &[]).0.best_single.unwrap().member, "m");
    }
}

#[test]
fn an_option_is_named_in_upper_or_lower_case_and_its_own_spelling_comes_first() {
    let case = |position: &str| {
        let text = format!(
            r#"{{"id":"x","kind":"choice","options":["Red","red","Größe"],"opinions":[{{"member":"m","tier":1,"position":"{position}"}}]}}"#
        );
        evaluate(&recorded(&[text]).choice, &[]).1[0].answer.clone()
    };
    let named = ["red", "Red", " RED ", "größe", "Gr"].map(case);
    assert_eq!(named.each_ref().map(Option::as_deref), [Some("red"), Some("Red"), Some("Red"), Some("Größe"), None]);
}

/// As a live run reads it.
#[test]
fn a_position_is_read_from_the_trailer_of_a_text() {
    let text = r#"{"id":"t","kind":"choice","options":["A","B"],"opinions":[{"member":"m","tier":1,
        "text":"Not A, I think.\n```json\n{\"choice\": \"B\", \"confidence\": 0.8}\n```"}]}"#;
    let (_, lines) = evaluate(&recorded(&[text.replace("\n        ", "")]).choice, &[]);
    assert_eq!(lines[0].answer.as_deref(), Some("B"));
}

/// A repeated opinion and a seat that says nothing are no votes; a name is a label.
#[test]
fn repeated_opinions_silent_members_and_names_change_no_answer() {
    let (test, training) = (cases(20), cases(150));
    let answers = |test: &[ChoiceCase], training: &[ChoiceCase]| -> Vec<Option<String>> {
        evaluate(test, training).1.into_iter().map(|line| line.answer).collect()
    };
    let changed = |cases: &[ChoiceCase], change: &dyn Fn(&mut ChoiceCase)| {
        let mut cases = cases.to_vec();
        cases.iter_mut().for_each(change);
        cases
    };
    let repeat = |case: &mut ChoiceCase| case.opinions.extend_from_within(1..3);
    let silent = |case: &mut ChoiceCase| {
        case.opinions.extend([ChoiceOpinion { member: "late".into(), position: None, ..case.opinions[0].clone() }]);
    };
    let rename = |case: &mut ChoiceCase| {
        for opinion in &mut case.opinions {
            (opinion.member, opinion.family) = (format!("z-{}", opinion.member), format!("z-{}", opinion.family));
        }
    };
    for learned in [&training[..], &[]] {
        let plain = answers(&test, learned);
        for change in [&repeat as &dyn Fn(&mut ChoiceCase), &silent, &rename] {
            assert_eq!(answers(&changed(&test, change), &changed(learned, change)), plain);
        }
    }
}

#[test]
fn only_the_members_asked_for_are_kept() {
    let mut cases = recorded(&[line(0, true)]);
    assert_eq!(cases.members().into_iter().collect::<Vec<_>>(), ["bad", "good", "mute", "worse"]);
    cases.keep(&["good".to_owned(), "mute".to_owned()]);
    assert_eq!(cases.members().len(), 2);
}

#[test]
fn broken_lines_are_told_by_number_and_the_others_are_read() {
    let mut recorded = Recorded::default();
    let bad_tier = line(1, true).replace("\"tier\":3", "\"tier\":7");
    let bad_truth = line(2, true).replace("\"truth\":\"A\"", "\"truth\":\"Z\"");
    let text = [line(0, true), String::new(), "{".to_owned(), bad_tier, bad_truth].join("\n");
    let broken = recorded.read(&text).unwrap_err();
    assert_eq!(broken.iter().map(|line| line.line).collect::<Vec<_>>(), [3, 4, 5]);
    assert!(broken[1].because.contains("tiers are 1 to 5") && broken[2].because.contains("none of the options"));
    assert_eq!(recorded.choice.len(), 1);
}
