//! Recorded cases of all kinds, read from the bytes of files.

use std::collections::BTreeSet;

use crate::case::{Case, CaseKind, ChoiceCase, ConflictCase, FindingsCase, TaskCase, read_line};
use crate::remarks;

/// What some programs put before a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Cases by kind, in the order in which they were read.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    pub choice: Vec<ChoiceCase>,
    pub findings: Vec<FindingsCase>,
    pub task: Vec<TaskCase>,
    pub conflict: Vec<ConflictCase>,
    /// The kind of each case that was read.
    order: Vec<CaseKind>,
    ids: BTreeSet<(CaseKind, String)>,
}

/// A line that is no case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenLine {
    /// From 1.
    pub line: usize,
    pub because: String,
}

/// A line that is a case and has something in it that a reader should know of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// From 1.
    pub line: usize,
    pub what: String,
}

impl Recorded {
    /// As [`Recorded::read_bytes`].
    ///
    /// # Errors
    /// As there.
    pub fn read(&mut self, text: &str) -> Result<Vec<Remark>, Vec<BrokenLine>> {
        self.read_bytes(text.as_bytes())
    }

    /// Adds the cases of a text in UTF-8 with one JSON object a line. Empty lines, a byte order mark and carriage
    /// returns are passed over. Gives what is to be said of the lines that were read.
    ///
    /// # Errors
    /// All lines that are no case; the others were added.
    pub fn read_bytes(&mut self, bytes: &[u8]) -> Result<Vec<Remark>, Vec<BrokenLine>> {
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        let (mut remarks, mut broken) = (Vec::new(), Vec::new());
        for (line, bytes) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
            match case_of(bytes) {
                Ok(None) => {}
                Ok(Some(case)) => {
                    let said = remarks::of(&case).into_iter().chain(self.known_id(&case));
                    remarks.extend(said.map(|what| Remark { line, what }));
                    self.add(case);
                }
                Err(because) => broken.push(BrokenLine { line, because }),
            }
        }
        if broken.is_empty() { Ok(remarks) } else { Err(broken) }
    }

    fn known_id(&self, case: &Case) -> Option<String> {
        let known = self.ids.contains(&(case.kind(), case.id().to_owned()));
        known.then(|| format!("another {} case has the id `{}` too: each counts", case.kind().name(), case.id()))
    }

    /// The kinds in the order in which their cases were read.
    pub(crate) fn order(&self) -> &[CaseKind] {
        &self.order
    }

    fn add(&mut self, case: Case) {
        self.order.push(case.kind());
        self.ids.insert((case.kind(), case.id().to_owned()));
        match case {
            Case::Choice(case) => self.choice.push(case),
            Case::Findings(case) => self.findings.push(case),
            Case::Task(case) => self.task.push(case),
            Case::Conflict(case) => self.conflict.push(case),
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.choice.is_empty() && self.findings.is_empty() && self.task.is_empty() && self.conflict.is_empty()
    }

    /// Every member that gave an opinion.
    #[must_use]
    pub fn members(&self) -> BTreeSet<&str> {
        let choice = self.choice.iter().flat_map(|case| case.opinions.iter().map(|opinion| opinion.member.as_str()));
        let findings =
            self.findings.iter().flat_map(|case| case.opinions.iter().map(|opinion| opinion.member.as_str()));
        let conflict =
            self.conflict.iter().flat_map(|case| case.opinions.iter().map(|opinion| opinion.member.as_str()));
        choice.chain(findings).chain(conflict).collect()
    }

    /// Leaves only the opinions of these members. The truth stays as it is.
    pub fn keep(&mut self, members: &[String]) {
        let kept = |member: &String| members.contains(member);
        self.choice.iter_mut().for_each(|case| case.opinions.retain(|opinion| kept(&opinion.member)));
        self.findings.iter_mut().for_each(|case| case.opinions.retain(|opinion| kept(&opinion.member)));
        self.conflict.iter_mut().for_each(|case| case.opinions.retain(|opinion| kept(&opinion.member)));
    }
}

/// None of an empty line.
fn case_of(line: &[u8]) -> Result<Option<Case>, String> {
    let line = std::str::from_utf8(line).map_err(|_| "is no text in UTF-8".to_owned())?;
    if line.trim().is_empty() {
        return Ok(None);
    }
    read_line(line).map(Some).map_err(|error| error.to_string())
}
