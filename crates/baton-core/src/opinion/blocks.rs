//! The layout of an answer's own words: headings, list items, paragraphs and rows of tables.

use super::{label, own};
use crate::text::prefix;

/// How much of one line is read, and what of it may be a label.
const LONGEST_LINE: usize = 2_000;
const LONGEST_LABEL: usize = 40;
/// How many lines are kept of one item.
pub(super) const MOST_LINES: usize = 100;

/// What holds lines together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// Of this level.
    Heading(usize),
    /// Indented by this much.
    Listed(usize),
    Paragraph,
    Row,
}

/// Lines that belong together.
pub(super) struct Block<'a> {
    pub(super) form: Form,
    pub(super) lines: Vec<&'a str>,
}

/// The lines of the author's own, by what holds them together.
pub(super) fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut gap = true;
    for line in own::lines(text) {
        let line = prefix(line, LONGEST_LINE);
        if line.trim().trim_matches(['-', '*', '_', '=']).is_empty() {
            gap = true;
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        for (part, of_text) in parts(line) {
            let form = if part == 0 { form(line) } else { None };
            let goes_on = part == 0 && form.is_none() && label::head(of_text).is_none();
            match blocks.last_mut().filter(|last| goes_on && continues(last.form, gap, indent)) {
                Some(last) if last.lines.len() >= MOST_LINES => {}
                Some(last) => last.lines.push(of_text),
                None => blocks.push(Block { form: form.unwrap_or(Form::Paragraph), lines: vec![of_text] }),
            }
        }
        gap = false;
    }
    blocks
}

fn continues(form: Form, gap: bool, indent: usize) -> bool {
    match form {
        Form::Heading(_) | Form::Row => false,
        Form::Listed(of_item) => !gap || indent > of_item,
        Form::Paragraph => !gap,
    }
}

/// What kind of block a line begins; `None` for plain text.
fn form(line: &str) -> Option<Form> {
    let bare = line.trim_start();
    let indent = line.len() - bare.len();
    let hashes = bare.len() - bare.trim_start_matches('#').len();
    if (1..=6).contains(&hashes) && bare[hashes..].starts_with(' ') {
        return Some(Form::Heading(hashes));
    }
    if bare.starts_with('|') {
        return Some(Form::Row);
    }
    (unlisted(bare).len() < bare.len()).then_some(Form::Listed(indent))
}

/// The text without the marker of a list item or a heading.
pub(super) fn unlisted(text: &str) -> &str {
    let bare = text.trim_start();
    let after = bare.strip_prefix(['-', '*', '+', '\u{2022}']).or_else(|| {
        let opened = bare.strip_prefix('(').unwrap_or(bare);
        let number = opened.trim_start_matches(|character: char| character.is_ascii_digit());
        let digits = opened.len() - number.len();
        number.strip_prefix(['.', ')']).filter(|_| (1..=3).contains(&digits))
    });
    after.filter(|rest| rest.starts_with([' ', '\t'])).map_or(bare, str::trim_start)
}

/// A line's text, cut where a sentence begins with a label: "Reject. Critical: it leaks." is a word and an item.
fn parts(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let text = unlisted(line.trim_start().trim_start_matches('#'));
    let starts = text.match_indices(['.', '!', '?', ';']).filter_map(move |(at, _)| {
        let rest = &text[at + 1..];
        let word = rest.trim_start();
        let label = prefix(word, LONGEST_LABEL);
        let label =
            if word.starts_with(['[', '*']) { Some(label) } else { label.split_once(':').map(|(label, _)| label) };
        let labels = word.len() < rest.len() && label.is_some_and(|label| label::head(label).is_some());
        labels.then(|| text.len() - word.len())
    });
    let mut starts: Vec<usize> = std::iter::once(0).chain(starts.filter(|_| !text.starts_with('|'))).collect();
    starts.push(text.len());
    let parts: Vec<&str> = starts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
    parts.into_iter().enumerate()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_held_together_by_what_they_begin_with() {
        let text = "## Low\nOne,\ntwo.\n\n- three\n  four\n\n  five\nsix. High: seven\n---\n| 8 | 9 |\n1) ten";
        let seen: Vec<(Form, String)> = blocks(text).into_iter().map(|one| (one.form, one.lines.join("/"))).collect();
        let wanted = [
            (Form::Heading(2), "Low"),
            (Form::Paragraph, "One,/two."),
            (Form::Listed(0), "three/four/five/six. "),
            (Form::Paragraph, "High: seven"),
            (Form::Row, "| 8 | 9 |"),
            (Form::Listed(0), "ten"),
        ];
        assert_eq!(seen, wanted.map(|(form, text)| (form, text.to_owned())));
    }
}
