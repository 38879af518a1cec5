//! Places in files as people write them: `src/a.rs:10`, `src/a.rs#L10`, `src/a.rs` line 10, line 10 of `src/a.rs`.

use std::ops::Range;

use crate::source::Sources;

/// A place that a text names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: String,
    /// The first one of several.
    pub(super) line: u32,
    /// Where in the text it stands.
    pub(super) span: Range<usize>,
}

/// Ends of names that are taken for files although none of the name was given.
const EXTENSIONS: &[&str] = &[
    "bash", "bat", "c", "cc", "cfg", "cjs", "clj", "conf", "cpp", "cs", "css", "csv", "cxx", "dart", "ex", "exs",
    "erl", "go", "gradle", "graphql", "h", "hh", "hpp", "hs", "html", "ini", "java", "jl", "js", "json", "jsx", "kt",
    "kts", "less", "lock", "lua", "m", "md", "mjs", "ml", "mm", "nix", "php", "pl", "pm", "proto", "ps1", "py", "pyi",
    "r", "rb", "rs", "rst", "sass", "scala", "scss", "sh", "sol", "sql", "svelte", "swift", "tf", "toml", "ts", "tsx",
    "txt", "vue", "xml", "yaml", "yml", "zig", "zsh",
];
/// How far a line's number may stand behind its file.
const NEAR: usize = 24;
const LONGEST_PATH: usize = 300;

/// The first place in a text.
pub(super) fn find(text: &str, sources: &Sources) -> Option<Place> {
    tokens(text).find_map(|span| at(text, span, sources))
}

/// The place that a text begins with, and what follows it.
pub(super) fn leading<'a>(text: &'a str, sources: &Sources) -> Option<(Place, &'a str)> {
    let start = text.find(is_path_character)?;
    let opens = text[..start].chars().all(|character| "`*_([\"' ".contains(character));
    let place = find(crate::text::prefix(text, start + LONGEST_PATH + NEAR), sources)?;
    let rest = &text[place.span.end..];
    (opens && place.span.start == start).then_some((place, rest))
}

/// The first file in a text, with or without a line.
pub(super) fn file(text: &str, sources: &Sources) -> Option<String> {
    let named = |span: Range<usize>| is_path(&text[span.clone()], sources).then(|| text[span].to_owned());
    find(text, sources).map(|place| place.file).or_else(|| tokens(text).find_map(named))
}

/// The first number: `12`, `L12`, `12-14` and `lines 12 to 14` all begin with line 12.
pub(super) fn line(text: &str) -> Option<u32> {
    let start = text.find(|character: char| character.is_ascii_digit())?;
    let digits = text[start..].split(|character: char| !character.is_ascii_digit()).next()?;
    digits.parse().ok().filter(|line| *line > 0)
}

fn is_path_character(character: char) -> bool {
    character.is_alphanumeric() || "./_-+@\\:#~".contains(character)
}

/// Runs of characters that names of files and lines are made of.
fn tokens(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let from = start + text[start..].find(is_path_character)?;
        let end = text[from..].find(|character| !is_path_character(character)).map_or(text.len(), |end| from + end);
        start = end;
        let trimmed = text[from..end].trim_end_matches(['.', ':', '-', '#']).len();
        Some(from..from + trimmed)
    })
}

fn at(text: &str, span: Range<usize>, sources: &Sources) -> Option<Place> {
    let token = &text[span.clone()];
    if token.len() > LONGEST_PATH {
        return None;
    }
    if let Some((file, rest)) = token.split_once(['#', ':']) {
        let rest = rest.strip_prefix(['L', 'l']).unwrap_or(rest);
        let line = rest.starts_with(|first: char| first.is_ascii_digit()).then(|| line(rest)).flatten()?;
        return is_path(file, sources).then(|| Place { file: file.to_owned(), line, span: ranged(text, span) });
    }
    if !is_path(token, sources) {
        return None;
    }
    let file = token.to_owned();
    if let Some((line, end)) = line_behind(text, span.end) {
        return Some(Place { file, line, span: ranged(text, span.start..end) });
    }
    let line = line_before(&text[..span.start])?;
    Some(Place { file, line, span })
}

/// With the end of a range that is written with a long dash.
fn ranged(text: &str, span: Range<usize>) -> Range<usize> {
    let rest = &text[span.end..];
    let Some(more) = rest.strip_prefix(['\u{2013}', '-']) else { return span };
    let digits = more.trim_start_matches(|character: char| character.is_ascii_digit() || character == 'L');
    let end = text.len() - digits.len();
    span.start..if digits.len() < more.len() { end } else { span.end }
}

/// `line 12`, `(lines 12-14)` or `L12` right behind a file, and where that ends.
fn line_behind(text: &str, from: usize) -> Option<(u32, usize)> {
    let near = crate::text::prefix(&text[from..], NEAR);
    let mut rest = near;
    loop {
        rest = rest.trim_start_matches(|character: char| " `*_,;:([|\"'])".contains(character));
        let word = rest.split(|character: char| !character.is_alphabetic()).next().unwrap_or_default();
        let after = &rest[word.len()..];
        match word.to_ascii_lowercase().as_str() {
            "at" | "on" | "in" | "around" | "near" | "see" => rest = after,
            "line" | "lines" | "l" | "ln" => {
                let number = after.trim_start_matches([' ', ':', '#', '*', '`']);
                let line = number.starts_with(|first: char| first.is_ascii_digit()).then(|| line(number)).flatten()?;
                let behind = number.trim_start_matches(|character: char| character.is_ascii_digit());
                return Some((line, from + near.len() - behind.len()));
            }
            _ => return None,
        }
    }
}

/// `line 12 of` right before a file.
fn line_before(text: &str) -> Option<u32> {
    let words: Vec<&str> =
        text.rsplit(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()).take(4).collect();
    let lined = |word: &&str| matches!(word.to_ascii_lowercase().as_str(), "line" | "lines");
    match words.as_slice() {
        ["of" | "in", number, word, ..] if lined(word) => line(number),
        ["of" | "in", _, number, word] if lined(word) => line(number),
        _ => None,
    }
}

fn is_path(token: &str, sources: &Sources) -> bool {
    if token.contains("//") || token.len() > LONGEST_PATH || !token.contains(char::is_alphanumeric) {
        return false;
    }
    let name = token.rsplit(['/', '\\']).next().unwrap_or_default();
    let known = name.rsplit_once('.').is_some_and(|(stem, end)| {
        stem.contains(char::is_alphanumeric) && EXTENSIONS.contains(&end.to_ascii_lowercase().as_str())
    });
    known || sources.resolve(token).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::AttachmentForm;

    fn sources() -> Sources {
        let mut sources = Sources::default();
        sources.add("Makefile", AttachmentForm::File, "all:\n");
        sources
    }

    fn found(text: &str) -> Option<(String, u32)> {
        find(text, &sources()).map(|place| (place.file, place.line))
    }

    #[test]
    fn places_are_read_in_their_many_forms() {
        for text in [
            "src/a.rs:10",
            "`src/a.rs:10`",
            "in (src/a.rs:10-14).",
            "src/a.rs:10:7: error",
            "src/a.rs#L10",
            "src/a.rs#L10-L14",
            "src/a.rs:L10",
            "`src/a.rs` line 10",
            "src/a.rs, line 10",
            "src/a.rs (line 10)",
            "**src/a.rs** (lines 10\u{2013}14)",
            "src/a.rs L10",
            "src/a.rs at line 10",
            "line 10 of `src/a.rs`",
            "lines 10-14 in src/a.rs",
            "File: src/a.rs, Line: 10",
            "[src/a.rs:10](https://example.com/a.rs)",
        ] {
            assert_eq!(found(text), Some(("src/a.rs".into(), 10)), "{text}");
        }
        assert_eq!(found("Makefile:1"), Some(("Makefile".into(), 1)), "it was given");
    }

    #[test]
    fn what_only_looks_like_a_place_is_none() {
        for text in [
            "at 10:30",
            "localhost:8080",
            "127.0.0.1:80",
            "https://example.com/a.rs:10",
            "e.g. line 10",
            "v1.2:3",
            "self.size (line 10)",
            "std::vec:10",
            "Dockerfile:3",
            "src/a.rs",
            "src/a.rs:",
            "src/a.rs:0",
            "a.rs: 10",
            "src/a.rs:99999999999",
            "",
            "::",
            "\u{e4}:1",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn what_follows_a_leading_place_is_left() {
        let rest = |text: &'static str| leading(text, &sources()).map(|(_, rest)| rest);
        assert_eq!(rest("`src/a.rs:10` divides"), Some("` divides"));
        assert_eq!(rest("**src/a.rs** (lines 10\u{2013}14): divides"), Some("): divides"));
        assert_eq!(rest("It divides at src/a.rs:10"), None);
        assert_eq!(file("`src/a.rs`", &sources()), Some("src/a.rs".into()));
    }
}
