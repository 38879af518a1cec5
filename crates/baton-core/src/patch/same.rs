//! When two patches do the same: their lines without white space, comments and the order of imports.
//!
//! It is a class of texts, not of behaviour. What is adopted is always one patch that was tried as it is; the class
//! only says who else wrote the same.

use super::{FileChange, Patch, Side};
use crate::hash::{FieldHasher, Hash};

pub(super) fn class(patch: &Patch) -> Hash {
    let mut hasher = FieldHasher::default();
    for file in &patch.files {
        let removed = normal(file, Side::Removed);
        let added = normal(file, Side::Added);
        if removed.is_empty() && added.is_empty() {
            continue;
        }
        hasher = hasher.field(file.path.as_bytes()).number(removed.len() as u64).number(added.len() as u64);
        for line in removed.iter().chain(&added) {
            hasher = hasher.field(line.as_bytes());
        }
    }
    hasher.finish()
}

/// One side's changed lines of a file, in order, runs of imports sorted.
fn normal(file: &FileChange, side: Side) -> Vec<String> {
    let language = Language::of(&file.path);
    let mut lines: Vec<String> = Vec::new();
    let mut imports: Vec<String> = Vec::new();
    for line in file.lines().filter(|line| line.side == side) {
        let text = line.text.trim();
        if text.is_empty() || language.is_comment(text) {
            continue;
        }
        let squeezed = language.squeeze(&line.text);
        if is_import(text) {
            imports.push(squeezed);
            continue;
        }
        flush(&mut imports, &mut lines);
        lines.push(squeezed);
    }
    flush(&mut imports, &mut lines);
    lines
}

fn flush(imports: &mut Vec<String>, lines: &mut Vec<String>) {
    imports.sort_unstable();
    lines.append(imports);
}

fn is_import(line: &str) -> bool {
    let line = line.strip_prefix("pub ").unwrap_or(line);
    ["use ", "import ", "from ", "#include", "require ", "require_relative ", "using "]
        .iter()
        .any(|beginning| line.starts_with(beginning))
}

/// What a file's ending tells of comments and indentation.
struct Language {
    comments: &'static [&'static str],
    /// How far a line is indented means something.
    indents: bool,
}

impl Language {
    fn of(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        let comments: &[&str] = match name.rsplit_once('.').map_or(name, |(_, ending)| ending) {
            "rs" | "c" | "h" | "cc" | "cpp" | "hpp" | "java" | "js" | "jsx" | "ts" | "tsx" | "go" | "swift" | "kt"
            | "cs" | "scala" | "php" | "dart" | "zig" => &["//", "/*", "*/", "* "],
            "py" | "pyi" | "sh" | "rb" | "toml" | "yaml" | "yml" | "pl" | "r" | "mk" | "Makefile" => &["#"],
            "sql" | "lua" | "hs" => &["--"],
            _ => &[],
        };
        let indents = [".py", ".pyi", ".yaml", ".yml", ".hs", ".mk", "Makefile"].iter().any(|end| name.ends_with(end));
        Self { comments, indents }
    }

    fn is_comment(&self, line: &str) -> bool {
        // A first line that names the interpreter is none.
        !line.starts_with("#!") && self.comments.iter().any(|beginning| line.starts_with(beginning))
    }

    /// White space stays between two words only, where it keeps them apart; and in front where it means something.
    fn squeeze(&self, line: &str) -> String {
        let mut squeezed = String::with_capacity(line.len());
        if self.indents {
            squeezed.extend(line.chars().take_while(|letter| letter.is_whitespace()));
        }
        let mut gap = false;
        let mut last: Option<char> = None;
        for letter in line.trim().chars() {
            if letter.is_whitespace() {
                gap = true;
                continue;
            }
            if gap && last.is_some_and(is_word) && is_word(letter) {
                squeezed.push(' ');
            }
            gap = false;
            squeezed.push(letter);
            last = Some(letter);
        }
        squeezed
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Letters that nobody sees, which some file systems drop from names.
pub(super) fn is_ignorable(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
