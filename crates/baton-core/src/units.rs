//! Numbers with a unit. Probabilities and money are integers, so that every platform stores the same bytes.

use serde::{Deserialize, Serialize};

/// A probability in millionths, 0 to 1,000,000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Probability(u32);

impl Probability {
    pub const ZERO: Self = Self(0);
    pub const ONE: Self = Self(1_000_000);

    /// A probability from millionths; what is above one becomes one.
    #[must_use]
    pub const fn from_millionths(millionths: u32) -> Self {
        Self(if millionths > 1_000_000 { 1_000_000 } else { millionths })
    }

    /// Refuses anything that is no probability: NaN, infinities, and values outside 0 to 1.
    #[must_use]
    pub fn from_f64(value: f64) -> Option<Self> {
        if !(0.0..=1.0).contains(&value) {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range by the test above")]
        Some(Self(libm::round(value * 1e6) as u32))
    }

    /// As [`Self::from_f64`], with what lies outside cut to the nearest bound and NaN to zero.
    #[must_use]
    pub fn saturating(value: f64) -> Self {
        Self::from_f64(value.clamp(0.0, 1.0)).unwrap_or(Self::ZERO)
    }

    #[must_use]
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / 1e6
    }

    #[must_use]
    pub const fn millionths(self) -> u32 {
        self.0
    }

    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl<'de> Deserialize<'de> for Probability {
    /// A stored probability above one means a damaged record, not certainty.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let millionths = u32::deserialize(deserializer)?;
        if millionths > 1_000_000 {
            return Err(serde::de::Error::custom(format!("{millionths} millionths is no probability")));
        }
        Ok(Self(millionths))
    }
}

/// Money in millionths of a US dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MicroUsd(pub u64);

impl MicroUsd {
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl std::fmt::Display for MicroUsd {
    /// Dollars; four digits after the point below a cent, so that a cheap call does not read as free.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (dollars, rest) = (self.0 / 1_000_000, self.0 % 1_000_000);
        if self.0 != 0 && self.0 < 10_000 {
            write!(formatter, "${dollars}.{:04}", rest / 100)
        } else {
            write!(formatter, "${dollars}.{:02}", rest / 10_000)
        }
    }
}

/// A wall-clock instant in milliseconds since 1970, UTC. For display and for the record: limits never use it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Milliseconds from `earlier` to this instant; zero when the clock was set back in between.
    #[must_use]
    pub fn millis_since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }

    #[must_use]
    pub const fn plus_millis(self, millis: u64) -> Self {
        Self(self.0.saturating_add_unsigned(millis))
    }
}

/// What one turn used, as its member reported it, already reduced to this turn alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Tokens read, those served from a cache included.
    pub input_tokens: u64,
    pub cached_tokens: u64,
    /// Tokens written, hidden reasoning included.
    pub output_tokens: u64,
    /// What the member itself says that it cost; `None` where it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_cost: Option<MicroUsd>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probability_refuses_what_is_none() {
        for broken in [f64::NAN, f64::INFINITY, -0.001, 1.001, 7.0, -1.0] {
            assert_eq!(Probability::from_f64(broken), None, "{broken}");
        }
        assert_eq!(Probability::from_f64(0.7).map(Probability::millionths), Some(700_000));
        assert_eq!(Probability::saturating(f64::NAN), Probability::ZERO);
        assert_eq!(Probability::saturating(7.0), Probability::ONE);
    }

    #[test]
    fn a_stored_probability_above_one_is_damage() {
        assert!(serde_json::from_str::<Probability>("1000001").is_err());
        assert!(serde_json::from_str::<Probability>("1000000").is_ok());
    }

    #[test]
    fn small_money_is_not_shown_as_nothing() {
        assert_eq!(MicroUsd(0).to_string(), "$0.00");
        assert_eq!(MicroUsd(1_200).to_string(), "$0.0012");
        assert_eq!(MicroUsd(1_239_999).to_string(), "$1.23");
    }

    #[test]
    fn a_clock_set_back_gives_no_negative_time() {
        assert_eq!(Timestamp(5).millis_since(Timestamp(9)), 0);
        assert_eq!(Timestamp(9).millis_since(Timestamp(5)), 4);
    }
}
