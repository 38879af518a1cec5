//! Families of words that speak of the same thing, so that a prompt may use any of them. What each family means for a
//! kind is learned in training; here stands only what belongs together.
//!
//! A pattern is a word, a word's beginning (`slow*`), a part of a word (`*遅*`, for scripts without spaces), or several
//! of these in a row.

/// The families: a line with the name that reasons show, then patterns between commas.
const FAMILIES: &str = include_str!("lexicon.txt");

/// The families that the prompt speaks of, and those it speaks of more than once, in a fixed order.
pub(super) fn concepts(tokens: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for (name, patterns) in families() {
        let count = patterns.filter(|pattern| speaks(tokens, pattern)).count();
        if count >= 1 {
            found.push(name.to_owned());
        }
        if count >= 2 {
            found.push(format!("{name}, twice"));
        }
        if count >= 3 {
            found.push(format!("{name}, thrice"));
        }
    }
    found
}

/// Names and patterns, read from the text each time: about a thousand words are quicker scanned than kept.
fn families() -> impl Iterator<Item = (&'static str, impl Iterator<Item = &'static str>)> {
    FAMILIES.split("# ").filter_map(|family| family.split_once('\n')).map(|(name, patterns)| {
        (name, patterns.split([',', '\n']).map(str::trim).filter(|pattern| !pattern.is_empty()))
    })
}

fn speaks(tokens: &[String], pattern: &str) -> bool {
    let length = pattern.split(' ').count();
    tokens.windows(length).any(|row| row.iter().zip(pattern.split(' ')).all(|(token, piece)| matches(token, piece)))
}

fn matches(token: &str, piece: &str) -> bool {
    match (piece.strip_prefix('*'), piece.strip_suffix('*')) {
        (Some(rest), Some(_)) => token.contains(rest.trim_end_matches('*')),
        (None, Some(beginning)) => token.starts_with(beginning),
        _ => token == piece,
    }
}

#[cfg(test)]
mod tests {
    use super::super::features::tokens;
    use super::*;

    fn heard(prompt: &str) -> Vec<String> {
        concepts(&tokens(prompt))
    }

    #[test]
    fn any_word_of_a_family_speaks_for_it() {
        for prompt in ["the page crawls", "p99 went up", "die Seite ist langsam", "システムが遅いです"] {
            assert!(heard(prompt).contains(&"talk of speed".to_owned()), "{prompt}: {:?}", heard(prompt));
        }
        assert!(!heard("the page is blue").contains(&"talk of speed".to_owned()));
    }

    #[test]
    fn every_family_has_a_name_and_no_pattern_twice() {
        let mut names = std::collections::BTreeSet::new();
        for (name, patterns) in families() {
            assert!(names.insert(name), "{name}");
            let patterns: Vec<&str> = patterns.collect();
            let distinct: std::collections::BTreeSet<&&str> = patterns.iter().collect();
            assert_eq!(distinct.len(), patterns.len(), "{name}");
            assert!(patterns.len() > 10, "{name}");
            assert!(patterns.iter().all(|pattern| *pattern == pattern.to_lowercase()), "{name}");
        }
        assert_eq!(names.len(), 19);
    }

    #[test]
    fn beginnings_parts_and_rows_of_words_match_as_written() {
        assert!(matches("slowly", "slow*") && !matches("slowly", "slow"));
        assert!(matches("很慢了", "*慢*"));
        assert!(speaks(&tokens("is it the only way?"), "the only way"));
        assert!(!speaks(&tokens("only the way"), "the only way"));
        assert!(!speaks(&[], "slow*"));
    }

    #[test]
    fn more_words_of_a_family_are_told_apart_from_one() {
        let name = "talk of speed, twice".to_owned();
        assert!(heard("slow and laggy").contains(&name));
        assert!(!heard("slow").contains(&name));
    }
}
