//! How well prompts are read that were not trained on: the project's own, fold by fold, and the cases of a file, once
//! with none of them in training and once fold by fold.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use baton_core::classify::{Classification, Corrections, Model, judge};
use baton_core::task::{Hints, Kind, Task};
use serde_json::Value;

use super::prompts::{self, Prompt};
use super::{FOLDS, MODEL, train};

/// One prompt and what it was taken for by a model that had not seen it.
struct Read<'a> {
    prompt: &'a Prompt,
    seen: Classification,
}

pub(super) fn report(root: &Path, file: &Path) -> Result<String, String> {
    let own = prompts::own(root)?;
    let cases = cases(file)?;
    let mut text = String::new();
    let held_out = read(&train(&own), &cases);
    line(&mut text, "file, trained on the project's own prompts alone", &held_out);
    line(&mut text, "file, fold by fold beside the project's own", &folds(&cases, &own));
    line(&mut text, "the project's own, fold by fold", &folds(&own, &[]));
    confusions(&mut text, &held_out);
    Ok(text)
}

/// How well the committed coefficients read a file. Of use for cases that they were not trained on.
pub(super) fn score(root: &Path, file: &Path) -> Result<String, String> {
    let bytes = fs::read(root.join(MODEL)).map_err(|error| format!("{MODEL}: {error}"))?;
    let cases = cases(file)?;
    let mut text = String::new();
    let reads = read(&bytes, &cases);
    line(&mut text, "file, by the committed coefficients", &reads);
    confusions(&mut text, &reads);
    Ok(text)
}

fn folds<'a>(prompts: &'a [Prompt], always: &[Prompt]) -> Vec<Read<'a>> {
    let mut all = Vec::new();
    for fold in 0..FOLDS {
        let outside = |at: &usize| at % FOLDS == fold;
        let inside: Vec<Prompt> = (0..prompts.len())
            .filter(|at| !outside(at))
            .map(|at| prompts[at].clone())
            .chain(always.iter().cloned())
            .collect();
        let bytes = train(&inside);
        for at in (0..prompts.len()).filter(outside) {
            all.extend(read(&bytes, &prompts[at..=at]));
        }
    }
    all
}

fn read<'a>(bytes: &[u8], prompts: &'a [Prompt]) -> Vec<Read<'a>> {
    let Some(model) = Model::read(bytes) else { return Vec::new() };
    prompts
        .iter()
        .map(|prompt| {
            let task =
                Task { prompt: prompt.text.clone(), attachments: vec![], hints: Hints::default(), workspace: None };
            Read { prompt, seen: judge(&model, &task, &Corrections::default()) }
        })
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "some thousands")]
fn share(reads: &[&Read<'_>], right: impl Fn(&Read<'_>) -> bool) -> f64 {
    reads.iter().filter(|read| right(read)).count() as f64 / reads.len().max(1) as f64
}

fn line(text: &mut String, name: &str, reads: &[Read<'_>]) {
    let mut order: Vec<&Read<'_>> = reads.iter().collect();
    order.sort_by_key(|read| std::cmp::Reverse(read.seen.confidence));
    let right = |read: &Read<'_>| read.prompt.accepts(read.seen.kind);
    let unsure: Vec<&Read<'_>> = order.iter().copied().filter(|read| read.seen.unsure).collect();
    let confidence = order.iter().map(|read| read.seen.confidence.as_f64()).sum::<f64>();
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let said = confidence / order.len().max(1) as f64;
    let _ = writeln!(
        text,
        "{name}: {} prompts, kind {:.3}, surest half {:.3}, complexity {:.3}, priority {:.3}, said {said:.3}, unsure {} \
         (of these {:.3} right)",
        order.len(),
        share(&order, right),
        share(&order[..order.len().div_ceil(2)], right),
        share(&order, |read| read.seen.complexity == read.prompt.complexity),
        share(&order, |read| read.seen.priority == read.prompt.priority),
        unsure.len(),
        share(&unsure, right),
    );
}

/// Per kind: how many, how many read right, and what the others were taken for.
fn confusions(text: &mut String, reads: &[Read<'_>]) {
    for kind in Kind::ALL {
        let of: Vec<&Read<'_>> = reads.iter().filter(|read| read.prompt.kind == *kind).collect();
        let mut taken: BTreeMap<Kind, usize> = BTreeMap::new();
        for read in of.iter().filter(|read| !read.prompt.accepts(read.seen.kind)) {
            *taken.entry(read.seen.kind).or_default() += 1;
        }
        let taken: Vec<String> = taken.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        let right = of.iter().filter(|read| read.prompt.accepts(read.seen.kind)).count();
        let _ = writeln!(text, "{kind}: {right} of {}; taken for {}", of.len(), taken.join(", "));
    }
}

/// A recorded case counts as so many of the project's own prompts: it is labelled as the cases to come will be.
const CASE_WEIGHT: f64 = 3.0;

/// The task cases with truth of a file as `baton eval` reads it.
pub(super) fn cases(file: &Path) -> Result<Vec<Prompt>, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    text.lines().filter(|line| !line.trim().is_empty()).map(case).collect()
}

fn case(line: &str) -> Result<Prompt, String> {
    let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let broken = || format!("no task case with truth: {line}");
    let truth = &value["truth"];
    Ok(Prompt {
        text: value["prompt"].as_str().ok_or_else(broken)?.to_owned(),
        kind: serde_json::from_value(truth["kind"].clone()).map_err(|_| broken())?,
        others: serde_json::from_value(truth["kind_alt"].clone()).unwrap_or_default(),
        complexity: serde_json::from_value(truth["complexity"].clone()).map_err(|_| broken())?,
        priority: serde_json::from_value(truth["priority"].clone()).map_err(|_| broken())?,
        weight: CASE_WEIGHT,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_with_truth_is_read_and_one_without_is_named() {
        let line = r#"{"id":"a","kind":"task","prompt":"p","truth":{"kind":"quick_fix","kind_alt":["refactoring"],"complexity":"quick","priority":"low"}}"#;
        let prompt = case(line).unwrap();
        assert_eq!((prompt.kind, prompt.others.as_slice()), (Kind::QuickFix, [Kind::Refactoring].as_slice()));
        assert!(prompt.accepts(Kind::Refactoring) && !prompt.accepts(Kind::Documentation));
        assert!(case(r#"{"id":"a","kind":"task","prompt":"p"}"#).unwrap_err().contains("no task case"));
        assert!(case("no json").is_err());
    }

    #[test]
    fn what_was_read_wrong_is_told_by_kind() {
        let prompts = super::super::prompts::read("x", "## quick_fix\nq | zzz\n").unwrap();
        let Some(bytes) = fs::read(crate::root().join(MODEL)).ok() else { panic!("the model is committed") };
        let mut reads = read(&bytes, &prompts);
        reads[0].seen.kind = Kind::Performance;
        let mut text = String::new();
        confusions(&mut text, &reads);
        assert!(text.contains("quick_fix: 0 of 1; taken for performance 1"), "{text}");
        line(&mut text, "x", &reads);
        assert!(text.contains("x: 1 prompts, kind 0.000"), "{text}");
    }
}
