//! From an answer's text to a patch. Total: what is no plain diff is refused with the reason.

use super::{Change, FileChange, Hunk, Line, MOST_BYTES, MOST_FILES, Patch, Refusal, Side};

/// Reads the one diff of an answer: a block fenced as `diff` or `patch`, else a bare diff to the text's end.
///
/// # Errors
/// Why there is none that may be tried.
pub fn read(text: &str) -> Result<Patch, Refusal> {
    let (_, diff) = find(text)?;
    parse(diff)
}

/// Where the diff of an answer begins: what stands before it is the member's explanation.
#[must_use]
pub fn fence(text: &str) -> Option<usize> {
    find(text).ok().map(|(at, _)| at)
}

/// A fence inside a diff stands behind a space, a plus or a minus; so the first one at a line's beginning closes.
fn find(text: &str) -> Result<(usize, &str), Refusal> {
    let mut found: Option<(usize, &str)> = None;
    let mut open: Option<(usize, usize)> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end();
        match open {
            Some((start, body)) if bare.starts_with("```") => {
                let diff = &text[body..at];
                if found.is_some_and(|(_, other)| other != diff) {
                    return Err(Refusal::SeveralDiffs);
                }
                found = Some((start, diff));
                open = None;
            }
            Some(_) => {}
            None if matches!(bare, "```diff" | "```patch" | "```udiff") => open = Some((at, at + line.len())),
            None => {}
        }
        at += line.len();
    }
    match (open, found) {
        // It ended before its fence was closed: whatever is missing, this is not what was meant.
        (Some(_), _) => Err(Refusal::NoDiff),
        (None, Some(found)) => Ok(found),
        (None, None) => bare(text).ok_or(Refusal::NoDiff),
    }
}

fn bare(text: &str) -> Option<(usize, &str)> {
    if text.lines().any(|line| line.starts_with("```")) {
        return None;
    }
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let names = line.starts_with("--- ") && text[at + line.len()..].starts_with("+++ ");
        if names || line.starts_with("diff --git ") {
            return Some((at, &text[at..]));
        }
        at += line.len();
    }
    None
}

fn parse(diff: &str) -> Result<Patch, Refusal> {
    if diff.len() > MOST_BYTES {
        return Err(Refusal::TooLong { bytes: diff.len() });
    }
    let mut reader = Reader { lines: diff.lines().collect(), at: 0, files: Vec::new() };
    while reader.at < reader.lines.len() {
        reader.section()?;
    }
    let mut files = reader.files;
    if files.is_empty() {
        return Err(Refusal::Empty);
    }
    if files.len() > MOST_FILES {
        return Err(Refusal::TooManyFiles);
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(Patch { files })
}

struct Reader<'a> {
    lines: Vec<&'a str>,
    at: usize,
    files: Vec<FileChange>,
}

impl<'a> Reader<'a> {
    fn line(&self, ahead: usize) -> &'a str {
        self.lines.get(self.at + ahead).copied().unwrap_or_default()
    }

    fn unreadable(&self) -> Refusal {
        Refusal::Unreadable { line: self.at + 1 }
    }

    /// One line between hunks, or the whole change of a file.
    fn section(&mut self) -> Result<(), Refusal> {
        let line = self.line(0);
        if line.starts_with("--- ") && self.line(1).starts_with("+++ ") {
            return self.file();
        }
        header(line)?;
        // A file without lines of its own: an empty one, a mode or a name alone.
        let begins = line.starts_with("diff --git ");
        if begins && !self.has_hunks() {
            return Err(Refusal::NotLines);
        }
        if !is_header(line) && !line.trim().is_empty() {
            return Err(self.unreadable());
        }
        self.at += 1;
        Ok(())
    }

    fn has_hunks(&self) -> bool {
        let rest = self.lines[self.at + 1..].iter();
        let own: Vec<&&str> = rest.take_while(|line| !line.starts_with("diff --git ")).collect();
        // What is refused for a better reason is refused for that.
        own.iter().any(|line| line.starts_with("@@ ") || header(line).is_err())
    }

    fn file(&mut self) -> Result<(), Refusal> {
        let (old, new) = (name(self.line(0)), name(self.line(1)));
        let (path, change) = match (old, new) {
            ("/dev/null", "/dev/null") => return Err(self.unreadable()),
            ("/dev/null", new) => (new.strip_prefix("b/").unwrap_or(new), Change::Create),
            (old, "/dev/null") => (old.strip_prefix("a/").unwrap_or(old), Change::Delete),
            (old, new) => match (old.strip_prefix("a/"), new.strip_prefix("b/")) {
                (Some(old), Some(new)) if old == new => (new, Change::Modify),
                _ if old == new => (new, Change::Modify),
                _ => return Err(Refusal::NotLines),
            },
        };
        let path = check_path(path)?.to_owned();
        self.at += 2;
        let mut hunks = Vec::new();
        while self.line(0).starts_with("@@ ") {
            hunks.push(self.hunk()?);
        }
        if hunks.is_empty() {
            return Err(Refusal::NotLines);
        }
        if is_ambiguous(&hunks) {
            return Err(self.unreadable());
        }
        self.take(FileChange { path, change, hunks })
    }

    /// Two sections about one file are one change of it.
    fn take(&mut self, file: FileChange) -> Result<(), Refusal> {
        let line = self.at + 1;
        match self.files.iter_mut().find(|known| known.path == file.path) {
            Some(known) if known.change == Change::Modify && file.change == Change::Modify => {
                known.hunks.extend(file.hunks);
                known.hunks.sort_by_key(|hunk| hunk.at);
                if is_ambiguous(&known.hunks) {
                    return Err(Refusal::Unreadable { line });
                }
            }
            Some(_) => return Err(Refusal::Path { path: file.path }),
            None => self.files.push(file),
        }
        Ok(())
    }

    fn hunk(&mut self) -> Result<Hunk, Refusal> {
        let (at, mut old, mut new) = counts(self.line(0)).ok_or_else(|| self.unreadable())?;
        self.at += 1;
        let mut lines: Vec<Line> = Vec::new();
        while self.at < self.lines.len() {
            let line = self.line(0);
            let promised = old > 0 || new > 0;
            let names = line.starts_with("--- ") && self.line(1).starts_with("+++ ");
            if names && (!promised || self.line(2).starts_with("@@ ")) {
                break;
            }
            let rest = line.get(1..).unwrap_or_default();
            let (side, text) = match line.as_bytes().first() {
                Some(b' ') => (Side::Context, rest),
                Some(b'-') => (Side::Removed, rest),
                Some(b'+') => (Side::Added, rest),
                Some(b'\\') => {
                    lines.last_mut().ok_or_else(|| self.unreadable())?.unended = true;
                    self.at += 1;
                    continue;
                }
                // The space of an empty line of context is lost easily.
                None if promised => (Side::Context, ""),
                _ => break,
            };
            old = old.saturating_sub(u32::from(side != Side::Added));
            new = new.saturating_sub(u32::from(side != Side::Removed));
            lines.push(Line { side, text: text.to_owned(), unended: false });
            self.at += 1;
        }
        // Empty lines at the end, where fewer lines came than were promised, are no part of the file.
        while (old > 0 || new > 0)
            && lines.last().is_some_and(|last| last.side == Side::Context && last.text.is_empty())
        {
            lines.pop();
        }
        if lines.iter().all(|line| line.side == Side::Context) {
            return Err(Refusal::Empty);
        }
        Ok(Hunk { at, lines })
    }
}

/// A hunk that removes `-- a` and adds `++ b` at its end, before another hunk, reads like the names of another file: who
/// counts lines takes it for the one, who counts on names for the other.
fn is_ambiguous(hunks: &[Hunk]) -> bool {
    let names = |hunk: &Hunk| {
        let [.., old, new] = hunk.lines.as_slice() else { return false };
        let is = |line: &Line, side: Side, beginning: &str| line.side == side && line.text.starts_with(beginning);
        is(old, Side::Removed, "-- ") && is(new, Side::Added, "++ ")
    };
    hunks.split_last().is_some_and(|(_, before)| before.iter().any(names))
}

/// What a header says that is not taken.
fn header(line: &str) -> Result<(), Refusal> {
    let says = |beginning: &str| line.starts_with(beginning);
    let mode = ["new file mode ", "deleted file mode ", "old mode ", "new mode ", "index "].iter().any(|one| says(one));
    if mode && line.split(' ').next_back().is_some_and(|mode| matches!(mode, "120000" | "160000")) {
        return Err(Refusal::Link);
    }
    if says("GIT binary patch") || (says("Binary files ") && line.ends_with(" differ")) {
        return Err(Refusal::Binary);
    }
    if says("rename ") || says("copy ") || says("old mode ") || says("new mode ") {
        return Err(Refusal::NotLines);
    }
    Ok(())
}

fn is_header(line: &str) -> bool {
    let known =
        ["diff ", "index ", "new file mode ", "deleted file mode ", "similarity index ", "dissimilarity index "];
    known.iter().any(|beginning| line.starts_with(beginning))
}

/// The name behind `--- ` or `+++ `: up to a tab, which a date follows.
fn name(line: &str) -> &str {
    let name = line.get(4..).unwrap_or_default();
    name.split('\t').next().unwrap_or_default().trim_end()
}

/// A path that means the same everywhere: relative, without steps back, quotes and control characters.
fn check_path(path: &str) -> Result<&str, Refusal> {
    let refused = || Refusal::Path { path: crate::text::one_line(path, 80) };
    let odd = |character: char| character.is_control() || matches!(character, '"' | '\\' | ':' | '\u{feff}');
    if path.is_empty() || path.len() > 400 || path.chars().any(odd) {
        return Err(refused());
    }
    for part in path.split('/') {
        // Some file systems take these for `.git`.
        let plain: String = part.chars().filter(|letter| !crate::patch::same::is_ignorable(*letter)).collect();
        let plain = plain.trim_end_matches(['.', ' ']).to_lowercase();
        if plain == ".git" || plain.starts_with("git~") {
            return Err(Refusal::Git);
        }
        if matches!(part, "" | "." | "..") {
            return Err(refused());
        }
    }
    Ok(path)
}

/// `@@ -12,3 +12,4 @@ fn name()` begins at line 12 of the old file, and promises 3 old and 4 new lines.
fn counts(line: &str) -> Option<(u32, u32, u32)> {
    let inner = line.strip_prefix("@@ -")?.split(" @@").next()?;
    let (old, new) = inner.split_once(" +")?;
    // Where it begins in the new file follows from the rest, and may lie beyond what is taken of the old one.
    let range = |text: &str| -> Option<(u64, u32)> {
        match text.trim().split_once(',') {
            Some((at, count)) => Some((at.parse().ok()?, count.parse().ok()?)),
            None => Some((text.trim().parse().ok()?, 1)),
        }
    };
    let ((at, old), (_, new)) = (range(old)?, range(new)?);
    Some((u32::try_from(at).ok()?, old, new))
}
