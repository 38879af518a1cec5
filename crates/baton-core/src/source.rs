//! The true files behind a task: does the line that a finding names exist, and does it say what is quoted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::task::AttachmentForm;

/// What is known of the place that a finding names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status")]
pub enum LocationCheck {
    /// The line exists, and what was quoted stands within a few lines of it.
    Verified,
    /// The file was given and has no such line.
    NoSuchLine { lines: u32 },
    /// The line exists but what was quoted does not stand near it.
    QuoteNotThere,
    /// The finding names no line, or a file that baton was not given.
    Unknown,
}

/// How far from the named line a quotation may stand: members count blank lines and headers differently.
const QUOTE_WINDOW: u32 = 5;

/// The numbered lines of the texts that went with a task.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: BTreeMap<String, Lines>,
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
                let known = (1..).zip(text.lines().map(str::to_owned)).collect();
                self.files.insert(normal(name), Lines { known, whole: true });
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
        let Some(lines) = self.find(file) else { return LocationCheck::Unknown };
        if !lines.known.contains_key(&line) {
            return lines.missing();
        }
        match quote.map(squeeze).filter(|words| !words.is_empty()) {
            Some(words) if !lines.near(line).contains(&words) => LocationCheck::QuoteNotThere,
            _ => LocationCheck::Verified,
        }
    }

    /// The name under which a file is known, when exactly one fits: members shorten and lengthen paths.
    #[must_use]
    pub fn resolve(&self, file: &str) -> Option<&str> {
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
        self.resolve(file).and_then(|name| self.files.get(name))
    }
}

impl Lines {
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

    #[test]
    fn a_deleted_file_has_no_new_lines() {
        let mut sources = Sources::default();
        sources.add("d", AttachmentForm::Diff, "--- a/x.rs\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-gone\n");
        assert_eq!(sources.resolve("x.rs"), None);
    }
}
