//! Recorded cases of all kinds, read from the text of files.

use std::collections::BTreeSet;

use crate::case::{Case, ChoiceCase, ConflictCase, FindingsCase, TaskCase, read_line};

/// Cases by kind, in the order in which they were read.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    pub choice: Vec<ChoiceCase>,
    pub findings: Vec<FindingsCase>,
    pub task: Vec<TaskCase>,
    pub conflict: Vec<ConflictCase>,
}

/// A line that is no case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenLine {
    /// From 1.
    pub line: usize,
    pub because: String,
}

impl Recorded {
    /// Adds the cases of a text with one JSON object a line; empty lines are passed over.
    ///
    /// # Errors
    /// All lines that are no case; the others were added.
    pub fn read(&mut self, text: &str) -> Result<(), Vec<BrokenLine>> {
        let mut broken = Vec::new();
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            match read_line(line) {
                Ok(case) => self.add(case),
                Err(error) => broken.push(BrokenLine { line: number, because: error.to_string() }),
            }
        }
        if broken.is_empty() { Ok(()) } else { Err(broken) }
    }

    fn add(&mut self, case: Case) {
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
