//! Workflows are data: a list of nodes run in order by one interpreter, with a closed list of conditions.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// What must hold for a node to run. A closed list: a workflow brings no code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    #[default]
    Always,
    /// Checks are seated.
    Checks,
    /// The decision so far may be acted on, with caution at least.
    Proceeds,
    /// The decision so far may not be acted on as it is.
    NotProceeds,
    /// A disputed claim is open in the decision so far.
    Conflict,
    Critical,
    /// A disputed claim is open, or the task is critical: a person has the last word.
    NeedsPerson,
    /// Seats were held back, and what they may say is worth what they cost.
    WorthAsking,
    /// A member was asked for a test of a claim, or should have been and could not.
    Tested,
    /// The last gate was answered with `revise`.
    AskedToRevise,
}

/// Which seats of the team a wave asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    Team,
    /// The first seat.
    Lead,
    /// Every seat but the first; the first when it is alone.
    Others,
    /// The seats that were held back at first.
    Further,
    /// For each disputed claim, the strongest member of either side.
    Sides,
    /// For each disputed claim, a member of another family than those who argue it, asked in both orders.
    Arbiter,
    /// For each claim that a test could settle, a member of another family than those who argue it; nobody where no test
    /// can be run.
    Testers,
}

/// What a prompt is given beside the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Artefact {
    /// The files and texts that go with the task.
    Attachments,
    /// The lead's last answer.
    Draft,
    /// The last wave's opinions: quoted, shuffled, without names.
    Opinions,
    /// What a person said at the last gate.
    PersonsNote,
    /// The disputed claim and what either side says of it, without names.
    Dispute,
    /// The claim that a test is asked for, its place, and what is said for it, without a name.
    Claim,
}

/// What a node does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do", deny_unknown_fields)]
pub enum Act {
    /// One parallel wave of questions.
    Ask {
        who: Who,
        template: String,
        #[serde(default)]
        with: Vec<Artefact>,
        /// The answers are drafts to be reviewed, not opinions to be counted.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        draft: bool,
    },
    /// Runs the checks.
    Check,
    /// Tries each distinct patch that was not tried yet, with the checks, away from the user's files.
    Try,
    /// Runs the tests that members wrote for claims, away from the user's files.
    Reproduce,
    /// Computes the decision.
    Decide,
    /// Waits for a person.
    Gate { question: String, options: Vec<String> },
    /// Goes back to an earlier node, a bounded number of times.
    Repeat { from: String, at_most: u8 },
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    pub id: String,
    #[serde(default)]
    pub when: When,
    #[serde(flatten)]
    pub act: Act,
}

/// A workflow with the prompt templates that it uses, as frozen into a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workflow {
    pub name: String,
    pub about: String,
    #[serde(rename = "node")]
    pub nodes: Vec<Node>,
    #[serde(default)]
    pub templates: BTreeMap<String, String>,
}

/// Why a workflow cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkflowError {
    #[error("workflow `{0}` has no node that decides")]
    NoDecision(String),
    #[error("node `{0}` is there twice")]
    DoubledNode(String),
    #[error("node `{node}` goes back to `{from}`, which is no earlier node")]
    RepeatsForward { node: String, from: String },
    #[error("node `{node}` repeats {at_most} times; 1 to 10 are allowed")]
    Unbounded { node: String, at_most: u8 },
    #[error("node `{node}` uses template `{template}`, which is not there")]
    NoTemplate { node: String, template: String },
    #[error("gate `{0}` offers no options")]
    NoOptions(String),
}

impl Workflow {
    /// # Errors
    /// The first thing that would keep the workflow from ending or from being run.
    pub fn validate(&self) -> Result<(), WorkflowError> {
        let mut seen = BTreeSet::new();
        for node in &self.nodes {
            self.validate_node(node, &seen)?;
            if !seen.insert(node.id.as_str()) {
                return Err(WorkflowError::DoubledNode(node.id.clone()));
            }
        }
        if !self.nodes.iter().any(|node| node.act == Act::Decide) {
            return Err(WorkflowError::NoDecision(self.name.clone()));
        }
        Ok(())
    }

    /// Some node asks the seats that were held back at first.
    #[must_use]
    pub fn asks_later(&self) -> bool {
        self.nodes.iter().any(|node| matches!(node.act, Act::Ask { who: Who::Further, .. }))
    }

    fn validate_node(&self, node: &Node, earlier: &BTreeSet<&str>) -> Result<(), WorkflowError> {
        let id = || node.id.clone();
        match &node.act {
            Act::Ask { template, .. } if !self.templates.contains_key(template) => {
                Err(WorkflowError::NoTemplate { node: id(), template: template.clone() })
            }
            Act::Repeat { from, .. } if !earlier.contains(from.as_str()) => {
                Err(WorkflowError::RepeatsForward { node: id(), from: from.clone() })
            }
            Act::Repeat { at_most, .. } if !(1..=10).contains(at_most) => {
                Err(WorkflowError::Unbounded { node: id(), at_most: *at_most })
            }
            Act::Gate { options, .. } if options.is_empty() => Err(WorkflowError::NoOptions(id())),
            Act::Ask { .. }
            | Act::Repeat { .. }
            | Act::Gate { .. }
            | Act::Check
            | Act::Try
            | Act::Reproduce
            | Act::Decide => Ok(()),
        }
    }

    #[must_use]
    pub fn position(&self, id: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node.id == id)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn node(id: &str, when: When, act: Act) -> Node {
        Node { id: id.into(), when, act }
    }

    pub(crate) fn ask(who: Who, with: &[Artefact]) -> Act {
        Act::Ask { who, template: "opinion".into(), with: with.to_vec(), draft: false }
    }

    /// Wave, checks, decision, and a gate for critical tasks.
    pub(crate) fn simple() -> Workflow {
        let gate = Act::Gate { question: "Accept?".into(), options: vec!["approve".into(), "reject".into()] };
        Workflow {
            name: "simple".into(),
            about: String::new(),
            nodes: vec![
                node("panel", When::Always, ask(Who::Team, &[Artefact::Attachments])),
                node("checks", When::Checks, Act::Check),
                node("decide", When::Always, Act::Decide),
                node("person", When::Critical, gate),
            ],
            templates: BTreeMap::from([("opinion".into(), "{{task}}".into())]),
        }
    }

    #[test]
    fn what_would_not_end_or_not_run_is_refused() {
        let broken = |change: &dyn Fn(&mut Workflow)| {
            let mut workflow = simple();
            change(&mut workflow);
            workflow.validate()
        };
        assert_eq!(broken(&|_| {}), Ok(()));
        let repeat = |from: &str, at_most| node("again", When::Always, Act::Repeat { from: from.into(), at_most });
        assert!(matches!(broken(&|w| w.nodes.push(repeat("later", 1))), Err(WorkflowError::RepeatsForward { .. })));
        assert!(matches!(broken(&|w| w.nodes.push(repeat("panel", 0))), Err(WorkflowError::Unbounded { .. })));
        assert!(matches!(broken(&|w| w.templates.clear()), Err(WorkflowError::NoTemplate { .. })));
        assert!(matches!(broken(&|w| w.nodes.swap_remove(2).id.clear()), Err(WorkflowError::NoDecision(_))));
        let twice = |w: &mut Workflow| w.nodes.push(node("panel", When::Always, Act::Check));
        assert!(matches!(broken(&twice), Err(WorkflowError::DoubledNode(_))));
    }
}
