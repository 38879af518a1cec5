//! How many tokens a turn used, as each agent tells it. Pure.

use baton_core::units::{MicroUsd, Usage};
use serde_json::Value;

/// Where an agent tells its tokens, and of what they are the sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// `usage` of the prompt's response: this turn's.
    #[default]
    Turn,
    /// The same place, counted up over the session: known for its first turn, and for later ones of one process.
    Session,
    /// In `_meta`: of the response, or of the chunks that come before it.
    Meta,
    None,
}

impl Source {
    pub(super) const VALUES: &'static [&'static str] = &["turn", "session", "meta", "none"];

    pub(super) fn read(value: &str) -> Self {
        match value {
            "session" => Self::Session,
            "meta" => Self::Meta,
            "none" => Self::None,
            _ => Self::Turn,
        }
    }
}

/// What was told in a turn so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter {
    chunks: Option<Usage>,
    cost: Option<MicroUsd>,
    /// Where this process had another turn of the session before.
    before: Option<Before>,
}

/// What was counted up to the end of the last turn; nothing where that did not tell.
#[derive(Clone, Copy, Debug, Default)]
struct Before {
    usage: Option<Usage>,
    cost: Option<MicroUsd>,
}

impl Meter {
    /// The meter of the next turn in the same process. `result` is the response to the last prompt.
    pub(super) fn next(&self, result: Option<&Value>) -> Self {
        let usage = result.and_then(|response| tokens(&response["usage"]));
        let cost = self.cost.or(self.before.and_then(|before| before.cost));
        Self { before: Some(Before { usage, cost }), ..Self::default() }
    }

    /// Takes an update's `_meta`: one for each call of the model, so they add up.
    pub(super) fn chunk(&mut self, update: &Value) {
        let Some(more) = tokens(&update["_meta"]["usage"]) else { return };
        let sum = self.chunks.get_or_insert_default();
        sum.input_tokens = sum.input_tokens.saturating_add(more.input_tokens);
        sum.cached_tokens = sum.cached_tokens.saturating_add(more.cached_tokens);
        sum.output_tokens = sum.output_tokens.saturating_add(more.output_tokens);
    }

    /// Takes a `usage_update`: its cost is the session's.
    pub(super) fn update(&mut self, update: &Value) {
        let cost = &update["cost"];
        if cost["currency"].as_str() == Some("USD") {
            self.cost = cost["amount"].as_f64().and_then(micro_usd);
        }
    }

    /// This turn's. `result` is the response to the prompt, if it came; `resumed` says that the session had turns
    /// before this process.
    pub(super) fn usage(&self, source: Source, result: Option<&Value>, resumed: bool) -> Option<Usage> {
        let response = result.unwrap_or(&Value::Null);
        let meta = &response["_meta"];
        let found = match source {
            Source::Turn => tokens(&response["usage"]),
            Source::Session => match (self.before, resumed) {
                (Some(before), _) => difference(tokens(&response["usage"]), before.usage),
                (None, true) => None,
                (None, false) => tokens(&response["usage"]),
            },
            Source::Meta => {
                let places = [&meta["quota"]["token_count"], &meta["usage"], meta];
                places.into_iter().find_map(tokens).or(self.chunks)
            }
            Source::None => None,
        };
        let cost = match self.before {
            Some(before) => before.cost.and_then(|before| Some(MicroUsd(self.cost?.0.checked_sub(before.0)?))),
            None => self.cost.filter(|_| !resumed),
        };
        let cost = cost.filter(|_| source != Source::None);
        match (found, cost) {
            (Some(usage), cost) => Some(Usage { reported_cost: cost, ..usage }),
            (None, Some(cost)) => Some(Usage { reported_cost: Some(cost), ..Usage::default() }),
            (None, None) => None,
        }
    }
}

/// `None` where one is not known, or the sum fell.
fn difference(now: Option<Usage>, before: Option<Usage>) -> Option<Usage> {
    let (now, before) = (now?, before?);
    Some(Usage {
        input_tokens: now.input_tokens.checked_sub(before.input_tokens)?,
        cached_tokens: now.cached_tokens.checked_sub(before.cached_tokens)?,
        output_tokens: now.output_tokens.checked_sub(before.output_tokens)?,
        reported_cost: None,
    })
}

/// Whether the response says that no call of the model came to its end. One agent (Gemini CLI 0.61.0) ends a turn whose
/// stream broke off with success, after as many beginnings of the answer as it made attempts: that nothing was counted
/// is the only sign.
pub(super) fn is_without_an_end(result: &Value) -> bool {
    let counted = &result["_meta"]["quota"]["token_count"];
    ["input_tokens", "output_tokens"].iter().all(|name| counted[*name].as_u64() == Some(0))
}

/// The counts under the names that were seen. `None` where neither input nor output is told.
///
/// Whether the input holds the cached tokens, and the output the reasoning, is read from the total: what it has
/// beyond both is counted apart. Without a total they are held to be contained.
fn tokens(object: &Value) -> Option<Usage> {
    let number = |names: &[&str]| names.iter().find_map(|name| object[*name].as_u64());
    let input = number(&["inputTokens", "input_tokens", "promptTokens"]);
    let output = number(&["outputTokens", "output_tokens", "completionTokens"]);
    let (mut input, mut output) = match (input, output) {
        (None, None) => return None,
        (input, output) => (input.unwrap_or(0), output.unwrap_or(0)),
    };
    let cached = number(&["cachedReadTokens", "cachedTokens", "cached_tokens"]).unwrap_or(0);
    let written = number(&["cachedWriteTokens"]).unwrap_or(0);
    let thought = number(&["thoughtTokens", "reasoningTokens"]).unwrap_or(0);
    let total = number(&["totalTokens", "total_tokens"]).unwrap_or(0);
    let mut apart = total.saturating_sub(input.saturating_add(output));
    let beside_input = cached.saturating_add(written);
    if apart >= beside_input {
        apart -= beside_input;
        input = input.saturating_add(beside_input);
    }
    if apart >= thought {
        output = output.saturating_add(thought);
    }
    Some(Usage { input_tokens: input, cached_tokens: cached, output_tokens: output, reported_cost: None })
}

fn micro_usd(dollars: f64) -> Option<MicroUsd> {
    let millionths = (dollars * 1e6).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range by the test beside it")]
    (0.0..1e15).contains(&millionths).then_some(MicroUsd(millionths as u64))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn counts(object: &Value) -> Option<(u64, u64, u64)> {
        tokens(object).map(|usage| (usage.input_tokens, usage.cached_tokens, usage.output_tokens))
    }

    #[test]
    fn the_total_tells_what_is_contained() {
        let apart = json!({ "inputTokens": 90, "cachedReadTokens": 10, "outputTokens": 5, "totalTokens": 105 });
        assert_eq!(counts(&apart), Some((100, 10, 5)));
        let contained = json!({ "inputTokens": 100, "cachedReadTokens": 10, "outputTokens": 5, "totalTokens": 105 });
        assert_eq!(counts(&contained), Some((100, 10, 5)));
        let thinking = json!({ "inputTokens": 100, "outputTokens": 5, "thoughtTokens": 3, "totalTokens": 108 });
        assert_eq!(counts(&thinking), Some((100, 0, 8)));
        let silent = json!({ "input_tokens": 7, "output_tokens": 2, "cached_tokens": 3, "thoughtTokens": 1 });
        assert_eq!(counts(&silent), Some((7, 3, 2)));
        assert_eq!(counts(&json!({ "used": 3 })), None);
        assert_eq!(counts(&Value::Null), None);
    }

    #[test]
    fn sums_over_a_session_count_only_for_its_first_turn() {
        let result = json!({ "usage": { "inputTokens": 100, "outputTokens": 5 } });
        let meter = Meter::default();
        assert!(meter.usage(Source::Session, Some(&result), false).is_some());
        assert_eq!(meter.usage(Source::Session, Some(&result), true), None);
        assert!(meter.usage(Source::Turn, Some(&result), true).is_some());
        assert_eq!(meter.usage(Source::Meta, Some(&result), false), None);
        assert_eq!(meter.usage(Source::None, Some(&result), false), None);
    }

    #[test]
    fn later_turns_of_one_process_have_the_difference() {
        let told = |input: u64| json!({ "usage": { "inputTokens": input, "outputTokens": 1 } });
        let cost = |dollars: f64| json!({ "cost": { "amount": dollars, "currency": "USD" } });
        let mut first = Meter::default();
        first.update(&cost(0.25));
        let mut second = first.next(Some(&told(100)));
        let used = |meter: &Meter, input: u64| meter.usage(Source::Session, Some(&told(input)), true);
        assert_eq!(used(&second, 150).map(|usage| (usage.input_tokens, usage.reported_cost)), Some((50, None)));
        second.update(&cost(0.75));
        assert_eq!(used(&second, 150).and_then(|usage| usage.reported_cost), Some(MicroUsd(500_000)));
        let silent = second.next(None);
        assert_eq!(used(&silent, 150), None, "the last turn did not tell");
        assert_eq!(used(&first.next(Some(&told(100))), 90), None, "a sum that fell says nothing");
    }

    #[test]
    fn meta_is_found_in_its_places_and_chunks_add_up() {
        let mut meter = Meter::default();
        let counts = json!({ "inputTokens": 10, "outputTokens": 1 });
        let used = |meter: &Meter, result: &Value| {
            meter.usage(Source::Meta, Some(result), true).map(|usage| (usage.input_tokens, usage.output_tokens))
        };
        for meta in [json!({ "quota": { "token_count": counts } }), json!({ "usage": counts }), counts.clone()] {
            assert_eq!(used(&meter, &json!({ "_meta": meta })), Some((10, 1)));
        }
        meter.chunk(&json!({ "_meta": { "usage": counts } }));
        meter.chunk(&json!({ "_meta": { "usage": counts } }));
        meter.chunk(&json!({}));
        assert_eq!(used(&meter, &json!({})), Some((20, 2)));
    }

    #[test]
    fn nothing_counted_is_no_end_where_the_agent_counts() {
        let counted = |input: u64, output: u64| json!({ "_meta": { "quota": { "token_count": { "input_tokens": input, "output_tokens": output } } } });
        assert!(is_without_an_end(&counted(0, 0)));
        assert!(!is_without_an_end(&counted(1, 0)) && !is_without_an_end(&counted(0, 1)));
        assert!(!is_without_an_end(&json!({})) && !is_without_an_end(&json!({ "usage": { "inputTokens": 0 } })));
    }

    #[test]
    fn a_cost_is_the_sessions() {
        let mut meter = Meter::default();
        meter.update(&json!({ "used": 1, "cost": { "amount": 0.25, "currency": "USD" } }));
        let cost = |source, resumed| meter.usage(source, None, resumed).and_then(|usage| usage.reported_cost);
        assert_eq!(cost(Source::Turn, false), Some(MicroUsd(250_000)));
        assert_eq!((cost(Source::Turn, true), cost(Source::None, false)), (None, None));
        meter.update(&json!({ "cost": { "amount": -1.0, "currency": "USD" } }));
        assert_eq!(meter.usage(Source::Turn, None, false), None);
    }
}
