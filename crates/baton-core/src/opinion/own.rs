//! What of an answer is its author's own: without what it only quotes.

/// The lines of a text that its author says: without blocks between fences, lines behind `>`, the envelopes in which
/// material is shown to members, and lines of it with their numbers. A fence that is never closed goes to the end.
pub(super) fn lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut inside: Option<Quotation> = None;
    for line in text.lines() {
        if let Some(quotation) = &inside {
            if quotation.ends_with(line) {
                inside = None;
            }
            continue;
        }
        let (own, quotation) = opening(line);
        inside = quotation;
        let quoted = own.trim_start().starts_with('>') || is_numbered(own);
        lines.extend((!quoted).then_some(own));
    }
    lines
}

/// A quotation of several lines.
enum Quotation {
    Fence {
        mark: char,
        length: usize,
    },
    /// Backticks that open within a line, and close wherever they come again.
    Inline,
    Envelope,
}

impl Quotation {
    fn ends_with(&self, line: &str) -> bool {
        let bare = line.trim();
        match self {
            Self::Fence { mark, length } => bare.len() >= *length && bare.chars().all(|character| character == *mark),
            Self::Inline => line.contains("```"),
            Self::Envelope => bare.starts_with("<<<end "),
        }
    }
}

/// What of a line stands before a quotation of several lines that begins in it.
fn opening(line: &str) -> (&str, Option<Quotation>) {
    let marker = |character: char| {
        character.is_whitespace() || character.is_ascii_digit() || matches!(character, '-' | '*' | '+' | '.' | ')')
    };
    let bare = line.trim_start_matches(marker);
    if bare.starts_with("<<<quoted ") {
        return ("", Some(Quotation::Envelope));
    }
    let length = |mark: char| bare.chars().take_while(|character| *character == mark).count();
    for mark in ['`', '~'] {
        let length = length(mark);
        if length >= 3 && !bare[length..].contains(mark) {
            return ("", Some(Quotation::Fence { mark, length }));
        }
    }
    let odd = line.matches("```").count() % 2 == 1;
    let at = line.rfind("```").filter(|_| odd);
    at.map_or((line, None), |at| (&line[..at], Some(Quotation::Inline)))
}

/// `12 | let x = 1;`, as files are shown.
fn is_numbered(line: &str) -> bool {
    let bare = line.trim_start();
    let rest = bare.trim_start_matches(|character: char| character.is_ascii_digit());
    rest.len() < bare.len() && rest.trim_start().starts_with('|')
}

/// The text with what it quotes within a line taken out: `code`, "words" and 'words'.
pub(super) fn unquoted(line: &str) -> String {
    let mut own = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(['`', '"', '\'', '\u{201c}']) {
        let (before, quoted) = rest.split_at(at);
        own.push_str(before);
        let Some(mark) = quoted.chars().next() else { break };
        let after = &quoted[mark.len_utf8()..];
        let within = own.chars().next_back().is_some_and(char::is_alphanumeric);
        match closing(after, mark).filter(|_| mark != '\'' || !within) {
            Some(end) => {
                own.push_str(" … ");
                rest = &after[end..];
            }
            None => {
                own.push(mark);
                rest = after;
            }
        }
    }
    own.push_str(rest);
    own
}

/// The most that is looked at for the end of a quotation in a line.
const LONGEST_QUOTATION: usize = 400;

/// Where a quotation that began with this mark is over.
fn closing(text: &str, mark: char) -> Option<usize> {
    let end = if mark == '\u{201c}' { '\u{201d}' } else { mark };
    let text = crate::text::prefix(text, LONGEST_QUOTATION);
    let ends = |at: &usize| mark != '\'' || !text[at + 1..].chars().next().is_some_and(char::is_alphanumeric);
    text.match_indices(end).map(|(at, _)| at).find(ends).map(|at| at + end.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_fenced_quoted_or_shown_is_not_its_authors() {
        for quoted in [
            "```\nno\n```",
            "````\n```\nno\n```\nno\n````",
            "~~~text\nno\n~~~",
            "- ```\n  no\n  ```",
            "See: ```\nno\nno```",
            "> no\n  > no",
            "<<<quoted 0123456789abcdef: a.md>>>\nno\n```\n<<<end 0123456789abcdef>>>",
            "  12 | no\n13| no",
        ] {
            let text = format!("mine\n{quoted}\nmine too");
            let own = lines(&text).join("\n");
            assert!(
                own.starts_with("mine\n") && own.ends_with("mine too") && !own.contains("no"),
                "{text}\n---\n{own}"
            );
        }
        assert_eq!(lines("mine\n```\nno\nno"), ["mine", ""], "never closed");
        assert_eq!(lines("| 12 | mine |\nuse ```x``` here"), ["| 12 | mine |", "use ```x``` here"]);
    }

    #[test]
    fn quotations_within_a_line_are_taken_out() {
        for (text, own) in [
            ("It says \"LGTM\" there.", "It says  …  there."),
            ("It says \u{201c}LGTM\u{201d}.", "It says  … ."),
            ("`LGTM` and 'LGTM'", " …  and  … "),
            ("I don't think it's right", "I don't think it's right"),
            ("5\" wide", "5\" wide"),
            ("it can't \u{e4}'", "it can't \u{e4}'"),
        ] {
            assert_eq!(unquoted(text), own);
        }
    }
}
