//! Fits a conditional logit: of several alternatives of a case one is right, with chances that go as the exponentials
//! of their scores, and a score is a sum of parameters times features (McFadden 1973).
//!
//! The fit is penalised: each parameter is drawn to where it starts from by its own strength. The penalised likelihood
//! is concave, so there is one best fit; it is found by Newton's method, each step solved by conjugate gradients
//! (Nocedal and Wright, *Numerical Optimization*, algorithm 7.1), so that thousands of parameters are no trouble.

/// A sparse row of features: parameter and value.
pub type Row = Vec<(usize, f64)>;

/// One case to learn from.
#[derive(Clone, Debug)]
pub struct Example {
    /// One row for each alternative.
    pub alternatives: Vec<Row>,
    /// The alternative that is right.
    pub right: usize,
    pub weight: f64,
}

/// Where a parameter starts from, and how strongly it is drawn back to it (the inverse of a variance).
#[derive(Clone, Copy, Debug)]
pub struct Pull {
    pub centre: f64,
    pub strength: f64,
}

const MOST_STEPS: usize = 30;
const MOST_INNER_STEPS: usize = 100;
/// A gradient this small is none: parameters are kept in millionths.
const FLAT: f64 = 1e-6;

/// The best fit.
#[must_use]
pub fn fit(examples: &[Example], pulls: &[Pull]) -> Vec<f64> {
    let mut at: Vec<f64> = pulls.iter().map(|pull| pull.centre).collect();
    let mut loss = total_loss(examples, pulls, &at);
    for _ in 0..MOST_STEPS {
        let chances: Vec<Vec<f64>> = examples.iter().map(|example| chances(example, &at)).collect();
        let slope = gradient(examples, &chances, pulls, &at);
        if dot(&slope, &slope) < FLAT * FLAT {
            break;
        }
        let step = solve(examples, &chances, pulls, &slope);
        let Some((next, lower)) = descend(examples, pulls, &at, &step, loss) else { break };
        (at, loss) = (next, lower);
    }
    at
}

/// Goes the whole step, or half of it as often as needed; `None` when nothing lowers the loss any more.
fn descend(examples: &[Example], pulls: &[Pull], at: &[f64], step: &[f64], loss: f64) -> Option<(Vec<f64>, f64)> {
    let mut length = 1.0;
    for _ in 0..30 {
        let next: Vec<f64> = at.iter().zip(step).map(|(at, step)| at - length * step).collect();
        let lower = total_loss(examples, pulls, &next);
        if lower < loss {
            return Some((next, lower));
        }
        length /= 2.0;
    }
    None
}

fn total_loss(examples: &[Example], pulls: &[Pull], at: &[f64]) -> f64 {
    let drawn = pulls.iter().zip(at).map(|(pull, at)| pull.strength * (at - pull.centre) * (at - pull.centre) / 2.0);
    let surprise = |example: &Example| -example.weight * libm::log(chances(example, at)[example.right].max(1e-300));
    drawn.sum::<f64>() + examples.iter().map(surprise).sum::<f64>()
}

/// The chance of each alternative.
fn chances(example: &Example, at: &[f64]) -> Vec<f64> {
    softmax(&example.alternatives.iter().map(|row| score(row, at)).collect::<Vec<f64>>())
}

/// Chances that go as the exponentials of the scores.
#[must_use]
pub fn softmax(scores: &[f64]) -> Vec<f64> {
    let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shares: Vec<f64> = scores.iter().map(|score| libm::exp(score - highest)).collect();
    let total: f64 = shares.iter().sum();
    shares.into_iter().map(|share| share / total).collect()
}

fn score(row: &Row, at: &[f64]) -> f64 {
    row.iter().map(|(parameter, value)| at[*parameter] * value).sum()
}

fn gradient(examples: &[Example], chances: &[Vec<f64>], pulls: &[Pull], at: &[f64]) -> Vec<f64> {
    let mut slope: Vec<f64> = pulls.iter().zip(at).map(|(pull, at)| pull.strength * (at - pull.centre)).collect();
    for (example, chances) in examples.iter().zip(chances) {
        for (alternative, (row, chance)) in example.alternatives.iter().zip(chances).enumerate() {
            let hit = if alternative == example.right { 1.0 } else { 0.0 };
            add(&mut slope, row, example.weight * (chance - hit));
        }
    }
    slope
}

fn add(sums: &mut [f64], row: &Row, factor: f64) {
    for (parameter, value) in row {
        sums[*parameter] += factor * value;
    }
}

/// The second derivatives times a direction.
fn curvature(examples: &[Example], chances: &[Vec<f64>], pulls: &[Pull], direction: &[f64]) -> Vec<f64> {
    let mut bent: Vec<f64> = pulls.iter().zip(direction).map(|(pull, along)| pull.strength * along).collect();
    for (example, chances) in examples.iter().zip(chances) {
        let scores: Vec<f64> = example.alternatives.iter().map(|row| score(row, direction)).collect();
        let mean = dot(&scores, chances);
        for ((row, chance), score) in example.alternatives.iter().zip(chances).zip(&scores) {
            add(&mut bent, row, example.weight * chance * (score - mean));
        }
    }
    bent
}

/// The diagonal of the second derivatives, which makes the conjugate gradients short.
fn diagonal(examples: &[Example], chances: &[Vec<f64>], pulls: &[Pull]) -> Vec<f64> {
    let mut sums: Vec<f64> = pulls.iter().map(|pull| pull.strength).collect();
    for (example, chances) in examples.iter().zip(chances) {
        for (row, chance) in example.alternatives.iter().zip(chances) {
            for (parameter, value) in row {
                sums[*parameter] += example.weight * chance * (1.0 - chance) * value * value;
            }
        }
    }
    sums
}

/// The step that levels the slope: conjugate gradients on the second derivatives.
fn solve(examples: &[Example], chances: &[Vec<f64>], pulls: &[Pull], slope: &[f64]) -> Vec<f64> {
    let scaling = diagonal(examples, chances, pulls);
    let scaled = |rest: &[f64]| -> Vec<f64> { rest.iter().zip(&scaling).map(|(rest, by)| rest / by).collect() };
    let mut step = vec![0.0; slope.len()];
    let mut rest = slope.to_vec();
    let mut direction = scaled(&rest);
    let mut size = dot(&rest, &direction);
    let enough = size * 1e-8;
    for _ in 0..MOST_INNER_STEPS {
        if size <= enough || size <= 0.0 {
            break;
        }
        let bent = curvature(examples, chances, pulls, &direction);
        let length = size / dot(&direction, &bent);
        for index in 0..step.len() {
            step[index] += length * direction[index];
            rest[index] -= length * bent[index];
        }
        let next = scaled(&rest);
        let next_size = dot(&rest, &next);
        for (along, next) in direction.iter_mut().zip(&next) {
            *along = next + next_size / size * *along;
        }
        size = next_size;
    }
    step
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(right: usize) -> Example {
        Example { alternatives: vec![vec![(0, 1.0)], vec![(1, 1.0)]], right, weight: 1.0 }
    }

    #[test]
    fn without_a_case_everything_stays_where_it_starts() {
        let pulls = [Pull { centre: 0.3, strength: 1.0 }, Pull { centre: -2.0, strength: 5.0 }];
        assert_eq!(fit(&[], &pulls), [0.3, -2.0]);
    }

    #[test]
    fn the_fitted_chance_is_the_share_seen() {
        let pulls = [Pull { centre: 0.0, strength: 1e-6 }; 2];
        let examples: Vec<Example> = (0..100).map(|index| example(usize::from(index % 4 == 0))).collect();
        let at = fit(&examples, &pulls);
        let chance = softmax(&at)[0];
        assert!((chance - 0.75).abs() < 1e-4, "{chance}");
    }

    #[test]
    fn a_strong_pull_holds_against_few_cases() {
        let pulls = [Pull { centre: 0.0, strength: 1e6 }; 2];
        assert!(fit(&[example(0), example(0)], &pulls).iter().all(|at| at.abs() < 1e-4));
    }

    #[test]
    fn at_the_fit_the_slope_is_flat() {
        let pulls = [Pull { centre: 0.5, strength: 2.0 }; 3];
        let examples: Vec<Example> = (0..50)
            .map(|index| Example {
                alternatives: vec![vec![(0, 1.0), (2, 0.5)], vec![(1, 1.0), (2, f64::from(index % 5))], vec![]],
                right: usize::try_from(index % 3).unwrap(),
                weight: 1.0,
            })
            .collect();
        let at = fit(&examples, &pulls);
        let chances: Vec<Vec<f64>> = examples.iter().map(|example| chances(example, &at)).collect();
        let slope = gradient(&examples, &chances, &pulls, &at);
        assert!(slope.iter().all(|slope| slope.abs() < 1e-5), "{slope:?}");
    }
}
