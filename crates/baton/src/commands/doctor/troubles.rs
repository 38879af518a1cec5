//! Known troubles, and which of them apply to what was found here.

use serde::Deserialize;

use super::servers::Server;
use super::version::{Range, Version};

/// One entry of `catalog/troubles.toml`, which says what each field means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trouble {
    pub(super) id: String,
    pub(super) date: String,
    pub(super) level: Level,
    pub(super) applies: Applies,
    pub(super) text: String,
    pub(super) mend: String,
    pub(super) source: String,
}

/// Whether it must be mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Level {
    Attention,
    Note,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Applies {
    program: Option<String>,
    output: Option<String>,
    not_output: Option<String>,
    server: Option<String>,
    launch: Option<String>,
    model: Option<String>,
    from: Option<Version>,
    through: Option<Version>,
    below: Option<Version>,
}

/// A program on this machine.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) name: String,
    /// What `--version` printed, where it was kept.
    pub(super) output: Option<String>,
    pub(super) version: Option<Version>,
}

/// What was found here.
pub(super) struct Facts<'a> {
    pub(super) programs: &'a [Program],
    pub(super) servers: &'a [&'a Server],
    /// Seats with their models.
    pub(super) models: &'a [(String, String)],
}

/// A trouble that applies, or that may: then nothing but the version is not known.
#[derive(Clone, Debug)]
pub(super) struct Finding<'a> {
    pub(super) trouble: &'a Trouble,
    pub(super) subjects: Vec<String>,
    pub(super) certain: bool,
}

impl Finding<'_> {
    pub(super) fn needs_attention(&self) -> bool {
        self.certain && self.trouble.level == Level::Attention
    }
}

/// Those of the troubles that apply, in their order.
pub(super) fn matching<'a>(troubles: &'a [Trouble], facts: &Facts<'_>) -> Vec<Finding<'a>> {
    troubles.iter().filter_map(|trouble| trouble.matched(facts)).collect()
}

impl Trouble {
    fn matched<'a>(&'a self, facts: &Facts<'_>) -> Option<Finding<'a>> {
        let hits = self.applies.hits(facts);
        let certain: Vec<String> =
            hits.iter().filter(|(_, certain)| *certain).map(|(subject, _)| subject.clone()).collect();
        let is_certain = !certain.is_empty();
        let subjects =
            if is_certain { certain } else { hits.into_iter().map(|(subject, _)| subject).collect::<Vec<_>>() };
        (!subjects.is_empty()).then_some(Finding { trouble: self, subjects, certain: is_certain })
    }

    /// What is wrong with the entry itself.
    #[cfg(test)]
    pub(super) fn problem(&self) -> Option<&'static str> {
        let applies = &self.applies;
        let is_server = applies.server.is_some() || applies.launch.is_some();
        let is_id = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        let date: jiff::civil::Date = match self.date.parse() {
            Ok(date) => date,
            Err(_) => return Some("the date is none"),
        };
        if self.id.is_empty() || !self.id.chars().all(is_id) {
            return Some("the id is none");
        }
        if date.year() < 2025 {
            return Some("the date is too old");
        }
        if !(self.text.ends_with('.') && self.mend.ends_with('.')) || self.source.trim().is_empty() {
            return Some("text and mend are sentences, and a source is named");
        }
        if applies.program.is_none() && !is_server && applies.model.is_none() {
            return Some("it applies to nothing");
        }
        if applies.model.is_some() && (is_server || applies.program.is_some() || !applies.range().holds_all()) {
            return Some("a model stands alone");
        }
        let has_output = applies.output.is_some() || applies.not_output.is_some();
        if has_output && (applies.program.is_none() || is_server) {
            return Some("only a program has an output");
        }
        match (&applies.from, applies.below.as_ref().or(applies.through.as_ref())) {
            (Some(from), Some(to)) if from >= to => Some("the range is empty"),
            _ => None,
        }
    }
}

/// A subject, and whether the version is known to be in range.
type Hit = (String, bool);

impl Applies {
    fn hits(&self, facts: &Facts<'_>) -> Vec<Hit> {
        if let Some(pattern) = &self.model {
            let fits = facts.models.iter().filter(|(_, model)| fits(pattern, model));
            return fits.map(|(seat, _)| (seat.clone(), true)).collect();
        }
        let programs: Vec<Hit> = facts.programs.iter().filter_map(|program| self.program_hit(program)).collect();
        if self.server.is_none() && self.launch.is_none() {
            return programs;
        }
        let with_program = self.program.is_some().then(|| programs.iter().map(|(_, certain)| *certain).max());
        let servers = facts.servers.iter().filter(|server| self.is_server(server));
        match with_program {
            Some(None) => Vec::new(),
            Some(Some(certain)) => servers.map(|server| (subject(server), certain)).collect(),
            None => servers.filter_map(|server| self.server_hit(server)).collect(),
        }
    }

    fn program_hit(&self, program: &Program) -> Option<Hit> {
        let printed = match (&self.output, &self.not_output, &program.output) {
            (None, None, _) => true,
            (Some(pattern), _, Some(output)) => fits(pattern, output),
            (None, Some(pattern), Some(output)) => !fits(pattern, output),
            _ => false,
        };
        if !printed || !fits(self.program.as_ref()?, &program.name) {
            return None;
        }
        Some((program.name.clone(), self.within(program.version.as_ref())?))
    }

    fn is_server(&self, server: &Server) -> bool {
        let package = server.package().map(|package| package.name);
        let named = |pattern: &String| {
            fits(pattern, &server.name) || package.as_ref().is_some_and(|package| fits(pattern, last(package)))
        };
        let launched = |pattern: &String| server.words().is_some_and(|words| fits(pattern, &words));
        self.server.as_ref().is_some_and(named) || self.launch.as_ref().is_some_and(launched)
    }

    fn server_hit(&self, server: &Server) -> Option<Hit> {
        let package = server.package();
        let certain = self.within(package.as_ref().and_then(|package| package.version.as_ref()))?;
        Some((subject(server), certain))
    }

    /// `None`: surely not. False: the version is not known.
    fn within(&self, version: Option<&Version>) -> Option<bool> {
        let range = self.range();
        match version {
            _ if range.holds_all() => Some(true),
            None => Some(false),
            Some(version) => range.holds(version).then_some(true),
        }
    }

    fn range(&self) -> Range {
        Range { from: self.from.clone(), through: self.through.clone(), below: self.below.clone() }
    }
}

fn subject(server: &Server) -> String {
    format!("{} in {}", server.name, server.place)
}

/// A package's name without its scope.
fn last(package: &str) -> &str {
    package.rsplit('/').next().unwrap_or(package)
}

/// Whether a pattern with `*` fits a text, in any case of its letters.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.trim().to_lowercase());
    let Some((head, mut rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(head) else { return false };
    while let Some((middle, after)) = rest.split_once('*') {
        let Some(at) = text.find(middle) else { return false };
        text = &text[at + middle.len()..];
        rest = after;
    }
    text.ends_with(rest)
}

#[cfg(test)]
mod tests;
