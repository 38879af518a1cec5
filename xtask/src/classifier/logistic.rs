//! Multinomial logistic regression with an L2 penalty, by limited-memory BFGS (Nocedal and Wright, Numerical
//! Optimization, 2006, algorithm 7.5) with a halving line search. Plain double arithmetic and `libm`, in a fixed order:
//! the result is the same on every platform.

use std::collections::VecDeque;

use baton_core::classify::{BUCKETS, softmax};

/// One prompt: its features and the share of each output.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) features: &'a [(u32, f64)],
    pub(super) target: &'a [f64],
    /// How many prompts it counts as.
    pub(super) weight: f64,
}

/// Coefficients: for each bucket one weight an output, and at the end one bias an output.
pub(super) struct Fit {
    outputs: usize,
    values: Vec<f64>,
}

/// Steps of the optimiser; few enough to be quick, enough to stand still in the digits that are kept.
const STEPS: usize = 80;
const MEMORY: usize = 8;

impl Fit {
    /// `freedom` is the weight of one row against half of the squared weights; biases are free.
    pub(super) fn new(rows: &[Row<'_>], freedom: f64) -> Self {
        let outputs = rows.first().map_or(0, |row| row.target.len());
        let mut fit = Self { outputs, values: vec![0.0; (BUCKETS + 1) * outputs] };
        let (mut cost, mut gradient) = fit.cost(rows, freedom);
        let mut memory = Memory::default();
        for _ in 0..STEPS {
            let direction = memory.direction(&gradient);
            let slope = dot(&direction, &gradient);
            let Some((next, next_cost, next_gradient)) = fit.step(rows, freedom, &direction, cost, slope) else {
                break;
            };
            memory.remember(&fit.values, &next.values, &gradient, &next_gradient);
            let gained = cost - next_cost;
            (fit, cost, gradient) = (next, next_cost, next_gradient);
            if gained < 1e-7 * cost {
                break;
            }
        }
        fit
    }

    /// The first of the steps 1, 1/2, 1/4 ... that lowers the cost enough; none when the slope leads nowhere.
    fn step(
        &self,
        rows: &[Row<'_>],
        freedom: f64,
        direction: &[f64],
        cost: f64,
        slope: f64,
    ) -> Option<(Self, f64, Vec<f64>)> {
        let mut length = 1.0;
        for _ in 0..20 {
            let values = self.values.iter().zip(direction).map(|(value, by)| value + length * by).collect();
            let next = Self { outputs: self.outputs, values };
            let (next_cost, gradient) = next.cost(rows, freedom);
            if next_cost <= cost + 1e-4 * length * slope {
                return Some((next, next_cost, gradient));
            }
            length /= 2.0;
        }
        None
    }

    /// The penalised cross-entropy per row and its gradient.
    fn cost(&self, rows: &[Row<'_>], freedom: f64) -> (f64, Vec<f64>) {
        let count: f64 = rows.iter().map(|row| row.weight).sum();
        let penalty = 1.0 / (freedom * count);
        let weights = BUCKETS * self.outputs;
        let squared: f64 = self.values[..weights].iter().map(|value| value * value).sum();
        let mut cost = penalty * squared / 2.0;
        let mut gradient: Vec<f64> = self.values.iter().map(|value| penalty * value).collect();
        gradient[weights..].fill(0.0);
        for row in rows {
            let shares = softmax(&self.scores(row.features), 1.0);
            let part = row.weight / count;
            let errors: Vec<f64> =
                shares.iter().zip(row.target).map(|(share, wanted)| (share - wanted) * part).collect();
            cost += surprise(&shares, row.target) * part;
            for (bucket, value) in row.features {
                let start = *bucket as usize * self.outputs;
                for (place, error) in gradient[start..start + self.outputs].iter_mut().zip(&errors) {
                    *place += value * error;
                }
            }
            for (place, error) in gradient[weights..].iter_mut().zip(&errors) {
                *place += error;
            }
        }
        (cost, gradient)
    }

    pub(super) fn scores(&self, features: &[(u32, f64)]) -> Vec<f64> {
        let mut scores = self.values[BUCKETS * self.outputs..].to_vec();
        for (bucket, value) in features {
            let start = *bucket as usize * self.outputs;
            for (score, weight) in scores.iter_mut().zip(&self.values[start..start + self.outputs]) {
                *score += value * weight;
            }
        }
        scores
    }

    pub(super) fn bias(&self, output: usize) -> f64 {
        self.values[BUCKETS * self.outputs + output]
    }

    pub(super) fn weight(&self, bucket: usize, output: usize) -> f64 {
        self.values[bucket * self.outputs + output]
    }

    /// The largest weight of an output, without its sign.
    pub(super) fn largest(&self, output: usize) -> f64 {
        (0..BUCKETS).map(|bucket| self.weight(bucket, output).abs()).fold(0.0, f64::max)
    }
}

/// The last steps and how the gradient changed over them.
#[derive(Default)]
struct Memory {
    steps: VecDeque<(Vec<f64>, Vec<f64>, f64)>,
}

impl Memory {
    fn remember(&mut self, from: &[f64], to: &[f64], gradient_from: &[f64], gradient_to: &[f64]) {
        let step: Vec<f64> = to.iter().zip(from).map(|(to, from)| to - from).collect();
        let change: Vec<f64> = gradient_to.iter().zip(gradient_from).map(|(to, from)| to - from).collect();
        let curvature = dot(&step, &change);
        if curvature <= 0.0 {
            return;
        }
        if self.steps.len() == MEMORY {
            self.steps.pop_front();
        }
        self.steps.push_back((step, change, curvature));
    }

    /// The two loops: minus the gradient, bent by what the last steps told of the curvature.
    fn direction(&self, gradient: &[f64]) -> Vec<f64> {
        let mut direction: Vec<f64> = gradient.iter().map(|value| -value).collect();
        let mut shares = Vec::with_capacity(self.steps.len());
        for (step, change, curvature) in self.steps.iter().rev() {
            let share = dot(step, &direction) / curvature;
            add(&mut direction, change, -share);
            shares.push(share);
        }
        if let Some((_, change, curvature)) = self.steps.back() {
            let scale = curvature / dot(change, change);
            direction.iter_mut().for_each(|value| *value *= scale);
        }
        for ((step, change, curvature), share) in self.steps.iter().zip(shares.into_iter().rev()) {
            let back = dot(change, &direction) / curvature;
            add(&mut direction, step, share - back);
        }
        direction
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], by: &[f64], times: f64) {
    for (to, by) in to.iter_mut().zip(by) {
        *to += times * by;
    }
}

/// Cross-entropy of shares against a target.
fn surprise(shares: &[f64], target: &[f64]) -> f64 {
    -shares.iter().zip(target).map(|(share, wanted)| wanted * libm::log(share.max(1e-12))).sum::<f64>()
}

/// The temperature from 0.3 to 3, in steps of a hundredth, at which the targets are most likely.
pub(super) fn temperature(held_out: &[(Vec<f64>, &[f64])]) -> f64 {
    let cost = |temperature: f64| -> f64 {
        held_out.iter().map(|(scores, target)| surprise(&softmax(scores, temperature), target)).sum()
    };
    let mut best = (f64::INFINITY, 1.0);
    for step in 30_u32..=300 {
        let temperature = f64::from(step) / 100.0;
        let cost = cost(temperature);
        if cost < best.0 {
            best = (cost, temperature);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_apart_are_told_apart_and_the_rest_is_even() {
        let (left, right) = ([(1_u32, 1.0)], [(2_u32, 1.0)]);
        let rows = [
            Row { features: &left, target: &[1.0, 0.0], weight: 1.0 },
            Row { features: &right, target: &[0.0, 1.0], weight: 1.0 },
        ];
        let fit = Fit::new(&rows, 10.0);
        assert!(fit.scores(&left)[0] > fit.scores(&left)[1]);
        assert!(fit.scores(&right)[0] < fit.scores(&right)[1]);
        let neither = fit.scores(&[]);
        assert!((neither[0] - neither[1]).abs() < 1e-6);
        assert!(fit.largest(0) > 0.0 && fit.weight(3, 0).abs() < 1e-12);
    }

    #[test]
    fn a_weaker_penalty_gives_larger_weights() {
        let features = [(1_u32, 1.0)];
        let rows = [
            Row { features: &features, target: &[1.0, 0.0], weight: 1.0 },
            Row { features: &[], target: &[0.0, 1.0], weight: 1.0 },
        ];
        assert!(Fit::new(&rows, 10.0).largest(0) > Fit::new(&rows, 0.1).largest(0));
    }

    #[test]
    fn the_temperature_rises_where_scores_boast() {
        let (right, wrong): (&[f64], &[f64]) = (&[1.0, 0.0], &[0.0, 1.0]);
        let honest = [(vec![1.0, 0.0], right), (vec![1.0, 0.0], right), (vec![1.0, 0.0], wrong)];
        let boasting = [(vec![9.0, 0.0], right), (vec![9.0, 0.0], right), (vec![9.0, 0.0], wrong)];
        assert!(temperature(&boasting) > temperature(&honest));
    }
}
