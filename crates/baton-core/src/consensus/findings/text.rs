//! What a claim is about, as weighted terms: words with their endings taken off, pairs of neighbouring words, and
//! identifiers of the code, whole and in their parts.

use std::collections::BTreeMap;

/// Words that stand in any sentence.
const EMPTY_WORDS: &[&str] = &[
    "a", "all", "also", "an", "and", "any", "are", "as", "at", "be", "been", "being", "but", "by", "can", "could",
    "did", "do", "does", "for", "from", "had", "has", "have", "if", "in", "into", "is", "it", "its", "may", "might",
    "must", "no", "nor", "not", "of", "on", "only", "or", "out", "should", "so", "such", "than", "that", "the",
    "their", "them", "then", "there", "these", "they", "this", "those", "to", "was", "were", "when", "which", "will",
    "with", "would",
];
/// Endings, longest first. Cut only where four letters are left.
const ENDINGS: &[&str] = &[
    "ization", "ations", "ation", "ingly", "ments", "ment", "ings", "edly", "ness", "ing", "ies", "ied", "ers", "ed",
    "es", "er", "ly", "s",
];
const STEM: usize = 4;
/// How much a pair of neighbouring words weighs beside a word.
const PAIR: f64 = 0.6;

/// The terms of a claim with the weight of each before its rarity: one plus the logarithm of how often it stands
/// there, less for pairs.
pub(super) fn terms(claim: &str) -> BTreeMap<String, f64> {
    let mut counts: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    let mut count = |term: String, kind: f64| counts.entry(term).or_insert((0.0, kind)).0 += 1.0;
    let mut before: Option<String> = None;
    for token in tokens(claim) {
        let parts = parts(token);
        if parts.len() > 1 {
            count(format!("#{}", token.to_lowercase()), 1.0);
        }
        for word in parts.iter().filter(|part| tells(part)).map(|part| stem(part)) {
            if let Some(before) = before.replace(word.clone()) {
                count(format!("{before} {word}"), PAIR);
            }
            count(word, 1.0);
        }
    }
    counts.into_iter().map(|(term, (times, kind))| (term, kind * (1.0 + libm::log(times)))).collect()
}

/// The words of a claim in order, lower case, with their endings.
pub(super) fn plain_words(claim: &str) -> Vec<String> {
    claim
        .split(|character: char| !(character.is_alphanumeric() || "_'-".contains(character)))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

fn tells(part: &str) -> bool {
    part.chars().count() > 1 && EMPTY_WORDS.binary_search(&part).is_err()
}

fn tokens(claim: &str) -> impl Iterator<Item = &str> {
    claim.split(|character: char| !(character.is_alphanumeric() || character == '_')).filter(|token| !token.is_empty())
}

/// `retryCount2` and `retry_count_2` are retry, count and 2; lower case.
fn parts(token: &str) -> Vec<String> {
    let characters: Vec<char> = token.chars().collect();
    let mut parts = vec![String::new()];
    for (at, &character) in characters.iter().enumerate() {
        if at > 0 && begins(&characters, at) {
            parts.push(String::new());
        }
        if let Some(last) = parts.last_mut().filter(|_| character != '_') {
            last.extend(character.to_lowercase());
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Does a new part begin here: after an underscore, at a hump, between letters and digits.
fn begins(characters: &[char], at: usize) -> bool {
    let (before, here) = (characters[at - 1], characters[at]);
    let next_is_small = characters.get(at + 1).is_some_and(|next| next.is_lowercase());
    before == '_'
        || before.is_numeric() != here.is_numeric()
        || (here.is_uppercase() && (before.is_lowercase() || next_is_small))
}

/// The word without its ending, so that `raises`, `raising` and `raised` are one term.
pub(super) fn stem(word: &str) -> String {
    for ending in ENDINGS {
        if let Some(root) = word.strip_suffix(ending).filter(|root| root.chars().count() >= STEM) {
            return if matches!(*ending, "ies" | "ied") { format!("{root}y") } else { root.to_owned() };
        }
    }
    match word.strip_suffix('e') {
        Some(root) if root.chars().count() >= STEM => root.to_owned(),
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_words_are_sorted_for_the_search() {
        assert!(EMPTY_WORDS.is_sorted());
    }

    #[test]
    fn an_identifier_counts_whole_and_in_its_parts() {
        for spelled in ["retryCount", "retry_count", "RetryCount"] {
            let terms = terms(spelled);
            let whole = format!("#{}", spelled.to_lowercase());
            assert_eq!(
                terms.keys().map(String::as_str).collect::<Vec<_>>(),
                [&*whole, "count", "retry", "retry count"]
            );
        }
        assert_eq!(parts("HTTPServer2_x"), ["http", "server", "2", "x"]);
    }

    #[test]
    fn forms_of_a_word_are_one_term() {
        for word in ["crashes", "crashed", "crashing", "crash"] {
            assert_eq!(stem(word), "crash");
        }
        assert_eq!(stem("queries"), stem("query"));
        assert_eq!(stem("cache"), stem("cached"));
        assert_eq!(stem("is"), "is");
    }

    #[test]
    fn empty_words_tell_nothing_and_repeats_count_less_each_time() {
        assert!(terms("it is not that").is_empty());
        let terms = terms("lock, then lock");
        assert!((terms["lock"] - (1.0 + libm::log(2.0))).abs() < 1e-12);
        assert!((terms["lock lock"] - PAIR).abs() < 1e-12);
    }
}
