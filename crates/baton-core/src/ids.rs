//! Ids, each a type of its own, so that one is never passed where another is meant.

use serde::{Deserialize, Serialize};

/// Why a text is no id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {what}: 1 to 64 of a-z, 0-9, '.', '_' and '-', led by a letter or digit")]
pub struct IdError {
    what: &'static str,
    text: String,
}

fn is_slug(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    text.len() <= 64
        && text.bytes().all(allowed)
        && text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
}

macro_rules! slug_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// # Errors
            /// When the text is not a slug.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                if is_slug(text) { Ok(Self(text.to_owned())) } else { Err(IdError { what: $what, text: text.to_owned() }) }
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

slug_id!(
    /// One seat's name, as users write it: `claude`, `codex-high`.
    MemberId, "member name"
);
slug_id!(
    /// A run's id. Made once by the outside (a time-ordered UUID); the core only carries it.
    RunId, "run id"
);
slug_id!(
    /// The name that a user gives to a member's persistent conversation.
    SessionName, "session name"
);

impl RunId {
    /// The id made of a UUID's text. Whatever is no letter, digit or hyphen is left out, so this cannot fail.
    #[must_use]
    pub fn from_uuid_text(text: &str) -> Self {
        let kept = text.chars().filter(|character| character.is_ascii_alphanumeric() || *character == '-');
        Self(kept.take(64).collect::<String>().to_ascii_lowercase())
    }

    /// The last eight characters: what screens show, and enough to name a run again.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[self.0.len().saturating_sub(8)..]
    }
}

/// One effectful unit of a run: its place in the order in which the run planned its steps, so replay derives it anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepId(pub u32);

impl StepId {
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl std::fmt::Display for StepId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "step {}", self.0 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_cannot_leave_a_folder_or_an_argument_list() {
        for bad in ["", "-x", "..", "../a", "a/b", "A", "a b", "a\0", &"a".repeat(65)] {
            assert!(MemberId::parse(bad).is_err(), "{bad:?}");
        }
        assert!(MemberId::parse("codex-high").is_ok());
        assert!(serde_json::from_str::<RunId>("\"../x\"").is_err());
    }

    #[test]
    fn a_run_is_named_by_its_end() {
        let run = RunId::parse("0192f3a4-5b6c-7d8e-9f00-112233445566").unwrap();
        assert_eq!(run.short(), "33445566");
    }
}
