//! Average-link clustering: the two groups whose members are most alike on average join, until none are alike enough.

use super::likeness::{Likeness, NEVER};

/// What the rounding of an average may be at most.
const ROUNDING: f64 = 1e-9;

/// Groups of positions, each sorted, in the order of their first. `enough` is the least average likeness to join.
///
/// Two groups never join when any two of their members never may. Of equally alike groups those that come first join
/// first, so the result depends on the order given and on nothing else.
pub(super) fn cluster(likeness: &Likeness, enough: f64) -> Vec<Vec<usize>> {
    // Two groups that join have two members that are alike enough. So groups grow within what such pairs link.
    let mut groups: Vec<Vec<usize>> =
        linked(likeness, enough - ROUNDING).into_iter().flat_map(|linked| within(likeness, linked, enough)).collect();
    groups.sort_unstable();
    groups
}

/// Positions that are linked by pairs that are alike by this much, each list in order.
fn linked(likeness: &Likeness, enough: f64) -> Vec<Vec<usize>> {
    let mut first_of: Vec<usize> = (0..likeness.size()).collect();
    for one in 0..likeness.size() {
        for (other, pull) in likeness.after(one) {
            if pull > NEVER && pull >= enough {
                let (one, other) = (root(&mut first_of, one), root(&mut first_of, other));
                first_of[one.max(other)] = one.min(other);
            }
        }
    }
    let mut lists = vec![Vec::new(); likeness.size()];
    for at in 0..likeness.size() {
        lists[root(&mut first_of, at)].push(at);
    }
    lists.retain(|list| !list.is_empty());
    lists
}

/// The first of those that a position is linked to so far.
fn root(first_of: &mut [usize], mut at: usize) -> usize {
    while first_of[at] != at {
        first_of[at] = first_of[first_of[at]];
        at = first_of[at];
    }
    at
}

fn within(likeness: &Likeness, positions: Vec<usize>, enough: f64) -> Vec<Vec<usize>> {
    if positions.len() == 1 {
        return vec![positions];
    }
    let mut forest = Forest::new(likeness, &positions);
    while let Some((one, other)) = forest.closest(enough) {
        forest.join(one, other);
    }
    let mut groups = forest.groups;
    groups.retain(|group| !group.is_empty());
    for group in &mut groups {
        group.sort_unstable();
    }
    groups
}

struct Forest {
    /// The positions of each group; none once it has joined another.
    groups: Vec<Vec<usize>>,
    /// How many are in each.
    counts: Vec<f64>,
    /// Sum of the likeness of all pairs between two groups; [`NEVER`] where they never may join, or one is gone.
    sums: Vec<f64>,
    /// The best later partner of each group and the average likeness to it.
    best: Vec<(f64, usize)>,
    size: usize,
}

impl Forest {
    fn new(likeness: &Likeness, positions: &[usize]) -> Self {
        let size = positions.len();
        let mut sums = vec![NEVER; size * size];
        for (row, one) in positions.iter().enumerate() {
            for (column, other) in positions.iter().enumerate().skip(row + 1) {
                let pull = likeness.between(*one, *other);
                (sums[row * size + column], sums[column * size + row]) = (pull, pull);
            }
        }
        let groups = positions.iter().map(|at| vec![*at]).collect();
        let mut forest = Self { groups, counts: vec![1.0; size], sums, best: vec![(NEVER, 0); size], size };
        for row in 0..size {
            forest.best[row] = forest.search(row);
        }
        forest
    }

    fn closest(&self, enough: f64) -> Option<(usize, usize)> {
        let mut closest = None;
        let mut most = NEVER;
        for (row, (average, other)) in self.best.iter().enumerate() {
            if *average > most {
                (most, closest) = (*average, Some((row, *other)));
            }
        }
        closest.filter(|_| most >= enough)
    }

    /// Joins a later group into an earlier one.
    fn join(&mut self, one: usize, other: usize) {
        let moved = std::mem::take(&mut self.groups[other]);
        self.groups[one].extend(moved);
        self.counts[one] += self.counts[other];
        for third in 0..self.size {
            let sum = self.sums[one * self.size + third] + self.sums[other * self.size + third];
            self.sums[one * self.size + third] = sum;
            self.sums[third * self.size + one] = sum;
            self.sums[other * self.size + third] = NEVER;
            self.sums[third * self.size + other] = NEVER;
        }
        self.best[other] = (NEVER, 0);
        for row in 0..self.size {
            let stale = row == one || self.best[row].1 == one || self.best[row].1 == other;
            if !self.groups[row].is_empty() && (stale || row < one) {
                self.best[row] = if stale { self.search(row) } else { self.better(row, one) };
            }
        }
    }

    /// A group that changed may have become a row's best partner.
    fn better(&self, row: usize, changed: usize) -> (f64, usize) {
        let average = self.sums[row * self.size + changed] / (self.counts[row] * self.counts[changed]);
        let (best, other) = self.best[row];
        if average > best || (average >= best && changed < other) { (average, changed) } else { (best, other) }
    }

    fn search(&self, row: usize) -> (f64, usize) {
        let own = self.counts[row];
        let sums = &self.sums[row * self.size..(row + 1) * self.size];
        let mut best = (NEVER, 0);
        for (other, (sum, count)) in sums.iter().zip(&self.counts).enumerate().skip(row + 1) {
            let average = sum / (own * count);
            if average > best.0 {
                best = (average, other);
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rule word for word: every pair of groups is looked at before every join.
    fn plainly(likeness: &Likeness, enough: f64) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = (0..likeness.size()).map(|at| vec![at]).collect();
        let average = |one: &[usize], other: &[usize]| {
            let pulls = one.iter().flat_map(|a| other.iter().map(|b| likeness.between(*a, *b)));
            pulls.sum::<f64>() / f64::from(u32::try_from(one.len() * other.len()).unwrap())
        };
        loop {
            let mut best = (NEVER, 0, 0);
            for one in 0..groups.len() {
                for other in one + 1..groups.len() {
                    let average = average(&groups[one], &groups[other]);
                    if average > best.0 {
                        best = (average, one, other);
                    }
                }
            }
            if best.0 < enough || best.0 <= NEVER {
                return groups;
            }
            let moved = groups.remove(best.2);
            groups[best.1].extend(moved);
            groups[best.1].sort_unstable();
        }
    }

    /// Pulls in eighths and `NEVER`: many are equal, and their sums are exact in whatever order.
    fn drawn(size: usize, seed: u32) -> Likeness {
        let mut state = seed;
        let mut draw = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            match state >> 27 {
                eighths @ 0..=8 => f64::from(eighths) / 8.0,
                9..=20 => 0.0,
                _ => NEVER,
            }
        };
        Likeness::drawn(size, (0..size * (size.max(1) - 1) / 2).map(|_| draw()).collect())
    }

    #[test]
    fn groups_are_those_of_the_plain_rule() {
        for seed in 0..400 {
            let likeness = drawn(usize::try_from(seed % 14).unwrap(), seed);
            for enough in [0.5, 0.125, 0.0, -1.0] {
                assert_eq!(cluster(&likeness, enough), plainly(&likeness, enough), "{seed} {enough}");
            }
        }
    }
}
