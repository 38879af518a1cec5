//! A member is data: who sits at the table, how they are reached, and what they cost.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::MemberId;
use crate::task::Kind;
use crate::units::{MicroUsd, Usage};

/// How hard a model is asked to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effort {
    Low,
    Medium,
    High,
}

impl Effort {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Who pays for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payer {
    /// A plan that the user is logged in to.
    Subscription,
    /// An API key, by use.
    Key,
    /// Nobody: it runs on this machine.
    Local,
    /// Whatever the program uses by itself, which is not told.
    Unknown,
}

impl Payer {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Subscription => "subscription",
            Self::Key => "key",
            Self::Local => "local",
            Self::Unknown => "unknown",
        }
    }
}

/// A member that answers, or a command whose outcome is evidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nature {
    #[default]
    Model,
    Check,
    /// Tries a member's patch, with the checks, away from the user's files.
    Trial,
    /// Runs a test that a member wrote for a claim, with the user's own command, away from the user's files.
    Reproduction,
}

/// How a member is reached: a channel's name and that channel's own settings. The core never looks inside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelSpec {
    pub kind: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
}

/// Prices in millionths of a dollar for a million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    pub input: u64,
    pub output: u64,
}

impl Price {
    #[must_use]
    pub const fn of(&self, input_tokens: u64, output_tokens: u64) -> MicroUsd {
        let input = input_tokens.saturating_mul(self.input);
        let output = output_tokens.saturating_mul(self.output);
        MicroUsd(input.saturating_add(output) / 1_000_000)
    }
}

/// Time and number limits of a member, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Until the first event of an answer.
    pub first_event_ms: u64,
    /// Between two payloads; keep-alives do not count.
    pub idle_ms: u64,
    pub total_ms: u64,
    /// Turns at the same time on the member's account.
    pub concurrent: u32,
    /// The longest prompt that the way to the member takes, in bytes; `None` where only its window limits it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_bytes: Option<u64>,
    /// How long a used-up quota lasts where the member does not say until when.
    pub quota_window_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_event_ms: 60_000,
            idle_ms: 120_000,
            total_ms: 600_000,
            concurrent: 4,
            prompt_bytes: None,
            quota_window_ms: 3_600_000,
        }
    }
}

/// One seat: a model behind a channel, or a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub id: MemberId,
    #[serde(default)]
    pub nature: Nature,
    /// Who receives the text.
    pub vendor: String,
    /// Whose training it shares: votes within a family are discounted.
    pub family: String,
    pub channel: ChannelSpec,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effort: Option<Effort>,
    /// 1 is the strongest.
    pub tier: u8,
    #[serde(default)]
    pub strengths: Vec<Kind>,
    /// In tokens.
    pub context_window: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    pub payer: Payer,
    /// What its limits are shared by: seats on one login or key have the same account.
    pub account: String,
    #[serde(default)]
    pub limits: Limits,
    /// Its answers are prepared in advance. Shown everywhere, and never fed to statistics.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub scripted: bool,
}

/// What a member is expected to write in one turn; used to reserve money before a call.
const EXPECTED_OUTPUT_TOKENS: u64 = 4_000;

impl Member {
    /// Runs commands and gives no opinion.
    #[must_use]
    pub const fn is_check(&self) -> bool {
        matches!(self.nature, Nature::Check | Nature::Trial | Nature::Reproduction)
    }

    /// What a turn of this many input tokens may cost; `None` when unknown. A subscription and a local model cost
    /// nothing by the call.
    #[must_use]
    pub fn estimate(&self, input_tokens: u64) -> Option<MicroUsd> {
        match self.payer {
            Payer::Local | Payer::Subscription => Some(MicroUsd(0)),
            Payer::Key | Payer::Unknown => self.price.map(|price| price.of(input_tokens, EXPECTED_OUTPUT_TOKENS)),
        }
    }

    /// What a turn cost: the member's own word first, its price list next, otherwise unknown.
    #[must_use]
    pub fn cost(&self, usage: Option<&Usage>) -> Option<MicroUsd> {
        if matches!(self.payer, Payer::Local | Payer::Subscription) {
            return Some(MicroUsd(0));
        }
        let usage = usage?;
        usage.reported_cost.or_else(|| self.price.map(|price| price.of(usage.input_tokens, usage.output_tokens)))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A model seat for tests: its own vendor, family and account, paid by key.
    pub(crate) fn seat(id: &str, tier: u8) -> Member {
        Member {
            id: MemberId::parse(id).unwrap(),
            nature: Nature::Model,
            vendor: format!("{id}-vendor"),
            family: format!("{id}-family"),
            channel: ChannelSpec { kind: "fake".into(), settings: BTreeMap::new() },
            model: None,
            effort: None,
            tier,
            strengths: vec![],
            context_window: 100_000,
            price: Some(Price { input: 1_000_000, output: 10_000_000 }),
            payer: Payer::Key,
            account: id.to_owned(),
            limits: Limits::default(),
            scripted: false,
        }
    }

    #[test]
    fn the_members_own_word_on_cost_comes_first_and_unknown_stays_unknown() {
        let mut member = seat("a", 1);
        let usage = Usage { input_tokens: 1_000_000, output_tokens: 100_000, ..Usage::default() };
        assert_eq!(member.cost(Some(&usage)), Some(MicroUsd(2_000_000)));
        let told = Usage { reported_cost: Some(MicroUsd(7)), ..usage };
        assert_eq!(member.cost(Some(&told)), Some(MicroUsd(7)));
        assert_eq!(member.cost(None), None);
        member.price = None;
        assert_eq!(member.cost(Some(&usage)), None);
        assert_eq!(member.estimate(10), None);
        member.payer = Payer::Subscription;
        assert_eq!(member.cost(None), Some(MicroUsd(0)));
    }
}
