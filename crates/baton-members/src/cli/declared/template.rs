//! Arguments with gaps.

use std::ffi::OsString;
use std::path::Path;

/// When an argument is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Slot {
    Always,
    /// The seat has a model.
    Model,
    /// An effort is asked for.
    Effort,
    /// A session begins.
    New,
    /// A session goes on.
    Resume,
}

/// One argument, in the place that its number gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    pub(crate) slot: Slot,
    number: u16,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Gap(&'static str),
}

/// What the gaps are filled with.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Values<'a> {
    pub(crate) model: Option<&'a str>,
    pub(crate) effort: Option<&'a str>,
    pub(crate) session: Option<&'a str>,
    pub(crate) directory: Option<&'a Path>,
    pub(crate) prompt_file: Option<&'a Path>,
}

const GAPS: &[&str] = &["model", "effort", "directory", "session", "prompt_file"];

impl Template {
    /// # Errors
    /// A group that does not exist, a number that is none, a gap that does not exist or is never filled in this group.
    pub(crate) fn parse(group: &str, number: &str, text: &str) -> Result<Self, String> {
        let slot = match group {
            "arg" => Slot::Always,
            "model" => Slot::Model,
            "effort" => Slot::Effort,
            "new" => Slot::New,
            "resume" => Slot::Resume,
            _ => return Err("is not known to this kind of channel".to_owned()),
        };
        let place = number.parse::<u16>().ok().filter(|place| place.to_string() == number);
        let template = Self { slot, number: place.ok_or("ends in no number")?, pieces: pieces(text)? };
        let is_filled = |gap: &str| match gap {
            "effort" => slot == Slot::Effort,
            "session" => matches!(slot, Slot::New | Slot::Resume),
            _ => true,
        };
        match GAPS.iter().find(|gap| template.names(gap) && !is_filled(gap)) {
            Some(gap) => Err(format!("{{{gap}}} is not known for `{group}.N`")),
            None => Ok(template),
        }
    }

    /// Arguments stand in the order of their numbers; of equal ones those that are always given come first.
    pub(crate) fn place(&self) -> (u16, Slot) {
        (self.number, self.slot)
    }

    pub(crate) fn names(&self, gap: &str) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Gap(known) if *known == gap))
    }

    /// One argument, whatever the values hold; `None` when a value is missing.
    pub(crate) fn fill(&self, values: Values<'_>) -> Option<OsString> {
        let mut argument = OsString::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => argument.push(text),
                Piece::Gap("model") => argument.push(values.model?),
                Piece::Gap("effort") => argument.push(values.effort?),
                Piece::Gap("session") => argument.push(values.session?),
                Piece::Gap("directory") => argument.push(values.directory?),
                Piece::Gap(_) => argument.push(values.prompt_file?),
            }
        }
        Some(argument)
    }
}

/// `{name}` is a gap; other braces are text, so that JSON may stand in an argument.
fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let name = after.split_once('}').filter(|(name, _)| is_name(name));
        match name {
            Some((name, after)) => {
                let gap = GAPS.iter().find(|gap| **gap == name);
                let gap = gap.ok_or_else(|| format!("there is no {{{name}}}: there are {}", GAPS.join(", ")))?;
                pieces.extend([Piece::Text(before.to_owned()), Piece::Gap(gap)]);
                rest = after;
            }
            None => {
                pieces.push(Piece::Text(format!("{before}{{")));
                rest = after;
            }
        }
    }
    pieces.push(Piece::Text(rest.to_owned()));
    Ok(pieces)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Option<OsString> {
        let values = Values { model: Some("m{effort}"), session: Some("s"), ..Values::default() };
        Template::parse("new", "1", text).unwrap().fill(values)
    }

    #[test]
    fn gaps_are_filled_once() {
        assert_eq!(filled("--x={model}/{session}").unwrap(), "--x=m{effort}/s");
        assert_eq!(filled("").unwrap(), "");
        assert_eq!(filled("{prompt_file}"), None);
    }

    #[test]
    fn other_braces_are_text() {
        assert_eq!(filled(r#"{"a":{"b":"{model}"}}"#).unwrap(), r#"{"a":{"b":"m{effort}"}}"#);
        assert_eq!(filled("{").unwrap(), "{");
        assert_eq!(filled("a{}b").unwrap(), "a{}b");
    }

    #[test]
    fn what_is_never_filled_is_refused() {
        for (group, number, text) in [
            ("arg", "1", "{session}"),
            ("arg", "1", "{effort}"),
            ("new", "1", "{prompt}"),
            ("args", "1", "x"),
            ("arg", "01", "x"),
            ("arg", "", "x"),
            ("arg", "-1", "x"),
        ] {
            assert!(Template::parse(group, number, text).is_err(), "{group}.{number} {text}");
        }
    }
}
