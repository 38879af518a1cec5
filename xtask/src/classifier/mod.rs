//! `cargo xtask train-classifier`: makes the coefficients of `baton_core::classify` from the prompts in
//! `crates/baton-core/training/`, the same bytes each time. `--check` only compares; `--measure FILE` trains on the
//! project's own prompts and says how well task cases of that file are read that were not trained on; `--score FILE` does
//! so with the committed coefficients as they are.

mod logistic;
mod measure;
mod prompts;

use std::fs;
use std::path::Path;

use baton_core::classify::{BUCKETS, BYTES, COMPLEXITIES, Features, KINDS, MAGIC, OUTPUTS};

use logistic::{Fit, Row};
use prompts::Prompt;

/// Parts of the training data that are held out in turn to fit the temperatures.
const FOLDS: usize = 4;

/// The penalty, as the weight of one prompt against the squared coefficients (the larger the freer).
const FREEDOM: f64 = 4.0;

/// Runs the command with the arguments after its name.
///
/// # Errors
/// What could not be read or written, or, with `--check`, that the committed bytes are others.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<String, String> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["--measure", file] => measure::report(root, Path::new(file)),
        ["--score", file] => measure::score(root, Path::new(file)),
        ["--check"] => check(root),
        [] => {
            let bytes = train(&prompts::all(root)?);
            fs::write(root.join(MODEL), &bytes).map_err(|error| format!("{MODEL}: {error}"))?;
            Ok(format!("train-classifier: wrote {} bytes to {MODEL}", bytes.len()))
        }
        _ => Err("train-classifier [--check | --measure FILE | --score FILE]".to_owned()),
    }
}

const MODEL: &str = "crates/baton-core/src/classify/model.bin";

fn check(root: &Path) -> Result<String, String> {
    let committed = fs::read(root.join(MODEL)).map_err(|error| format!("{MODEL}: {error}"))?;
    if train(&prompts::all(root)?) == committed {
        Ok(format!("train-classifier: {MODEL} is what the prompts make"))
    } else {
        Err(format!("{MODEL} is not what the prompts make: run `cargo xtask train-classifier`"))
    }
}

/// The model's bytes. Deterministic: the same prompts in the same order give the same bytes.
fn train(prompts: &[Prompt]) -> Vec<u8> {
    let rows: Vec<Vec<(u32, f64)>> = prompts.iter().map(|prompt| row(&prompt.text)).collect();
    let weights: Vec<f64> = prompts.iter().map(|prompt| prompt.weight).collect();
    let kinds = head(&rows, &prompts.iter().map(Prompt::kinds).collect::<Vec<_>>(), &weights);
    let complexities = head(&rows, &prompts.iter().map(Prompt::complexities).collect::<Vec<_>>(), &weights);
    write(&kinds, &complexities)
}

/// The features of a prompt, one entry a bucket.
fn row(text: &str) -> Vec<(u32, f64)> {
    let mut row = std::collections::BTreeMap::new();
    for item in Features::of(text).items {
        *row.entry(item.bucket).or_insert(0.0) += item.value;
    }
    row.into_iter().collect()
}

/// One fit over all rows, with the temperature at which its held-out probabilities are most likely.
struct Head {
    fit: Fit,
    temperature: f64,
}

fn head(rows: &[Vec<(u32, f64)>], targets: &[Vec<f64>], weights: &[f64]) -> Head {
    let all: Vec<Row<'_>> = (rows.iter().zip(targets).zip(weights))
        .map(|((features, target), weight)| Row { features, target, weight: *weight })
        .collect();
    let mut held_out = Vec::new();
    for fold in 0..FOLDS {
        let (inside, outside) = split(&all, fold);
        let fit = Fit::new(&inside, FREEDOM);
        held_out.extend(outside.into_iter().map(|row| (fit.scores(row.features), row.target)));
    }
    Head { fit: Fit::new(&all, FREEDOM), temperature: logistic::temperature(&held_out) }
}

/// Every row whose place is `fold` when counting round is outside.
fn split<'a>(rows: &[Row<'a>], fold: usize) -> (Vec<Row<'a>>, Vec<Row<'a>>) {
    let (outside, inside): (Vec<_>, Vec<_>) = rows.iter().copied().enumerate().partition(|(at, _)| at % FOLDS == fold);
    let rows = |part: Vec<(usize, Row<'a>)>| part.into_iter().map(|(_, row)| row).collect();
    (rows(inside), rows(outside))
}

/// Packs both fits into the bytes that `baton_core::classify::Model` reads.
fn write(kinds: &Head, complexities: &Head) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(BYTES);
    bytes.extend_from_slice(MAGIC);
    number(&mut bytes, kinds.temperature);
    number(&mut bytes, complexities.temperature);
    let outputs: Vec<(&Fit, usize)> = (0..KINDS)
        .map(|kind| (&kinds.fit, kind))
        .chain((0..COMPLEXITIES).map(|complexity| (&complexities.fit, complexity)))
        .collect();
    let scales: Vec<f64> = outputs.iter().map(|(fit, output)| fit.largest(*output) / 127.0).collect();
    for ((fit, output), scale) in outputs.iter().zip(&scales) {
        number(&mut bytes, fit.bias(*output));
        number(&mut bytes, *scale);
    }
    for bucket in 0..BUCKETS {
        for at in 0..OUTPUTS {
            let (fit, output) = outputs[at];
            let steps = if scales[at] > 0.0 { fit.weight(bucket, output) / scales[at] } else { 0.0 };
            #[expect(clippy::cast_possible_truncation, reason = "within -127 to 127 by the scale")]
            bytes.push((steps.round() as i8).cast_unsigned());
        }
    }
    bytes
}

fn number(bytes: &mut Vec<u8>, value: f64) {
    #[expect(clippy::cast_possible_truncation, reason = "the file keeps single precision")]
    bytes.extend_from_slice(&(value as f32).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_core::classify::{Corrections, Model, judge};
    use baton_core::task::{Hints, Kind, Task};

    fn prompts() -> Vec<Prompt> {
        let text = "## documentation\nq | readme for the parser\nq | guide for the parser\nq | readme and guide\n\
                    q | a guide please\n## performance\nc | the parser is slow under load\nc | why is it slow\n\
                    c | slow start of the parser\nc | load makes it slow\n";
        prompts::read("here", text).unwrap()
    }

    #[test]
    fn training_makes_the_same_model_twice_and_it_reads_its_prompts() {
        let bytes = train(&prompts());
        assert_eq!(bytes, train(&prompts()));
        let model = Model::read(&bytes).unwrap();
        for prompt in prompts() {
            let task = Task { prompt: prompt.text, attachments: vec![], hints: Hints::default(), workspace: None };
            let seen = judge(&model, &task, &Corrections::default());
            assert_eq!((seen.kind, seen.complexity), (prompt.kind, prompt.complexity), "{}", task.prompt);
        }
    }

    #[test]
    fn no_committed_prompt_stands_twice_and_every_kind_has_many() {
        let prompts = prompts::all(&crate::root()).unwrap();
        let mut texts: Vec<&str> = prompts.iter().map(|prompt| prompt.text.as_str()).collect();
        texts.sort_unstable();
        let before = texts.len();
        texts.dedup();
        assert_eq!(texts.len(), before);
        for kind in Kind::ALL {
            assert!(prompts.iter().filter(|prompt| prompt.kind == *kind).count() >= 50, "{kind}");
        }
    }
}
