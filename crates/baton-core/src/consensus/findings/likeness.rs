//! How alike two findings are: by place where both name one, else by their words.

use super::Report;
use super::terms::Terms;

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

/// The pull of two findings that are never one.
pub(super) const NEVER: f64 = f64::NEG_INFINITY;

/// How much each two of the findings pull together: 0 to 1, or [`NEVER`].
pub(super) struct Likeness {
    size: usize,
    /// A row for each finding, with those after it.
    pulls: Vec<f64>,
}

impl Likeness {
    /// Takes eight bytes for each pair of findings.
    pub(super) fn of(reports: &[&Report<'_>]) -> Self {
        let mut pulls = cosines(reports);
        let mut at = 0;
        for (one, report) in reports.iter().enumerate() {
            for other in &reports[one + 1..] {
                pulls[at] = pull(report, other, pulls[at]);
                at += 1;
            }
        }
        Self { size: reports.len(), pulls }
    }

    /// The pull between two different findings.
    pub(super) fn between(&self, one: usize, other: usize) -> f64 {
        let (one, other) = (one.min(other), one.max(other));
        self.pulls[row(one, self.size) + other - one - 1]
    }

    /// The findings after one, each with its pull.
    pub(super) fn after(&self, one: usize) -> impl Iterator<Item = (usize, f64)> {
        let begin = row(one, self.size);
        self.pulls[begin..begin + self.size - one - 1].iter().enumerate().map(move |(at, pull)| (one + 1 + at, *pull))
    }

    pub(super) const fn size(&self) -> usize {
        self.size
    }

    #[cfg(test)]
    pub(super) const fn drawn(size: usize, pulls: Vec<f64>) -> Self {
        Self { size, pulls }
    }
}

/// Where the row of a finding begins, in rows that hold those after it.
const fn row(one: usize, size: usize) -> usize {
    one * (2 * size - one - 1) / 2
}

fn pull(one: &Report<'_>, other: &Report<'_>, words: f64) -> f64 {
    // Most pairs of a long review, and they need no look at names.
    if matches!((one.line, other.line), (Some(a), Some(b)) if a.abs_diff(b) > SAME_PLACE) {
        return NEVER;
    }
    let own = one.reviewer == other.reviewer;
    let apart = matches!((one.file, other.file), (Some(a), Some(b)) if a != b);
    // Nobody contradicts itself.
    if apart || (own && one.holds != other.holds) {
        return NEVER;
    }
    match (one.line, other.line) {
        // One member's two places stay two findings.
        (Some(a), Some(b)) if own && a != b => NEVER,
        (Some(a), Some(b)) if one.file.is_some() && other.file.is_some() && a.abs_diff(b) <= SAME_LINE => 1.0,
        (Some(_), Some(_)) if words >= NEAR => 0.5 + words / 2.0,
        (Some(_), Some(_)) => NEVER,
        (None, None) => words,
        // One says where and the other does not: the words alone must do twice as much.
        _ => words / 2.0,
    }
}

/// Cosine of the claims' terms, each weighed by its rarity among these claims and those seen before: a row for each
/// claim, with those after it.
fn cosines(reports: &[&Report<'_>]) -> Vec<f64> {
    let size = reports.len();
    let terms = Terms::of(reports.iter().map(|report| report.claim));
    let common = terms.given(COMMON);
    let rarities: Vec<f64> = (0..=size).map(|having| rarity(0.0, having, size)).collect();
    let mut squares = vec![0.0; size];
    let mut products = vec![0.0; size * size.saturating_sub(1) / 2];
    for (term, places) in terms.iter() {
        let rarity = common(term).map_or(rarities[places.len()], |share| rarity(share, places.len(), size));
        for (at, one) in places.iter().enumerate() {
            squares[one.claim] += one.weight * one.weight * rarity * rarity;
            let begin = row(one.claim, size);
            for other in &places[at + 1..] {
                products[begin + other.claim - one.claim - 1] += one.weight * other.weight * rarity * rarity;
            }
        }
    }
    let lengths: Vec<f64> = squares.into_iter().map(libm::sqrt).collect();
    let mut products_left = products.iter_mut();
    for (one, length) in lengths.iter().enumerate() {
        for (other, product) in lengths[one + 1..].iter().zip(&mut products_left) {
            let length = length * other;
            *product = if length > 0.0 { (*product / length).min(1.0) } else { 0.0 };
        }
    }
    products
}

/// `common` is the share of those seen before that had the term.
#[expect(clippy::cast_precision_loss, reason = "counts of findings in one case")]
fn rarity(common: f64, having: usize, of: usize) -> f64 {
    libm::log((of as f64 + SEEN_BEFORE + 1.0) / (having as f64 + common * SEEN_BEFORE + 1.0)) + 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(reviewer: usize, line: Option<u32>, claim: &str) -> Report<'_> {
        Report { reviewer, file: line.map(|_| "src/a.rs"), line, claim, holds: true }
    }

    fn between(one: &Report<'_>, other: &Report<'_>) -> f64 {
        Likeness::of(&[one, other]).between(0, 1)
    }

    fn strength(one: &str, other: &str) -> f64 {
        between(&report(0, None, one), &report(1, None, other))
    }

    fn is_never(pull: f64) -> bool {
        pull <= NEVER
    }

    fn is_sure(pull: f64) -> bool {
        (pull - 1.0).abs() < 1e-12
    }

    #[test]
    fn place_speaks_before_words() {
        let here = report(0, Some(10), "the shift overflows");
        assert!(is_sure(between(&here, &report(1, Some(11), "misleading name"))));
        assert!(is_never(between(&here, &report(1, Some(14), "misleading name"))));
        assert!(is_never(between(&here, &report(1, Some(40), "the shift overflows"))));
        assert!(between(&here, &report(1, Some(14), "shift overflows at 64")) > 0.5);
    }

    #[test]
    fn one_member_neither_merges_its_own_places_nor_contradicts_itself() {
        let here = report(0, Some(10), "the shift overflows");
        assert!(is_never(between(&here, &report(0, Some(11), "the shift overflows"))));
        let denies = Report { holds: false, ..here.clone() };
        assert!(is_never(between(&here, &denies)));
        assert!(is_sure(between(&here, &Report { reviewer: 1, ..denies })));
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
        let half = between(&one, &report(1, None, one.claim));
        assert!((half - 0.5).abs() < 1e-12);
    }

    #[test]
    fn each_pair_has_its_place_in_the_rows() {
        let claims = ["stale cache", "lock order", "stale lock", "the cache", "", "order of locks"];
        let reports: Vec<Report<'_>> = claims.iter().enumerate().map(|(at, claim)| report(at, None, claim)).collect();
        let reports: Vec<&Report<'_>> = reports.iter().collect();
        let likeness = Likeness::of(&reports);
        for one in 0..reports.len() {
            let row: Vec<(usize, f64)> = likeness.after(one).collect();
            assert_eq!(row.len(), reports.len() - one - 1);
            for (other, pull) in row {
                let alike = claims[one].split(' ').any(|word| claims[other].contains(word) && !word.is_empty());
                assert_eq!(alike, pull > 0.0, "{one} {other}");
                assert_eq!(pull.to_bits(), likeness.between(other, one).to_bits());
            }
        }
    }
}
