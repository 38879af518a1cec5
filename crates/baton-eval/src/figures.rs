//! The figures that say how good decisions are. Each takes plain pairs, so that every kind of case can use it.

/// A confidence and whether the decision was right.
pub type Called = (f64, bool);

/// Bins of the expected calibration error.
const BINS: usize = 10;

/// The share that is right; zero of none.
#[must_use]
pub fn accuracy(right: impl IntoIterator<Item = bool>) -> f64 {
    let (mut hits, mut all) = (0, 0);
    for right in right {
        all += 1;
        hits += usize::from(right);
    }
    ratio(hits, all)
}

/// The chance that a right decision has a higher confidence than a wrong one, equal ones counting half (the area under
/// the receiver operating characteristic). `None` when all are right or all are wrong.
#[must_use]
pub fn auroc(called: &[Called]) -> Option<f64> {
    let mut sorted: Vec<Called> = called.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let right = sorted.iter().filter(|(_, right)| *right).count();
    let wrong = sorted.len() - right;
    if right == 0 || wrong == 0 {
        return None;
    }
    let (mut below, mut area) = (0, 0.0);
    for group in sorted.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let hits = group.iter().filter(|(_, right)| *right).count();
        let misses = group.len() - hits;
        area += count(hits) * (count(below) + count(misses) / 2.0);
        below += misses;
    }
    Some(area / (count(right) * count(wrong)))
}

/// The expected calibration error: how far confidence is from accuracy, over ten bins of equal width (Guo et al. 2017).
#[must_use]
pub fn calibration_error(called: &[Called]) -> f64 {
    let mut gaps = [0.0; BINS];
    for (confidence, right) in called {
        gaps[bin(*confidence)] += confidence - f64::from(u8::from(*right));
    }
    if called.is_empty() { 0.0 } else { gaps.iter().map(|gap: &f64| gap.abs()).sum::<f64>() / count(called.len()) }
}

fn bin(confidence: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 10")]
    let bin = (confidence.clamp(0.0, 1.0) * count(BINS)) as usize;
    bin.min(BINS - 1)
}

/// The largest share of cases that can be answered, the surest first, with at least this accuracy. Cases of equal
/// confidence are answered together.
#[must_use]
pub fn coverage(called: &[Called], at_least: f64) -> f64 {
    let mut sorted: Vec<Called> = called.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut answered, mut hits, mut covered) = (0, 0, 0);
    for group in sorted.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        answered += group.len();
        hits += group.iter().filter(|(_, right)| *right).count();
        if ratio(hits, answered) >= at_least {
            covered = answered;
        }
    }
    ratio(covered, sorted.len())
}

/// To six digits: the figures are the same on every machine.
#[must_use]
pub fn rounded(value: f64) -> f64 {
    libm::round(value * 1e6) / 1e6
}

/// A share; zero of nothing.
#[must_use]
pub fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { count(part) / count(whole) }
}

#[expect(clippy::cast_precision_loss, reason = "counts of cases")]
fn count(cases: usize) -> f64 {
    cases as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(one: f64, other: f64) {
        assert!((one - other).abs() < 1e-9, "{one} is not {other}");
    }

    #[test]
    fn accuracy_and_ratio_of_nothing_are_zero() {
        near(accuracy([true, true, false, false]), 0.5);
        near(accuracy([]), 0.0);
    }

    #[test]
    fn the_area_is_one_when_right_ones_are_surer_and_a_half_when_all_are_as_sure() {
        near(auroc(&[(0.9, true), (0.8, true), (0.1, false)]).unwrap(), 1.0);
        near(auroc(&[(0.9, false), (0.8, false), (0.1, true)]).unwrap(), 0.0);
        near(auroc(&[(0.5, true), (0.5, false), (0.5, true)]).unwrap(), 0.5);
        near(auroc(&[(0.2, false), (0.4, true), (0.6, false), (0.8, true)]).unwrap(), 0.75);
        assert_eq!(auroc(&[(0.5, true)]), None);
        assert_eq!(auroc(&[]), None);
    }

    #[test]
    fn calibration_is_measured_bin_by_bin() {
        near(calibration_error(&[(0.75, true), (0.75, true), (0.75, true), (0.75, false)]), 0.0);
        near(calibration_error(&[(0.95, false), (0.05, true)]), 0.95);
        near(calibration_error(&[(1.0, true), (0.0, false)]), 0.0);
        near(calibration_error(&[]), 0.0);
    }

    #[test]
    fn coverage_takes_the_surest_first_and_ties_together() {
        let called = [(0.9, true), (0.8, true), (0.7, false), (0.6, true)];
        near(coverage(&called, 0.9), 0.5);
        near(coverage(&called, 0.75), 1.0);
        near(coverage(&[(0.9, true), (0.9, false)], 0.9), 0.0);
        near(coverage(&[], 0.9), 0.0);
    }
}
