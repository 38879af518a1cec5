//! What a prompt is turned into before it is weighed: words, pairs of words, pieces of words, the form of the text, and
//! the concepts of the lexicon. Each is hashed into one of [`BUCKETS`] places and keeps the words that a person would
//! recognise it by, so that a reason can be given.
//!
//! Words and pieces each form a vector of length one, so that a long prompt does not shout louder than a short one.

use std::collections::BTreeMap;

use super::form;
use super::lexicon;

/// How many places features are hashed into; a power of two.
pub const BUCKETS: usize = 1 << 14;

/// Only so much of a prompt is read; what people ask stands in front, what they paste behind it.
const WORDS_READ: usize = 400;

/// How loud a structural observation and a concept are beside the words (1.0 for all together).
const FORM_WEIGHT: f64 = 0.35;
const CONCEPT_WEIGHT: f64 = 0.5;

/// The kinds of features, hashed apart from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Words,
    Pieces,
    Form,
    Concepts,
}

/// One observation on a prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    pub bucket: u32,
    pub value: f64,
    pub group: Group,
    /// Which of [`Features::sources`] it was seen in.
    pub source: usize,
}

/// All observations on a prompt, in the order of its text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Features {
    pub items: Vec<Feature>,
    /// Words of the prompt and names of its form, as shown to people.
    pub sources: Vec<String>,
}

impl Features {
    #[must_use]
    pub fn of(prompt: &str) -> Self {
        let tokens = tokens(prompt);
        let mut builder = Builder::default();
        builder.words(&tokens);
        builder.pieces(&tokens);
        for name in form::observe(prompt, &tokens) {
            builder.named(Group::Form, name, FORM_WEIGHT);
        }
        for name in lexicon::concepts(&tokens) {
            builder.named(Group::Concepts, &name, CONCEPT_WEIGHT);
        }
        builder.features
    }
}

#[derive(Default)]
struct Builder {
    features: Features,
    seen: BTreeMap<String, usize>,
}

impl Builder {
    fn source(&mut self, text: &str) -> usize {
        if let Some(at) = self.seen.get(text) {
            return *at;
        }
        let at = self.features.sources.len();
        self.features.sources.push(text.to_owned());
        self.seen.insert(text.to_owned(), at);
        at
    }

    fn named(&mut self, group: Group, name: &str, value: f64) {
        let source = self.source(name);
        self.features.items.push(Feature { bucket: bucket(group, name), value, group, source });
    }

    /// Stems and pairs of neighbours; the start of the prompt is a neighbour too.
    fn words(&mut self, tokens: &[String]) {
        let mut found = BTreeMap::new();
        let plain: Vec<String> = tokens.iter().map(|token| without_digits(token)).collect();
        for (at, word) in plain.iter().enumerate() {
            let shown = &tokens[at];
            count(&mut found, bucket(Group::Words, stem(word)), shown);
            let before = if at == 0 { "^" } else { plain[at - 1].as_str() };
            let pair = format!("{before} {word}");
            let shown = if at == 0 { shown.clone() } else { format!("{} {shown}", tokens[at - 1]) };
            count(&mut found, bucket(Group::Words, &pair), &shown);
        }
        self.normalised(Group::Words, found);
    }

    /// Three to five letters in a row, with the ends of the word marked: they catch typos, endings and other languages.
    fn pieces(&mut self, tokens: &[String]) {
        let mut found = BTreeMap::new();
        for token in tokens.iter().filter(|token| !is_mark(token)) {
            let letters: Vec<char> = std::iter::once('<').chain(token.chars()).chain(std::iter::once('>')).collect();
            for length in 3..=5 {
                for piece in letters.windows(length) {
                    let piece: String = piece.iter().collect();
                    count(&mut found, bucket(Group::Pieces, &piece), token);
                }
            }
        }
        self.normalised(Group::Pieces, found);
    }

    /// Often seen counts as the logarithm of how often; the whole has length one.
    fn normalised(&mut self, group: Group, found: BTreeMap<u32, (u32, String)>) {
        let value = |times: u32| 1.0 + libm::log(f64::from(times));
        let length = libm::sqrt(found.values().map(|(times, _)| value(*times) * value(*times)).sum::<f64>());
        for (bucket, (times, shown)) in found {
            let source = self.source(&shown);
            self.features.items.push(Feature { bucket, value: value(times) / length, group, source });
        }
    }
}

fn count(found: &mut BTreeMap<u32, (u32, String)>, bucket: u32, shown: &str) {
    found.entry(bucket).or_insert_with(|| (0, shown.to_owned())).0 += 1;
}

/// Lower-case words, an apostrophe within them kept, and question and exclamation marks.
#[must_use]
pub(crate) fn tokens(prompt: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut word = String::new();
    let mut letters = prompt.chars().peekable();
    while let Some(letter) = letters.next() {
        if tokens.len() >= WORDS_READ {
            return tokens;
        }
        let inside = letter == '\'' && !word.is_empty() && letters.peek().is_some_and(|next| next.is_alphabetic());
        if letter.is_alphanumeric() || inside {
            word.extend(letter.to_lowercase());
            continue;
        }
        if !word.is_empty() {
            tokens.push(std::mem::take(&mut word));
        }
        if letter == '?' || letter == '!' {
            tokens.push(letter.to_string());
        }
    }
    if !word.is_empty() {
        tokens.push(word);
    }
    tokens
}

pub(crate) fn is_mark(token: &str) -> bool {
    token == "?" || token == "!"
}

/// Numbers are all alike; what stands behind a number (`40s`, `12k`) is kept.
fn without_digits(token: &str) -> String {
    let rest = token.trim_start_matches(|letter: char| letter.is_ascii_digit());
    if rest.len() == token.len() { token.to_owned() } else { format!("#{}", rest.chars().take(3).collect::<String>()) }
}

/// The word without its commonest English endings; crude, and the same in training and use.
fn stem(word: &str) -> &str {
    const ENDINGS: &[(&str, usize)] = &[("ing", 6), ("ed", 5), ("es", 5), ("ly", 6), ("s", 4)];
    let mut stem = word;
    if let Some((ending, _)) =
        ENDINGS.iter().find(|(ending, least)| word.len() >= *least && word.ends_with(ending) && !word.ends_with("ss"))
    {
        stem = &word[..word.len() - ending.len()];
    }
    if stem.len() > 4 && stem.ends_with('e') { &stem[..stem.len() - 1] } else { stem }
}

/// FNV-1a over the group and the text, folded to a bucket.
fn bucket(group: Group, text: &str) -> u32 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let tag = match group {
        Group::Words => b'w',
        Group::Pieces => b'p',
        Group::Form => b'f',
        Group::Concepts => b'c',
    };
    for byte in std::iter::once(tag).chain(text.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let folded = hash ^ (hash >> 29) ^ (hash >> 47);
    #[expect(clippy::cast_possible_truncation, reason = "masked to the number of buckets")]
    let bucket = (folded & (BUCKETS as u64 - 1)) as u32;
    bucket
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_the_same_in_any_case_and_marks_are_kept() {
        assert_eq!(tokens("Don't STOP, 40s?!"), ["don't", "stop", "40s", "?", "!"]);
        assert_eq!(tokens(""), Vec::<String>::new());
        assert_eq!(tokens("注文 foo_bar"), ["注文", "foo", "bar"]);
    }

    #[test]
    fn endings_and_numbers_do_not_matter() {
        assert_eq!(stem("caching"), "cach");
        assert_eq!(stem("caches"), stem("cached"));
        assert_eq!(stem("class"), "class");
        assert_eq!(stem("naïve"), "naïv");
        assert_eq!(without_digits("40ms"), without_digits("7ms"));
        assert_eq!(without_digits("12"), "#");
    }

    #[test]
    fn words_and_pieces_have_length_one_each() {
        let features = Features::of("why does the import crawl since the import was moved?");
        for group in [Group::Words, Group::Pieces] {
            let length: f64 =
                features.items.iter().filter(|item| item.group == group).map(|item| item.value * item.value).sum();
            assert!((length - 1.0).abs() < 1e-9, "{group:?} {length}");
        }
        assert!(features.items.iter().all(|item| item.source < features.sources.len()));
    }

    #[test]
    fn an_empty_and_an_endless_prompt_are_both_fine() {
        assert!(Features::of("").items.iter().all(|item| item.group == Group::Form));
        let endless = "word ".repeat(100_000);
        assert_eq!(tokens(&endless).len(), WORDS_READ);
        assert!(Features::of(&endless).items.iter().all(|item| item.value.is_finite()));
    }
}
