//! Text laid out for a terminal's width: paragraphs wrapped with a hanging indent, also where they carry colours.

use console::measure_text_width;

use super::style;

/// What is assumed where there is no terminal and `COLUMNS` does not say otherwise.
const UNKNOWN: usize = 80;
/// Lines longer than this are hard to read, lines shorter than this cannot hold an indent and a word.
const WIDEST: usize = 120;
const NARROWEST: usize = 40;
/// The least room for text beside an indent.
const LEAST_ROOM: usize = 16;
/// The least room for a text that is read beside other columns.
pub(super) const BESIDE: usize = 30;
const RESET: &str = "\u{1b}[0m";

/// The columns to fill: `COLUMNS` where it is a number, else the terminal's own, else 80; 40 at least, 120 at most.
pub(crate) fn columns(variable: Option<&str>, terminal: Option<u16>) -> usize {
    room(variable, terminal).min(WIDEST)
}

/// As [`columns`], for lists: a record on one line is easy to read however long it is.
pub(crate) fn room(variable: Option<&str>, terminal: Option<u16>) -> usize {
    let said = variable.and_then(|text| text.trim().parse().ok()).filter(|columns| *columns > 0);
    said.or(terminal.map(usize::from)).unwrap_or(UNKNOWN).max(NARROWEST)
}

/// A text that grows by paragraphs. No line is wider than the page, however long a word is.
#[derive(Debug)]
pub(crate) struct Page {
    text: String,
    width: usize,
}

impl Page {
    pub(crate) fn new(width: usize) -> Self {
        Self { text: String::new(), width }
    }

    /// For a list: without a terminal each paragraph is one line, to be searched by line.
    pub(crate) fn list(width: Option<usize>) -> Self {
        Self::new(width.unwrap_or(usize::MAX))
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// A paragraph. `lead` stands before its first line; its other lines are indented by `hang`.
    pub(crate) fn paragraph(&mut self, lead: &str, hang: usize, text: &str) {
        let mut line = Filler::new(&mut self.text, self.width, hang);
        line.word(lead);
        line.fresh = true;
        line.fill(text);
        self.blank();
    }

    /// A paragraph whose lines are all indented alike.
    pub(crate) fn indented(&mut self, indent: usize, text: &str) {
        self.paragraph(&" ".repeat(indent), indent, text);
    }

    /// A paragraph whose other lines begin where the text after its lead begins, if that leaves room for some words;
    /// else they are indented by `hang`.
    pub(crate) fn beside(&mut self, lead: &str, hang: usize, text: &str) {
        let wide = measure_text_width(lead);
        self.paragraph(lead, if self.width.saturating_sub(wide) < BESIDE { hang } else { wide }, text);
    }

    /// A line that is not wrapped.
    pub(crate) fn verbatim(&mut self, line: &str) {
        self.text.push_str(line);
        self.blank();
    }

    pub(crate) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// A heading, set apart from what is above it.
    pub(crate) fn section(&mut self, title: &str) {
        if !self.text.is_empty() {
            self.blank();
        }
        self.paragraph("", 2, &style::strong(title));
    }
}

/// A text with its lines wrapped that are wider than the terminal, each at its own indent and two columns more.
pub(crate) fn fitted(text: &str, width: usize) -> String {
    let mut page = Page::new(width);
    for line in text.lines() {
        let plain = line.trim_start_matches(' ');
        let indent = line.len() - plain.len();
        if measure_text_width(line) > width {
            page.paragraph(&" ".repeat(indent), indent + 2, plain);
        } else {
            page.verbatim(line);
        }
    }
    page.into_text()
}

/// Breaks lines between words, and inside a word only where it is wider than a line. A colour ends with its line and
/// begins again after the next one's indent, so that a pager may cut the text anywhere.
struct Filler<'a> {
    out: &'a mut String,
    width: usize,
    hang: usize,
    used: usize,
    /// Nothing but an indent or a lead stands on the line.
    fresh: bool,
    /// The colours that are on.
    active: String,
}

impl<'a> Filler<'a> {
    fn new(out: &'a mut String, width: usize, hang: usize) -> Self {
        Self { out, width: width.max(hang + LEAST_ROOM), hang, used: 0, fresh: true, active: String::new() }
    }

    fn fill(&mut self, text: &str) {
        let mut gap = 0;
        for (at, word) in text.split(' ').enumerate() {
            gap += usize::from(at > 0);
            if word.is_empty() {
                continue;
            }
            if !self.fresh && self.used + gap + measure_text_width(word) > self.width {
                self.end_line();
            } else if !self.fresh {
                self.out.extend(std::iter::repeat_n(' ', gap));
                self.used += gap;
            }
            gap = 0;
            self.word(word);
        }
    }

    fn word(&mut self, word: &str) {
        let mut rest = word.chars();
        while let Some(character) = rest.next() {
            if character == '\u{1b}' {
                let tail: String = rest.by_ref().take_while(|one| *one != 'm').collect();
                self.paint(&format!("\u{1b}{tail}m"));
                continue;
            }
            let wide = measure_text_width(character.encode_utf8(&mut [0; 4]));
            if self.used + wide > self.width {
                self.end_line();
            }
            self.out.push(character);
            self.used += wide;
            self.fresh = false;
        }
    }

    fn paint(&mut self, colour: &str) {
        self.out.push_str(colour);
        if colour == RESET {
            self.active.clear();
        } else {
            self.active.push_str(colour);
        }
    }

    fn end_line(&mut self) {
        if !self.active.is_empty() {
            self.out.push_str(RESET);
        }
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n(' ', self.hang));
        self.out.push_str(&self.active);
        self.used = self.hang;
        self.fresh = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(width: usize, lead: &str, hang: usize, text: &str) -> String {
        let mut page = Page::new(width);
        page.paragraph(lead, hang, text);
        page.into_text()
    }

    #[test]
    fn the_variable_goes_before_the_terminal_and_both_are_bounded() {
        assert_eq!(columns(None, None), 80);
        assert_eq!(columns(None, Some(60)), 60);
        assert_eq!(columns(Some("100"), Some(60)), 100);
        assert_eq!((columns(Some("wide"), Some(60)), columns(Some("0"), None)), (60, 80));
        assert_eq!((columns(Some("9000"), None), columns(Some("3"), None)), (120, 40));
        assert_eq!((room(Some("9000"), None), room(None, Some(20))), (9000, 40), "a list may be wide");
    }

    #[test]
    fn later_lines_hang() {
        assert_eq!(page(24, "  - ", 4, "one two three four five six"), "  - one two three four\n    five six\n");
        assert_eq!(page(40, "", 2, "a   b"), "a   b\n", "gaps inside a line are kept");
    }

    #[test]
    fn a_text_goes_on_beside_its_lead_where_there_is_room() {
        let beside = |width| {
            let mut page = Page::list(width);
            page.beside("  git  ", 4, "finds the root of a repository and what changed in it");
            page.into_text()
        };
        assert_eq!(beside(None), "  git  finds the root of a repository and what changed in it\n");
        assert_eq!(beside(Some(40)), "  git  finds the root of a repository\n       and what changed in it\n");
        assert_eq!(beside(Some(30)), "  git  finds the root of a\n    repository and what\n    changed in it\n");
    }

    #[test]
    fn only_what_does_not_fit_is_wrapped_and_at_its_own_indent() {
        let text = "error: short\n  try: one two three four five six seven eight";
        assert_eq!(fitted(text, 80), format!("{text}\n"));
        assert_eq!(fitted(text, 40), "error: short\n  try: one two three four five six seven\n    eight\n");
        assert_eq!(fitted("", 40), "");
    }

    #[test]
    fn a_word_that_is_wider_than_a_line_is_cut() {
        let text = page(20, "", 2, &"x".repeat(50));
        assert!(text.lines().all(|line| line.len() <= 20), "{text}");
        assert_eq!(text.matches('x').count(), 50);
    }

    #[test]
    fn wide_characters_count_twice() {
        let text = page(20, "", 0, &"界".repeat(15));
        assert_eq!(text.lines().map(|line| line.chars().count()).collect::<Vec<_>>(), [10, 5]);
    }

    #[test]
    fn colours_have_no_width_and_end_with_their_line() {
        let text = page(20, "", 4, &style::dim("one two three four five"));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| line.ends_with(RESET) && measure_text_width(line) <= 20), "{text:?}");
        assert!(lines[1].starts_with("    \u{1b}[2m"), "{text:?}");
    }
}
