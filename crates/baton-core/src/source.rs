//! The true files behind a task: does the line that a finding names exist, and does it say what is quoted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::hash::Hash;
use crate::task::AttachmentForm;

/// What is known of the place that a finding names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status")]
pub enum LocationCheck {
    /// The line exists, and what was quoted stands within a few lines of it.
    Verified,
    /// The file was looked for around the task and is not there.
    NoSuchFile,
    /// The file has no such line.
    NoSuchLine { lines: u32 },
    /// The line exists but what was quoted does not stand near it.
    QuoteNotThere,
    /// The line exists and holds no letter and no digit, and no words were quoted from near it.
    EmptyLine,
    /// The finding names no line, or a file of which nothing is known.
    Unknown,
}

/// A place that a finding names and that is in none of the texts of the task.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// As the finding names it.
    pub file: String,
    pub line: u32,
    pub quote: Option<String>,
}

impl Named {
    /// Names longer than this are no paths, and none of them is kept.
    pub const LONGEST: usize = 300;

    /// `None` where it is no path, or where the texts of the task tell of that place.
    #[must_use]
    pub fn of(file: String, line: u32, quote: Option<String>, sources: &Sources) -> Option<Self> {
        let unknown = file.len() <= Self::LONGEST && !sources.tells_of(&file, line);
        unknown.then_some(Self { file, line, quote })
    }

    /// There is no such file.
    #[must_use]
    pub fn absent(&self) -> Sighting {
        self.sighting(None, LocationCheck::NoSuchFile)
    }

    fn sighting(&self, path: Option<String>, location: LocationCheck) -> Sighting {
        Sighting { file: self.file.clone(), line: self.line, quote: self.quote_hash(), path, location }
    }

    fn quote_hash(&self) -> Option<Hash> {
        hash_of(self.quote.as_deref())
    }
}

/// What a file that was not given with the task said of a place when the answer was read. Nothing of its text is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// As the finding names it.
    pub file: String,
    pub line: u32,
    /// Of what was quoted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<Hash>,
    /// From the root of the workspace; `None` where there is no such file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    pub location: LocationCheck,
}

/// How far from the named line a quotation may stand: members count blank lines and headers differently.
const QUOTE_WINDOW: u32 = 5;

/// The numbered lines of the texts that went with a task, and what was seen of the files around it.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: BTreeMap<String, Lines>,
    seen: Vec<Sighting>,
}

#[derive(Clone, Debug, Default)]
struct Lines {
    known: BTreeMap<u32, String>,
    /// A whole file has no line but these; of a diff, only those in its hunks are known.
    whole: bool,
}

impl Sources {
    /// Adds one attachment's text.
    pub fn add(&mut self, name: &str, form: AttachmentForm, text: &str) {
        match form {
            AttachmentForm::File => {
                self.files.insert(normal(name), Lines::whole(text));
            }
            AttachmentForm::Diff => self.add_diff(text),
        }
    }

    fn add_diff(&mut self, text: &str) {
        let mut file = None;
        let mut next = 0_u32;
        for line in text.lines() {
            if let Some(path) = line.strip_prefix("+++ ") {
                file = diff_path(path);
            } else if let Some(start) = hunk_start(line) {
                next = start;
            } else if let (Some(name), Some(content)) = (&file, new_side(line)) {
                let lines = self.files.entry(name.clone()).or_default();
                lines.known.insert(next, content.to_owned());
                next = next.saturating_add(1);
            }
        }
    }

    /// What is known of `file`, `line` and the words quoted from there.
    #[must_use]
    pub fn check(&self, file: Option<&str>, line: Option<u32>, quote: Option<&str>) -> LocationCheck {
        let (Some(file), Some(line)) = (file, line) else { return LocationCheck::Unknown };
        if self.tells_of(file, line) {
            return self.find(file).map_or(LocationCheck::Unknown, |lines| lines.check(line, quote));
        }
        let quote = hash_of(quote);
        let about = |seen: &&Sighting| seen.file == file && seen.line == line && seen.quote == quote;
        self.seen.iter().find(about).map_or(LocationCheck::Unknown, |seen| seen.location.clone())
    }

    /// The texts of the task say whether this line exists.
    #[must_use]
    pub fn tells_of(&self, file: &str, line: u32) -> bool {
        self.find(file).is_some_and(|lines| lines.whole || lines.known.contains_key(&line))
    }

    /// What a file says of a place that is in none of the texts. `None` where a diff of the task shows other lines of it
    /// than it has: then it is not the file that the diff leads to.
    #[must_use]
    pub fn sight(&self, named: &Named, path: &str, text: &str) -> Option<Sighting> {
        let whole = Lines::whole(text);
        let agrees = |lines: &Lines| lines.known.iter().all(|(line, text)| whole.known.get(line) == Some(text));
        let location = whole.check(named.line, named.quote.as_deref());
        self.find(&named.file).is_none_or(agrees).then(|| named.sighting(Some(path.to_owned()), location))
    }

    /// The file is told of by a diff of the task alone.
    #[must_use]
    pub fn is_in_diff(&self, file: &str) -> bool {
        self.find(file).is_some_and(|lines| !lines.whole)
    }

    /// Takes in what was seen around the task, in the place of what was seen before.
    pub fn see(&mut self, seen: Vec<Sighting>) {
        self.seen = seen;
    }

    /// What was seen around the task.
    #[must_use]
    pub fn seen(&self) -> &[Sighting] {
        &self.seen
    }

    /// The name under which a file is known, when exactly one fits: members shorten and lengthen paths.
    #[must_use]
    pub fn resolve(&self, file: &str) -> Option<&str> {
        let seen = || self.seen.iter().find(|seen| seen.file == file).and_then(|seen| seen.path.as_deref());
        self.given(file).or_else(seen)
    }

    fn given(&self, file: &str) -> Option<&str> {
        let wanted = normal(file);
        if let Some((name, _)) = self.files.get_key_value(&wanted) {
            return Some(name);
        }
        let fits = |name: &&String| is_tail(name, &wanted) || is_tail(&wanted, name);
        let mut found = self.files.keys().filter(fits);
        match (found.next(), found.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }

    fn find(&self, file: &str) -> Option<&Lines> {
        self.given(file).and_then(|name| self.files.get(name))
    }
}

impl Lines {
    fn whole(text: &str) -> Self {
        Self { known: (1..).zip(text.lines().map(str::to_owned)).collect(), whole: true }
    }

    fn check(&self, line: u32, quote: Option<&str>) -> LocationCheck {
        let Some(text) = self.known.get(&line) else { return self.missing() };
        match quote.map(squeeze).filter(|words| !words.is_empty()) {
            Some(words) if !self.near(line).contains(&words) => LocationCheck::QuoteNotThere,
            Some(words) if says_something(&words) => LocationCheck::Verified,
            _ if says_something(text) => LocationCheck::Verified,
            _ => LocationCheck::EmptyLine,
        }
    }

    fn missing(&self) -> LocationCheck {
        if self.whole {
            LocationCheck::NoSuchLine { lines: u32::try_from(self.known.len()).unwrap_or(u32::MAX) }
        } else {
            LocationCheck::Unknown
        }
    }

    fn near(&self, line: u32) -> String {
        let window = line.saturating_sub(QUOTE_WINDOW)..=line.saturating_add(QUOTE_WINDOW);
        let text: Vec<&str> = self.known.range(window).map(|(_, text)| text.as_str()).collect();
        squeeze(&text.join(" "))
    }
}

fn hash_of(quote: Option<&str>) -> Option<Hash> {
    quote.map(|text| Hash::of(text.as_bytes()))
}

/// No claim is about white space, a brace or the frame of a comment.
fn says_something(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

fn is_tail(long: &str, short: &str) -> bool {
    long.strip_suffix(short).is_some_and(|head| head.ends_with('/'))
}

fn normal(name: &str) -> String {
    name.trim().trim_start_matches("./").replace('\\', "/")
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn diff_path(path: &str) -> Option<String> {
    let path = path.split('\t').next().unwrap_or(path).trim();
    if path == "/dev/null" {
        return None;
    }
    Some(normal(path.strip_prefix("b/").unwrap_or(path)))
}

/// The first new-side line of `@@ -1,2 +3,4 @@`.
fn hunk_start(line: &str) -> Option<u32> {
    let new_side = line.strip_prefix("@@ ")?.split(' ').find(|part| part.starts_with('+'))?;
    new_side[1..].split(',').next()?.parse().ok()
}

fn new_side(line: &str) -> Option<&str> {
    line.strip_prefix('+').or_else(|| line.strip_prefix(' ')).or_else(|| line.is_empty().then_some(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Sources {
        let mut sources = Sources::default();
        sources.add("src/net.rs", AttachmentForm::File, "fn a() {\n    retry();\n}\n");
        sources
    }

    #[test]
    fn a_line_beyond_the_end_is_named_as_such() {
        let sources = file();
        assert_eq!(sources.check(Some("src/net.rs"), Some(9), None), LocationCheck::NoSuchLine { lines: 3 });
        assert_eq!(sources.check(Some("src/net.rs"), Some(0), None), LocationCheck::NoSuchLine { lines: 3 });
        assert_eq!(sources.check(Some("net.rs"), Some(2), Some("  retry( );".trim())), LocationCheck::QuoteNotThere);
        assert_eq!(sources.check(Some("./src/net.rs"), Some(1), Some("retry();")), LocationCheck::Verified);
        assert_eq!(sources.check(Some("/repo/src/net.rs"), Some(2), None), LocationCheck::Verified);
    }

    #[test]
    fn what_was_not_given_is_unknown_not_wrong() {
        let sources = file();
        assert_eq!(sources.check(Some("other.rs"), Some(1), None), LocationCheck::Unknown);
        assert_eq!(sources.check(Some("src/net.rs"), None, None), LocationCheck::Unknown);
        assert_eq!(sources.check(None, Some(1), None), LocationCheck::Unknown);
    }

    #[test]
    fn a_name_that_fits_two_files_is_not_guessed() {
        let mut sources = file();
        sources.add("lib/net.rs", AttachmentForm::File, "x\n");
        assert_eq!(sources.resolve("net.rs"), None);
        assert_eq!(sources.resolve("lib/net.rs"), Some("lib/net.rs"));
    }

    #[test]
    fn a_diff_knows_the_new_side_of_its_hunks() {
        let mut sources = Sources::default();
        let diff = "--- a/x.rs\n+++ b/x.rs\n@@ -10,3 +10,4 @@ fn f()\n same\n-old\n+new\n+more\n same\n";
        sources.add("standard input", AttachmentForm::Diff, diff);
        assert_eq!(sources.check(Some("x.rs"), Some(11), Some("new")), LocationCheck::Verified);
        assert_eq!(sources.check(Some("x.rs"), Some(13), Some("same")), LocationCheck::Verified);
        assert_eq!(sources.check(Some("x.rs"), Some(200), None), LocationCheck::Unknown);
    }

    fn named(file: &str, line: u32, quote: Option<&str>) -> Named {
        Named { file: file.into(), line, quote: quote.map(str::to_owned) }
    }

    #[test]
    fn an_empty_line_is_no_place_unless_words_from_near_it_are_quoted() {
        let sources = file();
        let check = |line, quote| sources.check(Some("src/net.rs"), Some(line), quote);
        assert_eq!(check(3, None), LocationCheck::EmptyLine);
        assert_eq!(check(3, Some("}")), LocationCheck::EmptyLine);
        assert_eq!(check(3, Some("retry();")), LocationCheck::Verified);
        assert_eq!(check(3, Some("sleep();")), LocationCheck::QuoteNotThere);
    }

    #[test]
    fn what_was_seen_around_the_task_counts_where_nothing_was_given() {
        let mut sources = file();
        let there = named("b/Cargo.toml", 2, Some("a = 1"));
        let beyond = named("Cargo.toml", 9, None);
        let ghost = named("src/ghost.rs", 3, None);
        let text = "[package]\na = 1\n";
        let seen = [&there, &beyond].map(|one| sources.sight(one, "Cargo.toml", text).unwrap());
        sources.see(seen.into_iter().chain([ghost.absent()]).collect());
        let check = |one: &Named| sources.check(Some(&one.file), Some(one.line), one.quote.as_deref());
        assert_eq!(check(&there), LocationCheck::Verified);
        assert_eq!(check(&beyond), LocationCheck::NoSuchLine { lines: 2 });
        assert_eq!(check(&ghost), LocationCheck::NoSuchFile);
        assert_eq!(check(&named("b/Cargo.toml", 2, Some("a = 2"))), LocationCheck::Unknown, "it was not looked for");
        assert_eq!(sources.resolve("b/Cargo.toml"), Some("Cargo.toml"));
        let kept = serde_json::to_string(sources.seen()).unwrap();
        assert!(!kept.contains("package") && !kept.contains("a = 1"), "no text of the file is kept: {kept}");
    }

    #[test]
    fn a_file_beside_a_diff_counts_only_where_it_is_what_the_diff_leads_to() {
        let mut sources = Sources::default();
        sources.add("d", AttachmentForm::Diff, "--- a/x.rs\n+++ b/x.rs\n@@ -1,1 +1,2 @@\n one\n+two\n");
        let beyond = named("x.rs", 40, None);
        assert!(!sources.tells_of("x.rs", 40) && sources.tells_of("x.rs", 2) && sources.is_in_diff("x.rs"));
        let seen = sources.sight(&beyond, "x.rs", "one\ntwo\nthree\n").unwrap();
        assert_eq!(seen.location, LocationCheck::NoSuchLine { lines: 3 });
        assert_eq!(sources.sight(&beyond, "x.rs", "one\nthree\n"), None, "the change is not in it");
    }

    #[test]
    fn a_deleted_file_has_no_new_lines() {
        let mut sources = Sources::default();
        sources.add("d", AttachmentForm::Diff, "--- a/x.rs\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-gone\n");
        assert_eq!(sources.resolve("x.rs"), None);
    }
}
