//! Average-link clustering: the two groups whose members are most alike on average join, until none are alike enough.

use super::likeness::{Likeness, Pull};

/// Groups of positions, each sorted, in the order of their first. `enough` is the least average likeness to join.
///
/// Two groups never join when any two of their members never may. Of equally alike groups those that come first join
/// first, so the result depends on the order given and on nothing else.
pub(super) fn cluster(likeness: &Likeness, enough: f64) -> Vec<Vec<usize>> {
    let mut forest = Forest::new(likeness);
    while let Some((one, other)) = forest.closest(enough) {
        forest.join(one, other);
    }
    let mut groups: Vec<Vec<usize>> = forest.groups.into_iter().flatten().collect();
    for group in &mut groups {
        group.sort_unstable();
    }
    groups
}

struct Forest {
    groups: Vec<Option<Vec<usize>>>,
    /// Sum of the likeness of all pairs between two groups; minus infinity where they never may join.
    sums: Vec<f64>,
    /// The best later partner of each group and the average likeness to it.
    best: Vec<(f64, usize)>,
    size: usize,
}

impl Forest {
    fn new(likeness: &Likeness) -> Self {
        let size = likeness.size();
        let strength = |at: usize| match likeness.between(at / size, at % size) {
            Pull::Never => f64::NEG_INFINITY,
            Pull::By(strength) => strength,
        };
        let sums = (0..size * size).map(strength).collect();
        let groups = (0..size).map(|at| Some(vec![at])).collect();
        let mut forest = Self { groups, sums, best: vec![(f64::NEG_INFINITY, 0); size], size };
        for row in 0..size {
            forest.best[row] = forest.search(row);
        }
        forest
    }

    fn closest(&self, enough: f64) -> Option<(usize, usize)> {
        let mut closest = None;
        let mut most = f64::NEG_INFINITY;
        for (row, (average, other)) in self.best.iter().enumerate() {
            if *average > most {
                (most, closest) = (*average, Some((row, *other)));
            }
        }
        closest.filter(|_| most >= enough)
    }

    /// Joins a later group into an earlier one.
    fn join(&mut self, one: usize, other: usize) {
        let moved = self.groups[other].take().unwrap_or_default();
        if let Some(group) = &mut self.groups[one] {
            group.extend(moved);
        }
        for third in 0..self.size {
            let sum = self.sums[one * self.size + third] + self.sums[other * self.size + third];
            self.sums[one * self.size + third] = sum;
            self.sums[third * self.size + one] = sum;
        }
        self.best[other] = (f64::NEG_INFINITY, 0);
        for row in 0..self.size {
            let stale = row == one || self.best[row].1 == one || self.best[row].1 == other;
            if self.groups[row].is_some() && (stale || row < one) {
                self.best[row] = if stale { self.search(row) } else { self.better(row, one) };
            }
        }
    }

    /// A group that changed may have become a row's best partner.
    fn better(&self, row: usize, changed: usize) -> (f64, usize) {
        let average = self.average(row, changed);
        let (best, other) = self.best[row];
        if average > best || (average >= best && changed < other) { (average, changed) } else { (best, other) }
    }

    fn search(&self, row: usize) -> (f64, usize) {
        let mut best = (f64::NEG_INFINITY, 0);
        for other in row + 1..self.size {
            let average = self.average(row, other);
            if average > best.0 {
                best = (average, other);
            }
        }
        best
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of findings in one case")]
    fn average(&self, one: usize, other: usize) -> f64 {
        match (&self.groups[one], &self.groups[other]) {
            (Some(a), Some(b)) => self.sums[one * self.size + other] / (a.len() * b.len()) as f64,
            _ => f64::NEG_INFINITY,
        }
    }
}
