//! An answer's prose as its sentences: what positions are read from when answers are compared.

use crate::text::{one_line, printable};

/// The most sentences that are kept of one answer.
const MOST: usize = 24;
/// The most characters that are kept of one sentence.
const LONGEST: usize = 240;

/// The sentences of a text, each on one line and without marks of emphasis; code blocks are left out.
pub(super) fn split(prose: &str) -> Vec<String> {
    let mut sentences = Vec::new();
    for (at, block) in prose.split("```").enumerate() {
        if at % 2 == 0 {
            for line in printable(block).lines() {
                of_line(line, &mut sentences);
            }
        }
    }
    sentences.truncate(MOST);
    sentences
}

fn of_line(line: &str, statements: &mut Vec<String>) {
    let line = line.replace("**", "").replace("__", "");
    let line = line.trim().trim_start_matches(['#', '>', '*', '-', '\u{2022}', ' ']);
    sentences(line).for_each(|sentence| keep(sentence, statements));
}

/// The sentences of a line, each with the mark that ends it.
pub(super) fn sentences(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let ends = |(at, _): &(usize, &str)| {
            let after = &rest[at + 1..];
            after.chars().next().is_none_or(char::is_whitespace) && !abbreviates(&rest[..=*at])
        };
        let end = rest.match_indices(['.', '!', '?']).find(ends).map_or(rest.len(), |(at, _)| at + 1);
        let (sentence, after) = rest.split_at(end);
        rest = after;
        (!sentence.is_empty()).then_some(sentence)
    })
}

/// "e.g.", "vs." and the number of a list item end no sentence.
fn abbreviates(so_far: &str) -> bool {
    let last = so_far.rsplit(char::is_whitespace).next().unwrap_or_default().trim_start_matches('(').to_lowercase();
    let item = so_far.trim_end_matches('.').chars().all(|character| character.is_ascii_digit());
    matches!(last.as_str(), "e.g." | "i.e." | "vs." | "cf." | "etc." | "approx." | "no.1") || (item && so_far.len() < 4)
}

fn keep(sentence: &str, sentences: &mut Vec<String>) {
    if sentence.chars().any(char::is_alphanumeric) {
        sentences.push(one_line(sentence, LONGEST));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_where_people_end_them() {
        assert_eq!(
            split("No. Use 3.12, e.g. now!\n- **Verdict**: keep it\n\n```rust\nfn a() {}\n```\n1. Done?"),
            ["No.", "Use 3.12, e.g. now!", "Verdict: keep it", "1. Done?"]
        );
        assert!(split("...\n---\n").is_empty());
    }

    #[test]
    fn a_long_answer_is_cut() {
        assert_eq!(split(&"Word. ".repeat(500)).len(), MOST);
        assert!(split(&"word ".repeat(500))[0].chars().count() <= LONGEST);
    }
}
