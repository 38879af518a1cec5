//! How alike two findings are: by place where both name one, else by their words.

use std::collections::BTreeMap;

use super::{Report, text};

/// Lines apart that may still be the same place.
pub(super) const SAME_PLACE: u32 = 5;
/// Lines apart at which place alone is enough.
const SAME_LINE: u32 = 1;
/// The likeness that near lines must have in words to be one place.
const NEAR: f64 = 0.08;
/// Claims that are taken to have been seen before, none of them with a term of this case: with it the terms of two
/// findings already weigh by how rare they are.
const SEEN_BEFORE: f64 = 4.0;
/// Terms that reviews share whatever they are about: they weigh as if that share of [`SEEN_BEFORE`] had them.
const COMMON: &[(&str, f64)] = &[
    ("call", 0.2),
    ("chang", 0.2),
    ("check", 0.3),
    ("code", 0.3),
    ("data", 0.2),
    ("error", 0.3),
    ("function", 0.3),
    ("handl", 0.2),
    ("instead", 0.2),
    ("issu", 0.2),
    ("method", 0.2),
    ("miss", 0.2),
    ("return", 0.3),
    ("type", 0.2),
    ("user", 0.2),
    ("valu", 0.3),
    ("caus", 0.4),
    ("fail", 0.2),
    ("incorrect", 0.2),
    ("potential", 0.2),
];

/// How much two findings pull together, or that they never may.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Pull {
    Never,
    /// 0 to 1.
    By(f64),
}

/// The pull between each two of the findings.
pub(super) struct Likeness {
    size: usize,
    pulls: Vec<Pull>,
}

impl Likeness {
    pub(super) fn of(reports: &[&Report<'_>]) -> Self {
        let words = cosines(reports);
        let size = reports.len();
        let mut pulls = vec![Pull::Never; size * size];
        for one in 0..size {
            for other in 0..size {
                pulls[one * size + other] = pull(reports[one], reports[other], words[one * size + other]);
            }
        }
        Self { size, pulls }
    }

    pub(super) fn between(&self, one: usize, other: usize) -> Pull {
        self.pulls[one * self.size + other]
    }

    pub(super) const fn size(&self) -> usize {
        self.size
    }
}

fn pull(one: &Report<'_>, other: &Report<'_>, words: f64) -> Pull {
    let own = one.reviewer == other.reviewer;
    let apart = matches!((one.file, other.file), (Some(a), Some(b)) if a != b);
    // Nobody contradicts itself.
    if apart || (own && one.holds != other.holds) {
        return Pull::Never;
    }
    match (one.line, other.line) {
        // One member's two places stay two findings.
        (Some(a), Some(b)) if own && a != b => Pull::Never,
        (Some(a), Some(b)) if one.file.is_some() && other.file.is_some() && a.abs_diff(b) <= SAME_LINE => Pull::By(1.0),
        (Some(a), Some(b)) if a.abs_diff(b) <= SAME_PLACE && words >= NEAR => Pull::By(0.5 + words / 2.0),
        (Some(_), Some(_)) => Pull::Never,
        (None, None) => Pull::By(words),
        // One says where and the other does not: the words alone must do twice as much.
        _ => Pull::By(words / 2.0),
    }
}

/// Cosine of the claims' terms, each weighed by its rarity among these claims and those seen before.
fn cosines(reports: &[&Report<'_>]) -> Vec<f64> {
    let vectors: Vec<BTreeMap<String, f64>> = reports.iter().map(|report| text::terms(report.claim)).collect();
    let mut found_in: BTreeMap<&str, Vec<(usize, f64)>> = BTreeMap::new();
    for (at, vector) in vectors.iter().enumerate() {
        for (term, weight) in vector {
            found_in.entry(term).or_default().push((at, *weight));
        }
    }
    let size = reports.len();
    let mut products = vec![0.0; size * size];
    for (term, places) in &found_in {
        let rarity = rarity(term, places.len(), size);
        for (at, (one, weight)) in places.iter().enumerate() {
            for (other, others) in &places[at..] {
                products[one * size + other] += weight * others * rarity * rarity;
            }
        }
    }
    let lengths: Vec<f64> = (0..size).map(|at| libm::sqrt(products[at * size + at])).collect();
    for one in 0..size {
        for other in one..size {
            let length = lengths[one] * lengths[other];
            let cosine = if length > 0.0 { (products[one * size + other] / length).min(1.0) } else { 0.0 };
            (products[one * size + other], products[other * size + one]) = (cosine, cosine);
        }
    }
    products
}

#[expect(clippy::cast_precision_loss, reason = "counts of findings in one case")]
fn rarity(term: &str, having: usize, of: usize) -> f64 {
    let common = COMMON.iter().find(|(word, _)| *word == term).map_or(0.0, |(_, share)| share * SEEN_BEFORE);
    libm::log((of as f64 + SEEN_BEFORE + 1.0) / (having as f64 + common + 1.0)) + 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(reviewer: usize, line: Option<u32>, claim: &str) -> Report<'_> {
        Report { reviewer, file: line.map(|_| "src/a.rs"), line, claim, holds: true }
    }

    fn between(one: &Report<'_>, other: &Report<'_>) -> Pull {
        Likeness::of(&[one, other]).between(0, 1)
    }

    fn strength(one: &str, other: &str) -> f64 {
        match between(&report(0, None, one), &report(1, None, other)) {
            Pull::By(strength) => strength,
            Pull::Never => -1.0,
        }
    }

    #[test]
    fn place_speaks_before_words() {
        let here = report(0, Some(10), "the shift overflows");
        assert_eq!(between(&here, &report(1, Some(11), "misleading name")), Pull::By(1.0));
        assert_eq!(between(&here, &report(1, Some(14), "misleading name")), Pull::Never);
        assert_eq!(between(&here, &report(1, Some(40), "the shift overflows")), Pull::Never);
        assert!(
            matches!(between(&here, &report(1, Some(14), "shift overflows at 64")), Pull::By(strength) if strength > 0.5)
        );
    }

    #[test]
    fn one_member_neither_merges_its_own_places_nor_contradicts_itself() {
        let here = report(0, Some(10), "the shift overflows");
        assert_eq!(between(&here, &report(0, Some(11), "the shift overflows")), Pull::Never);
        let denies = Report { holds: false, ..here.clone() };
        assert_eq!(between(&here, &denies), Pull::Never);
        assert_eq!(between(&here, &Report { reviewer: 1, ..denies }), Pull::By(1.0));
    }

    #[test]
    fn shared_identifiers_pull_more_than_shared_common_words() {
        let code = strength("`retryCount` is never reset", "the value of retryCount stays");
        let common = strength("the error value returned is odd", "check the error value");
        assert!(code > common, "{code} {common}");
        assert!((strength("same words", "same words") - 1.0).abs() < 1e-12);
        assert!(strength("lock order", "stale cache").abs() < 1e-12);
        assert!(strength("", "").abs() < 1e-12, "nothing said is alike nothing");
    }

    #[test]
    fn who_says_where_needs_more_words_from_who_does_not() {
        let one = report(0, Some(10), "the shift overflows after many retries");
        let Pull::By(half) = between(&one, &report(1, None, one.claim)) else { panic!("may merge") };
        assert!((half - 0.5).abs() < 1e-12);
    }
}
