//! The words of a claim: with their endings as they stand, and as the parts of its tokens with their endings taken off.

use std::borrow::Cow;

use super::listed::Listed;

/// Words that stand in any sentence.
static EMPTY_WORDS: Listed<63> = Listed::of([
    "a", "all", "also", "an", "and", "any", "are", "as", "at", "be", "been", "being", "but", "by", "can", "could",
    "did", "do", "does", "for", "from", "had", "has", "have", "if", "in", "into", "is", "it", "its", "may", "might",
    "must", "no", "nor", "not", "of", "on", "only", "or", "out", "should", "so", "such", "than", "that", "the",
    "their", "them", "then", "there", "these", "they", "this", "those", "to", "was", "were", "when", "which", "will",
    "with", "would",
]);
/// Letters that are left at least where an ending is cut.
const STEM: usize = 4;

/// Gives the words of a claim in order, lower case, with their endings.
pub(super) fn for_plain_words(claim: &str, mut each: impl FnMut(&str)) {
    let mut lower = String::new();
    let apart = |character: char| !(character.is_alphanumeric() || matches!(character, '_' | '\'' | '-'));
    for word in claim.split(apart).filter(|word| !word.is_empty()) {
        lower.clear();
        push_lower(&mut lower, word);
        each(&lower);
    }
}

/// Runs of letters, digits and underscores.
pub(super) fn tokens(claim: &str) -> impl Iterator<Item = &str> {
    claim.split(|character: char| !(character.is_alphanumeric() || character == '_')).filter(|token| !token.is_empty())
}

/// Gives the parts of a token and returns how many there are. `retryCount2` and `retry_count_2` are retry, count and
/// 2; lower case.
pub(super) fn for_parts(token: &str, part: &mut String, mut each: impl FnMut(&str)) -> usize {
    let mut parts = 0;
    let mut end = |part: &mut String| {
        if !part.is_empty() {
            parts += 1;
            each(part);
            part.clear();
        }
    };
    part.clear();
    let mut before = None;
    let mut characters = token.chars().peekable();
    while let Some(here) = characters.next() {
        if before.is_some_and(|before| begins(before, here, characters.peek().copied())) {
            end(part);
        }
        if here != '_' {
            part.extend(here.to_lowercase());
        }
        before = Some(here);
    }
    end(part);
    parts
}

/// Does a new part begin here: after an underscore, at a hump, between letters and digits.
fn begins(before: char, here: char, next: Option<char>) -> bool {
    let next_is_small = || next.is_some_and(char::is_lowercase);
    before == '_'
        || before.is_numeric() != here.is_numeric()
        || (here.is_uppercase() && (before.is_lowercase() || next_is_small()))
}

pub(super) fn tells(part: &str) -> bool {
    part.chars().nth(1).is_some() && !EMPTY_WORDS.has(part)
}

/// As [`str::to_lowercase`], without a text of its own for plain letters.
pub(super) fn push_lower(text: &mut String, word: &str) {
    if word.is_ascii() {
        text.extend(word.chars().map(|character| character.to_ascii_lowercase()));
    } else {
        text.push_str(&word.to_lowercase());
    }
}

/// The word without its ending, so that `raises`, `raising` and `raised` are one term.
pub(super) fn stem(word: &str) -> Cow<'_, str> {
    for ending in endings(word) {
        if let Some(root) = word.strip_suffix(ending).filter(|root| root.chars().nth(STEM - 1).is_some()) {
            return if matches!(*ending, "ies" | "ied") { format!("{root}y").into() } else { root.into() };
        }
    }
    word.into()
}

/// The endings that a word may have by its last letter, longest first.
fn endings(word: &str) -> &'static [&'static str] {
    match word.as_bytes().last() {
        Some(b'd') => &["ied", "ed"],
        Some(b'e') => &["e"],
        Some(b'g') => &["ing"],
        Some(b'n') => &["ization", "ation"],
        Some(b'r') => &["er"],
        Some(b's') => &["ations", "ments", "ings", "ness", "ies", "ers", "es", "s"],
        Some(b't') => &["ment"],
        Some(b'y') => &["ingly", "edly", "ly"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(token: &str) -> Vec<String> {
        let mut parts = Vec::new();
        let count = for_parts(token, &mut String::new(), |part| parts.push(part.to_owned()));
        assert_eq!(count, parts.len());
        parts
    }

    #[test]
    fn a_token_has_parts_at_humps_digits_and_underscores() {
        assert_eq!(parts("HTTPServer2_x"), ["http", "server", "2", "x"]);
        assert_eq!(parts("__retryCount__"), ["retry", "count"]);
        assert_eq!(parts("ÉclairÉtat"), ["éclair", "état"]);
        assert!(parts("__").is_empty() && parts("").is_empty());
    }

    #[test]
    fn words_are_lower_case_as_the_language_has_it() {
        let mut words = Vec::new();
        for_plain_words("Don't re-raise, ΣΑΣ (Some_Error)!", |word| words.push(word.to_owned()));
        assert_eq!(words, ["don't", "re-raise", "σας", "some_error"]);
    }

    #[test]
    fn forms_of_a_word_are_one_term() {
        for word in ["crashes", "crashed", "crashing", "crash"] {
            assert_eq!(stem(word), "crash");
        }
        assert_eq!(stem("queries"), stem("query"));
        assert_eq!(stem("cache"), stem("cached"));
        assert_eq!(stem("normalization"), "normal");
        assert_eq!(stem("ratings"), "rating", "too short for the longer ending");
        assert_eq!((stem("is"), stem("the"), stem("")), ("is".into(), "the".into(), "".into()));
    }

    #[test]
    fn empty_words_and_single_letters_tell_nothing() {
        assert!(["it", "that", "x", "é", ""].iter().all(|word| !tells(word)));
        assert!(["lock", "10", "été"].iter().all(|word| tells(word)));
    }
}
