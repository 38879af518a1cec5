//! `cargo xtask train-conflicts`: fits the weights by which `baton_core::consensus::conflict` tells contradicting answers
//! from the cases in `crates/baton-core/training/conflicts/`, the same each time. `--check` only compares; `--measure`
//! says how well the cases of each file are told by weights from the other files, each of which has its own author.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use baton_core::consensus::conflict::{FEATURES, FULL};
use baton_core::learning::newton::{self, Example, Pull};
use baton_eval::conflict::{disputes, labelled_pairs};
use baton_eval::{Case, ConflictCase, read_line};

const CASES: &str = "crates/baton-core/training/conflicts";
const WEIGHTS: &str = "crates/baton-core/src/consensus/conflict/weights.rs";

/// The rules were written on the cases of this file, so that they look better there than they are.
const SEEN: &str = "plain";

/// How strongly a weight is drawn to 0: the inverse of its variance. The bias is as good as free.
const PENALTY: f64 = 1.0 / 0.3;
const FREE: f64 = 1e-3;

/// Runs the command with the arguments after its name.
///
/// # Errors
/// What could not be read or written, or, with `--check`, that the committed weights are others.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<String, String> {
    let files = read_files(&root.join(CASES))?;
    let path = root.join(WEIGHTS);
    match arguments.first().map(String::as_str) {
        None => {
            fs::write(&path, source(&train(files.values()))).map_err(|error| format!("{WEIGHTS}: {error}"))?;
            Ok(format!("train-conflicts: wrote {WEIGHTS}"))
        }
        Some("--check") => {
            let committed = fs::read_to_string(&path).map_err(|error| format!("{WEIGHTS}: {error}"))?;
            let same = committed == source(&train(files.values()));
            let ok = format!("train-conflicts: {WEIGHTS} is what the cases make");
            if same {
                Ok(ok)
            } else {
                Err(format!("{WEIGHTS} is not what the cases make: run `cargo xtask train-conflicts`"))
            }
        }
        Some("--measure") => Ok(measure(&files)),
        Some(_) => Err("train-conflicts [--check | --measure]".to_owned()),
    }
}

/// One labelled case: the pairs of its answers, and what is known without weights.
struct Told {
    pairs: Vec<([i32; FEATURES.len()], bool)>,
    conflict: bool,
    /// Found by rule alone: on one line of code, or between two plain answers.
    ruled: bool,
}

impl Told {
    fn of(case: &ConflictCase) -> Self {
        let pairs = labelled_pairs(case);
        let plain = pairs.iter().any(|(pair, _)| pair.plain);
        Self {
            pairs: pairs.into_iter().map(|(pair, apart)| (pair.features, apart)).collect(),
            conflict: case.truth.as_ref().is_some_and(|truth| truth.conflict),
            ruled: plain || disputes(case).iter().any(|dispute| dispute.at_a_place),
        }
    }

    fn found(&self, fit: &Fit) -> bool {
        self.ruled || self.pairs.iter().any(|(features, _)| fit.log_odds(features) > 0)
    }
}

fn read_files(folder: &Path) -> Result<BTreeMap<String, Vec<Told>>, String> {
    let said = |error: std::io::Error| format!("{CASES}: {error}");
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(said)? {
        let path = entry.map_err(said)?.path();
        let text = fs::read_to_string(&path).map_err(said)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        files.insert(name, text.lines().map(told).collect::<Result<_, _>>()?);
    }
    Ok(files)
}

fn told(line: &str) -> Result<Told, String> {
    match read_line(line) {
        Ok(Case::Conflict(case)) => Ok(Told::of(&case)),
        Ok(other) => Err(format!("{CASES}: {} is no case of a conflict", other.id())),
        Err(error) => Err(format!("{CASES}: {error}")),
    }
}

/// Bias and weights in hundredths of log-odds, as they are committed.
struct Fit {
    bias: i32,
    weights: Vec<i32>,
}

impl Fit {
    fn log_odds(&self, features: &[i32]) -> i32 {
        self.bias + features.iter().zip(&self.weights).map(|(value, weight)| value * weight).sum::<i32>() / FULL
    }
}

/// Each pair is an example; those of one case count together as the square root of their number.
fn train<'a>(files: impl Iterator<Item = &'a Vec<Told>>) -> Fit {
    let mut examples = Vec::new();
    for case in files.flatten() {
        let pairs = u32::try_from(case.pairs.len()).unwrap_or(u32::MAX);
        for (features, apart) in &case.pairs {
            examples.push(example(features, *apart, 1.0 / libm::sqrt(f64::from(pairs))));
        }
    }
    let strength = |at: usize| if at == 0 { FREE } else { PENALTY };
    let pulls: Vec<Pull> = (0..=FEATURES.len()).map(|at| Pull { centre: 0.0, strength: strength(at) }).collect();
    let fitted = newton::fit(&examples, &pulls);
    Fit { bias: hundredths(fitted[0]), weights: fitted[1..].iter().map(|weight| hundredths(*weight)).collect() }
}

/// Of two alternatives the second, which has the features, is right where the two answers contradict each other.
fn example(features: &[i32], apart: bool, weight: f64) -> Example {
    let mut row = vec![(0, 1.0)];
    let there = features.iter().enumerate().filter(|(_, value)| **value != 0);
    row.extend(there.map(|(at, value)| (at + 1, f64::from(*value) / f64::from(FULL))));
    Example { alternatives: vec![Vec::new(), row], right: usize::from(apart), weight }
}

#[expect(clippy::cast_possible_truncation, reason = "a weight is a small number")]
fn hundredths(weight: f64) -> i32 {
    libm::round(weight * 100.0) as i32
}

fn source(fit: &Fit) -> String {
    let mut text = String::from(HEAD);
    let _ = writeln!(text, "pub(super) const BIAS: i32 = {};\n", fit.bias);
    text.push_str(
        "/// What each of the features of `pairs` adds where it is there in full, in hundredths of log-odds.\n",
    );
    text.push_str("#[rustfmt::skip]\npub(super) const WEIGHTS: &[i32] = &[\n");
    for (name, weight) in FEATURES.iter().zip(&fit.weights) {
        let _ = writeln!(text, "    {weight:>4}, // {name}");
    }
    text.push_str("];\n");
    text
}

const HEAD: &str =
    "//! Made by `cargo xtask train-conflicts` from the cases in `training/conflicts`; not to be edited by hand.

/// Log-odds without any feature, in hundredths.
";

/// How often conflicts are found and invented.
#[derive(Clone, Copy, Default)]
struct Table {
    found: f64,
    invented: f64,
    missed: f64,
    quiet: f64,
}

impl Table {
    fn count(&mut self, conflict: bool, found: bool) {
        *match (conflict, found) {
            (true, true) => &mut self.found,
            (false, true) => &mut self.invented,
            (true, false) => &mut self.missed,
            (false, false) => &mut self.quiet,
        } += 1.0;
    }

    fn add(&mut self, other: Self) {
        self.found += other.found;
        self.invented += other.invented;
        self.missed += other.missed;
        self.quiet += other.quiet;
    }

    fn line(self, name: &str) -> String {
        let Self { found, invented, missed, quiet } = self;
        let spread = (found + invented) * (found + missed) * (quiet + invented) * (quiet + missed);
        format!(
            "{name:<13} {:>5} cases  precision {:.3}  recall {:.3}  F1 {:.3}  MCC {:.3}\n",
            found + invented + missed + quiet,
            found / (found + invented),
            found / (found + missed),
            2.0 * found / (2.0 * found + invented + missed),
            (found * quiet - invented * missed) / libm::sqrt(spread),
        )
    }
}

fn measure(files: &BTreeMap<String, Vec<Told>>) -> String {
    let mut text = String::new();
    let mut all = Table::default();
    for (left_out, cases) in files {
        let fit = train(files.iter().filter(|(name, _)| *name != left_out).map(|(_, cases)| cases));
        let mut table = Table::default();
        for case in cases {
            table.count(case.conflict, case.found(&fit));
        }
        text.push_str(&table.line(left_out));
        if left_out != SEEN {
            all.add(table);
        }
    }
    text + &all.line(&format!("without {SEEN}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(first: i32, apart: bool) -> Told {
        let mut features = [0; FEATURES.len()];
        features[0] = first;
        Told { pairs: vec![(features, apart)], conflict: apart, ruled: false }
    }

    #[test]
    fn what_tells_gets_the_weight_and_the_rest_none() {
        let cases: Vec<Told> = (0..20).map(|at| told(if at % 2 == 0 { FULL } else { 0 }, at % 2 == 0)).collect();
        let fit = train([&cases].into_iter());
        assert!(fit.weights[0] > 100 && fit.weights[1..].iter().all(|weight| *weight == 0), "{:?}", fit.weights);
        assert!(told(FULL, true).found(&fit) && !told(0, false).found(&fit));
    }

    #[test]
    fn the_source_has_a_weight_for_each_feature() {
        let text = source(&Fit { bias: -7, weights: vec![3; FEATURES.len()] });
        assert!(text.contains("BIAS: i32 = -7;"));
        assert_eq!(text.matches("       3, // ").count(), FEATURES.len());
    }
}
