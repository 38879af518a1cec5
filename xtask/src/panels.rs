//! The figures of choice panels: many random panels of the recorded members, half of the questions to learn from, the
//! other half to measure, everything beside the best single member of the same half.
//!
//! `panels [FIRST [COUNT [PART]]]`: with a part (0 or 1) only the half to learn from is used, itself cut in two: that
//! part of it is measured and the other learned from. Rules are chosen by that.
//!
//! The data is not in the repository: `BATON_EVAL_DATA` names the folder that has `choice.dev.jsonl`
//! (`docs/decisions.md` says where it comes from). A release build takes a minute, a debug build much longer.

use std::collections::BTreeMap;
use std::path::Path;

use baton_eval::choice::evaluate;
use baton_eval::{ChoiceCase, Recorded};

const PANELS: u64 = 200;
const SEATS: usize = 5;
const FILE: &str = "choice.dev.jsonl";

/// What one panel came to, as differences to the best single member, in points.
struct Panel {
    members: Vec<String>,
    figures: BTreeMap<&'static str, f64>,
}

pub(crate) fn measure(arguments: &[String]) -> Result<String, String> {
    let folder = std::env::var("BATON_EVAL_DATA")
        .map_err(|_| format!("BATON_EVAL_DATA must name the folder that has {FILE}; see docs/decisions.md"))?;
    let first: u64 = arguments.first().map_or(Ok(0), |seed| seed.parse()).map_err(|_| "FIRST is a number")?;
    let count: u64 = arguments.get(1).map_or(Ok(PANELS), |count| count.parse()).map_err(|_| "COUNT is a number")?;
    let cases = read(&Path::new(&folder).join(FILE))?;
    let part: Option<usize> = arguments.get(2).map(|part| part.parse()).transpose().map_err(|_| "PART is 0 or 1")?;
    let panels: Vec<Panel> = (first..first + count).map(|seed| panel(&cases, seed, part)).collect();
    Ok(table(&panels, cases.len()))
}

fn read(path: &Path) -> Result<Vec<ChoiceCase>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut recorded = Recorded::default();
    recorded.read(&text).map_err(|broken| format!("{}: {} broken lines", path.display(), broken.len()))?;
    Ok(recorded.choice)
}

fn panel(cases: &[ChoiceCase], seed: u64, part: Option<usize>) -> Panel {
    let mut chance = Chance(seed);
    let all: Vec<String> = cases[0].opinions.iter().map(|opinion| opinion.member.clone()).collect();
    let mut members = chance.shuffled(&all);
    members.truncate(SEATS);
    let seated = chance.shuffled(cases).into_iter().map(|mut case| {
        case.opinions.retain(|opinion| members.contains(&opinion.member));
        case
    });
    let mut test: Vec<ChoiceCase> = seated.collect();
    let mut training = test.split_off(cases.len() - cases.len() / 2);
    if let Some(part) = part {
        (test, training) = inside(training, part);
    }
    let (learned, _) = evaluate(&test, &training);
    let (unlabelled, _) = evaluate(&test, &[]);
    let best = learned.best_single.as_ref().map_or(0.0, |single| single.accuracy);
    let gap = |accuracy: f64| (accuracy - best) * 100.0;
    let known = |figure: Option<f64>| figure.unwrap_or(0.0);
    let odds = odds_squared(&training);
    let figures = BTreeMap::from([
        ("1 learned", gap(known(learned.accuracy))),
        ("2 accuracy odds squared", gap(voted(&test, |opinion| odds.get(&opinion.member).copied().unwrap_or(0.0)))),
        ("3 no labels", gap(known(unlabelled.accuracy))),
        ("4 weight 6 - tier", gap(voted(&test, |opinion| 6.0 - f64::from(opinion.tier)))),
        ("5 plain majority", gap(known(learned.majority))),
        ("best single", best),
        ("ece", known(learned.ece)),
        ("auroc", known(learned.auroc)),
        ("coverage", known(learned.coverage_at_90)),
    ]);
    members.sort_unstable();
    Panel { members, figures }
}

/// Every second of the cases, and the others.
fn inside(cases: Vec<ChoiceCase>, part: usize) -> (Vec<ChoiceCase>, Vec<ChoiceCase>) {
    let (own, others): (Vec<_>, Vec<_>) = (0..).zip(cases).partition(|(at, _): &(usize, _)| at % 2 == part);
    let cases = |numbered: Vec<(usize, ChoiceCase)>| numbered.into_iter().map(|(_, case)| case).collect();
    (cases(own), cases(others))
}

/// (accuracy / (1 - accuracy)) squared, on the training half.
fn odds_squared(training: &[ChoiceCase]) -> BTreeMap<String, f64> {
    let mut right: BTreeMap<String, f64> = BTreeMap::new();
    for case in training {
        for opinion in &case.opinions {
            let hit = opinion.position.is_some() && opinion.position == case.truth;
            *right.entry(opinion.member.clone()).or_default() += f64::from(u8::from(hit));
        }
    }
    let odds = |right: f64| (right / (training.len() as f64 - right).max(1.0)).powi(2);
    right.into_iter().map(|(member, right)| (member, odds(right))).collect()
}

/// The accuracy of a vote with these weights, ties to the first in the order of recording.
fn voted(test: &[ChoiceCase], weight: impl Fn(&baton_eval::ChoiceOpinion) -> f64) -> f64 {
    let right = |case: &&ChoiceCase| {
        let mut sums: Vec<(&str, f64)> = Vec::new();
        for opinion in &case.opinions {
            let Some(option) = &opinion.position else { continue };
            match sums.iter_mut().find(|(known, _)| known == option) {
                Some((_, sum)) => *sum += weight(opinion),
                None => sums.push((option, weight(opinion))),
            }
        }
        let best = sums.iter().map(|(_, sum)| *sum).fold(0.0, f64::max);
        let winner = sums.iter().find(|(_, sum)| *sum >= best - 1e-9).map(|(option, _)| *option);
        winner.is_some() && winner == case.truth.as_deref()
    };
    test.iter().filter(right).count() as f64 / test.len() as f64
}

fn table(panels: &[Panel], cases: usize) -> String {
    let mut text = format!(
        "{} panels of {SEATS}, {cases} questions, half of them to learn from; the best single member (picked on that \
         half) is right in {:.4}\npoints above it            mean  std.err   lowest  panels below\n",
        panels.len(),
        mean(panels, "best single"),
    );
    let rows = panels[0].figures.keys().filter(|name| name.starts_with(char::is_numeric));
    for name in rows {
        let gaps: Vec<f64> = panels.iter().map(|panel| panel.figures[name]).collect();
        text += &row(&name[2..], &gaps);
    }
    let paired = panels.iter().map(|panel| panel.figures["1 learned"] - panel.figures["2 accuracy odds squared"]);
    text += &row("learned, above odds squared", &paired.collect::<Vec<f64>>());
    let lowest = panels.iter().min_by(|a, b| a.figures["1 learned"].total_cmp(&b.figures["1 learned"]));
    text += &format!("the lowest panel: {}\n", lowest.map_or(String::new(), |panel| panel.members.join(", ")));
    let highest = panels.iter().map(|panel| panel.figures["ece"]).fold(0.0, f64::max);
    text += &format!(
        "confidence, mean over panels: ECE {:.4} (highest {highest:.4}), AUROC {:.4}, coverage at 90 % accuracy {:.4}",
        mean(panels, "ece"),
        mean(panels, "auroc"),
        mean(panels, "coverage"),
    );
    text
}

fn mean(panels: &[Panel], name: &str) -> f64 {
    panels.iter().map(|panel| panel.figures[name]).sum::<f64>() / panels.len() as f64
}

fn row(name: &str, gaps: &[f64]) -> String {
    let count = gaps.len() as f64;
    let mean = gaps.iter().sum::<f64>() / count;
    let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
    let lowest = gaps.iter().copied().fold(f64::INFINITY, f64::min);
    let below = gaps.iter().filter(|gap| **gap < 0.0).count();
    format!("{name:<27}{mean:>+6.2}{:>9.2}{lowest:>+9.2}{below:>14}\n", (variance / count).sqrt())
}

/// Chance from a seed: SplitMix64 (Steele, Lea and Flood 2014), the same on every machine.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn shuffled<T: Clone>(&mut self, items: &[T]) -> Vec<T> {
        let mut items = items.to_vec();
        for last in (1..items.len()).rev() {
            let other = (self.next() % (last as u64 + 1)) as usize;
            items.swap(last, other);
        }
        items
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_shuffles_the_same_way() {
        let items: Vec<u32> = (0..20).collect();
        let one = Chance(7).shuffled(&items);
        assert_eq!(one, Chance(7).shuffled(&items));
        assert_ne!(one, Chance(8).shuffled(&items));
        let mut sorted = one;
        sorted.sort_unstable();
        assert_eq!(sorted, items);
    }

    #[test]
    fn a_row_has_the_mean_its_error_and_the_lowest() {
        assert_eq!(row("x", &[1.0, 3.0]), format!("{:<27} +2.00     1.00    +1.00             0\n", "x"));
    }
}
