//! Which parts of a prompt spoke for what was decided, in words.

use std::collections::BTreeMap;

use crate::task::{Complexity, Kind};
use crate::units::Probability;

use super::features::{Features, Group};
use super::model::{COMPLEXITIES, KINDS, Model};

/// As many parts are named.
const NAMED: usize = 3;

pub(super) fn sure(model: &Model<'_>, features: &Features, kind: Kind, confidence: Probability) -> String {
    let heard = strongest(model, features, kind as usize, 0..KINDS);
    format!("kind {kind} at {}, {heard}", percent(confidence))
}

pub(super) fn unsure(probabilities: &[f64]) -> String {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|a, b| probabilities[*b].total_cmp(&probabilities[*a]));
    let named: Vec<String> = order
        .iter()
        .take(2)
        .map(|at| format!("{} {}", Kind::ALL[*at], percent(Probability::saturating(probabilities[*at]))))
        .collect();
    format!("kind unsure: no kind stands out, the nearest are {}", named.join(" and "))
}

pub(super) fn complexity(model: &Model<'_>, features: &Features, best: usize, sure: Probability) -> String {
    let heard = strongest(model, features, KINDS + best, KINDS..KINDS + COMPLEXITIES);
    format!("{} at {}, {heard}", Complexity::ALL[best], percent(sure))
}

fn percent(probability: Probability) -> String {
    format!("{} %", (probability.millionths() + 5_000) / 10_000)
}

/// The sources that raised this output most above the mean of its rivals, strongest first. Words are quoted.
fn strongest(model: &Model<'_>, features: &Features, output: usize, rivals: std::ops::Range<usize>) -> String {
    let count = u32::try_from(rivals.len()).map_or(1.0, f64::from);
    let mut raised: BTreeMap<usize, (f64, bool)> = BTreeMap::new();
    for item in &features.items {
        let mean = rivals.clone().map(|rival| model.weight(item.bucket, rival)).sum::<f64>() / count;
        let by = item.value * (model.weight(item.bucket, output) - mean);
        let quoted = matches!(item.group, Group::Words | Group::Pieces);
        raised.entry(item.source).or_insert((0.0, quoted)).0 += by;
    }
    let mut order: Vec<(usize, f64, bool)> = raised
        .into_iter()
        .filter(|(_, (by, _))| *by > 0.0)
        .map(|(source, (by, quoted))| (source, by, quoted))
        .collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let named: Vec<String> = order
        .into_iter()
        .take(NAMED)
        .map(|(source, _, quoted)| {
            let text = &features.sources[source];
            if quoted { format!("\"{text}\"") } else { text.clone() }
        })
        .collect();
    if named.is_empty() {
        "by no sign in particular".to_owned()
    } else {
        format!("by these signs: {}", named.join(", "))
    }
}
