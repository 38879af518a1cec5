//! How well conflicts are found: are there incompatible positions, and who stands on which side.

use std::collections::BTreeSet;

use baton_core::consensus::conflict::{self, Dispute, Pair, View, Voice};
use baton_core::opinion::{self, Opinion};
use baton_core::source::Sources;
use baton_core::task::Question;
use serde::Serialize;

use crate::case::{ConflictCase, ConflictTruth, Sides};
use crate::parallel;

/// Figures over the cases with a truth; a share of nothing is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConflictFigures {
    pub cases: usize,
    /// Decided, and without a known truth.
    pub without_truth: usize,
    /// How many of them are conflicts.
    pub conflicts: usize,
    pub precision: Option<f64>,
    pub recall: Option<f64>,
    pub f1: Option<f64>,
    /// Matthews correlation; 0 where a row or column of the table is empty.
    pub mcc: Option<f64>,
    /// The share of disputed claims for which a dispute with exactly the same two groups of members was found, either
    /// of which may be called "for".
    pub sides: Option<f64>,
    /// The same, where "for" must be the side that the truth calls so.
    pub sides_in_order: Option<f64>,
}

/// What was found in one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConflictLine {
    pub id: String,
    pub conflict: bool,
    pub disputed: Vec<String>,
}

/// Finds the conflicts of each case with the function of a live run. Nothing is learned from `_training`.
#[must_use]
pub fn evaluate(cases: &[ConflictCase], _training: &[ConflictCase]) -> (ConflictFigures, Vec<ConflictLine>) {
    let mut table = Table::default();
    let mut lines = Vec::with_capacity(cases.len());
    for (case, disputes) in cases.iter().zip(parallel::map(cases, disputes)) {
        if let Some(truth) = &case.truth {
            table.count(truth, &disputes);
        }
        lines.push(ConflictLine {
            id: case.id.clone(),
            conflict: !disputes.is_empty(),
            disputed: disputes.into_iter().map(|dispute| dispute.claim).collect(),
        });
    }
    let mut figures = table.figures();
    figures.without_truth = cases.len() - figures.cases;
    (figures, lines)
}

/// The disputes that a live run would find in a case.
#[must_use]
pub fn disputes(case: &ConflictCase) -> Vec<Dispute> {
    let opinions = opinions(case);
    conflict::find(&case.task, &views(&opinions))
}

/// Each pair of answers of a case with what it shows, and whether its truth puts the two on different sides.
#[must_use]
pub fn labelled_pairs(case: &ConflictCase) -> Vec<(Pair, bool)> {
    let opinions = opinions(case);
    let apart = |pair: &Pair| {
        let sides = || case.truth.iter().flat_map(|truth| truth.sides.values());
        let opposed = |one: &String, other: &String| {
            sides().any(|sides| sides.holds.contains(one) && sides.against.contains(other))
        };
        opposed(&pair.one, &pair.other) || opposed(&pair.other, &pair.one)
    };
    let pairs = conflict::pairs(&case.task, &views(&opinions));
    pairs.into_iter().map(|pair| (pair.clone(), apart(&pair))).collect()
}

/// The answers are read as a live run reads answers to a question for a text: positions come from what is written.
fn opinions(case: &ConflictCase) -> Vec<(&str, Opinion)> {
    let read = |text: &str| opinion::read(text, &Question::Text, &Sources::default());
    case.opinions.iter().map(|said| (said.member.as_str(), read(&said.text))).collect()
}

fn views<'a>(opinions: &'a [(&'a str, Opinion)]) -> Vec<View<'a>> {
    opinions.iter().map(|(member, opinion)| View::of(member, opinion)).collect()
}

#[derive(Clone, Copy, Debug, Default)]
struct Table {
    found: usize,
    invented: usize,
    missed: usize,
    quiet: usize,
    claims: usize,
    sides: usize,
    in_order: usize,
}

impl Table {
    fn count(&mut self, truth: &ConflictTruth, disputes: &[Dispute]) {
        match (truth.conflict, !disputes.is_empty()) {
            (true, true) => self.found += 1,
            (false, true) => self.invented += 1,
            (true, false) => self.missed += 1,
            (false, false) => self.quiet += 1,
        }
        for sides in truth.sides.values() {
            self.claims += 1;
            self.in_order += usize::from(disputes.iter().any(|dispute| is(sides, &dispute.holds, &dispute.against)));
            let either = |dispute: &Dispute| {
                is(sides, &dispute.holds, &dispute.against) || is(sides, &dispute.against, &dispute.holds)
            };
            self.sides += usize::from(disputes.iter().any(either));
        }
    }

    fn figures(self) -> ConflictFigures {
        let [found, invented, missed, quiet] = [self.found, self.invented, self.missed, self.quiet].map(float);
        let spread = (found + invented) * (found + missed) * (quiet + invented) * (quiet + missed);
        let any = found + invented + missed + quiet > 0.0;
        let mcc = if spread > 0.0 { (found * quiet - invented * missed) / libm::sqrt(spread) } else { 0.0 };
        ConflictFigures {
            cases: self.found + self.invented + self.missed + self.quiet,
            without_truth: 0,
            conflicts: self.found + self.missed,
            precision: share(found, found + invented),
            recall: share(found, found + missed),
            f1: share(2.0 * found, 2.0 * found + invented + missed),
            mcc: any.then_some(mcc),
            sides: share(float(self.sides), float(self.claims)),
            sides_in_order: share(float(self.in_order), float(self.claims)),
        }
    }
}

fn is(sides: &Sides, holds: &[Voice], against: &[Voice]) -> bool {
    let said = |voices: &[Voice]| -> BTreeSet<String> { voices.iter().map(|voice| voice.member.clone()).collect() };
    let true_side = |members: &[String]| -> BTreeSet<String> { members.iter().cloned().collect() };
    said(holds) == true_side(&sides.holds) && said(against) == true_side(&sides.against)
}

fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

#[expect(clippy::cast_precision_loss, reason = "counts of cases")]
fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{Case, read_line};

    fn case(line: &str) -> ConflictCase {
        let Case::Conflict(case) = read_line(line).unwrap() else { panic!("{line}") };
        case
    }

    fn asked(id: &str, said: [&str; 2], truth: &str) -> ConflictCase {
        let opinion = |member: &str, text: &str| format!("{{\"member\":\"{member}\",\"tier\":2,\"text\":\"{text}\"}}");
        case(&format!(
            "{{\"id\":\"{id}\",\"kind\":\"conflict\",\"task\":\"Is the cache safe?\",\"opinions\":[{},{}]{truth}}}",
            opinion("alder", said[0]),
            opinion("birch", said[1]),
        ))
    }

    const TRUE: &str = ",\"truth\":{\"conflict\":true,\"disputed\":[\"safe\"],\"sides\":{\"safe\":{\"for\":[\"alder\"],\"against\":[\"birch\"]}}}";
    const NOT: &str = ",\"truth\":{\"conflict\":false}";

    #[test]
    fn the_figures_count_cases_and_sides() {
        let cases = [
            asked("one", ["Yes.", "No, it leaks."], TRUE),
            asked("two", ["Yes.", "It is safe."], NOT),
            asked("three", ["Yes.", "It was written last year."], TRUE),
            asked("four", ["No.", "Yes."], ""),
        ];
        let (figures, lines) = evaluate(&cases, &[]);
        assert_eq!((figures.cases, figures.without_truth, figures.conflicts), (3, 1, 2));
        assert_eq!((figures.precision, figures.recall, figures.sides), (Some(1.0), Some(0.5), Some(0.5)));
        assert_eq!(figures.f1, Some(2.0 / 3.0));
        assert_eq!(figures.mcc, Some(0.5));
        let said: Vec<(&str, bool)> = lines.iter().map(|line| (line.id.as_str(), line.conflict)).collect();
        assert_eq!(said, [("one", true), ("two", false), ("three", false), ("four", true)]);
        assert_eq!(lines[0].disputed, ["the cache safe"]);
    }

    #[test]
    fn the_side_that_is_for_is_told_apart() {
        let turned = asked("turned", ["No.", "Yes."], TRUE);
        let (figures, _) = evaluate(&[turned], &[]);
        assert_eq!((figures.sides, figures.sides_in_order), (Some(1.0), Some(0.0)));
    }

    #[test]
    fn nothing_gives_no_figures() {
        let (figures, lines) = evaluate(&[], &[]);
        assert_eq!((figures, lines), (ConflictFigures::default(), vec![]));
    }
}
