//! Versions as programs print them, in their order.

use std::cmp::Ordering;

use serde::{Deserialize, Deserializer};

/// Numbers between dots, and what follows a dash. `1.0` and `1.0.0` are the same; `1.0.0-rc.1` comes before both.
/// Build marks after a plus do not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    /// Without zeros at the end.
    numbers: Vec<u64>,
    before: Option<String>,
}

impl Version {
    /// Reads a whole word, with or without a leading `v`.
    pub(super) fn parse(word: &str) -> Option<Self> {
        let word = word.strip_prefix(['v', 'V']).unwrap_or(word);
        let word = word.split('+').next().unwrap_or(word);
        let (numbers, before) = match word.split_once('-') {
            Some((numbers, before)) => (numbers, Some(before.to_owned())),
            None => (word, None),
        };
        let mut numbers: Vec<u64> = numbers.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
        while numbers.last() == Some(&0) {
            numbers.pop();
        }
        Some(Self { numbers, before })
    }

    /// The first word that is a version, and the word: `git version 2.47.1`, `v24.1.0`, `grok 1.0.41 (abc)`.
    pub(super) fn find(text: &str) -> Option<(Self, &str)> {
        let words = text.split_whitespace().map(|word| word.trim_matches([',', ';', '(', ')', '.']));
        words.filter(|word| word.contains('.')).find_map(|word| Some((Self::parse(word)?, word)))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| match (&self.before, &other.before) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(mine), Some(theirs)) => parts(mine).cmp(parts(theirs)),
        })
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Numbers by value and before words, as semantic versioning has it.
fn parts(before: &str) -> impl Iterator<Item = (bool, u64, &str)> {
    before.split('.').map(|part| match part.parse() {
        Ok(number) => (false, number, ""),
        Err(_) => (true, 0, part),
    })
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no version")))
    }
}

/// Versions from one to another; without bounds, all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) from: Option<Version>,
    pub(super) through: Option<Version>,
    pub(super) below: Option<Version>,
}

impl Range {
    pub(super) fn holds_all(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn holds(&self, version: &Version) -> bool {
        self.from.as_ref().is_none_or(|from| version >= from)
            && self.through.as_ref().is_none_or(|through| version <= through)
            && self.below.as_ref().is_none_or(|below| version < below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn the_order_is_that_of_numbers_not_of_text() {
        let ordered = [
            "0.0.9",
            "0.9",
            "0.23.0-alpha",
            "0.23.0-alpha.2",
            "0.23.0-alpha.10",
            "0.23.0-rc.1",
            "0.23",
            "0.155.0",
            "1.0.111",
            "2.1.2",
            "2.1.127",
            "2026.8.31",
        ];
        for pair in ordered.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
        }
        assert_eq!(version("1.0"), version("v1.0.0+build.7"));
        assert_eq!(version("1.0").cmp(&version("1.0.0")), Ordering::Equal);
    }

    #[test]
    fn what_is_no_version_is_none() {
        for text in ["", "latest", "1.x", "^1.2.0", "a.b", "1..2", "99999999999999999999999.1"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_version_is_found_among_words() {
        for (text, word) in [
            ("git version 2.47.1 (Apple Git-143)", "2.47.1"),
            ("v24.1.0\n", "v24.1.0"),
            ("cargo 1.95.0 (f2d3ce0bd 2026-03-21)", "1.95.0"),
            ("grok 1.0.41 (abc)", "1.0.41"),
            ("GitHub Copilot CLI 1.0.102.", "1.0.102"),
            ("tool 7 version (1.2)", "1.2"),
        ] {
            assert_eq!(Version::find(text).unwrap().1, word);
        }
        assert_eq!(Version::find("hello there."), None);
    }

    #[test]
    fn bounds_hold_as_they_say() {
        let range =
            Range { from: Some(version("0.0.5")), through: Some(version("0.1.15")), below: Some(version("0.1.15")) };
        assert!(range.holds(&version("0.0.5")) && range.holds(&version("0.1.14")));
        assert!(!range.holds(&version("0.0.4")) && !range.holds(&version("0.1.15")));
        let through = Range { through: Some(version("0.1.15")), ..Range::default() };
        assert!(through.holds(&version("0.1.15")) && !through.holds(&version("0.1.16")));
        assert!(Range::default().holds_all() && Range::default().holds(&version("7")) && !through.holds_all());
    }
}
