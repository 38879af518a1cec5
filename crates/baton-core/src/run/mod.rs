//! A run as a state machine: `step(state, event) -> (state, effects)`.
//!
//! Live runs, recovery, replay and verification fold the same events through the same function. What must be done
//! next is never stored: it is read off the state by [`outstanding`]. A live step returns what became outstanding by
//! its event; a process that picks a run up after a crash asks for all of it.

mod apply;
mod decide;
mod dispute;
mod event;
mod interpret;
mod reproduce;
mod stand_in;
mod state;

use crate::ids::{MemberId, StepId};
use crate::units::Timestamp;

pub use dispute::{Dispute, Order, Ran, ran};
pub use event::{CodecError, Event, Inputs, Provenance, SessionStart, SessionState, Stamped, TurnReport};
pub use reproduce::{MOST_TESTS, TestedClaim};
pub use state::{Attempt, Plan, PromptPlan, RunState, Status, Step, StepStatus, Work};

/// Raised whenever the same events would be folded into another state; frozen into each run.
pub const RULES_VERSION: u16 = 3;

/// What the outside must do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Render the prompt, record the start, then ask.
    Ask { step: StepId, attempt: u8, member: MemberId },
    /// Come back with `TimerFired` no earlier than `at`.
    WakeAt { step: StepId, at: Timestamp },
    /// End a step that is under way; its `StepFinished` is still awaited.
    Stop { step: StepId },
    /// Append `Decided` with [`RunState::to_record`].
    Record,
    /// Show the gate to a person; nothing else will happen until it is answered.
    AskPerson { node: usize },
    /// The run is over.
    Finish,
}

/// An event that cannot follow from the state: a damaged or foreign journal, never a live run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event `{event}` cannot happen here: {because}")]
pub struct Illegal {
    pub event: &'static str,
    pub because: String,
}

/// Folds one event into the state and says what became outstanding by it.
///
/// # Errors
/// When the event cannot follow; the state is lost then, as the journal is not to be trusted.
pub fn step(mut state: RunState, event: Stamped) -> Result<(RunState, Vec<Effect>), Illegal> {
    let mut before = outstanding(&state);
    // What this event answers may become outstanding again by it, and must then be said again.
    before.retain(|effect| !answers(&event.event, effect));
    apply::apply(&mut state, event)?;
    interpret::advance(&mut state);
    let mut effects = outstanding(&state);
    effects.retain(|effect| !before.contains(effect));
    Ok((state, effects))
}

const fn answers(event: &Event, effect: &Effect) -> bool {
    match effect {
        Effect::Record => matches!(event, Event::Decided(_)),
        Effect::AskPerson { .. } => matches!(event, Event::PersonAnswered { .. }),
        Effect::Ask { .. } | Effect::WakeAt { .. } | Effect::Stop { .. } | Effect::Finish => false,
    }
}

/// Folds a whole stream from its beginning.
///
/// # Errors
/// At the first event that cannot follow.
pub fn fold(events: impl IntoIterator<Item = Stamped>) -> Result<RunState, Illegal> {
    let mut state = RunState::default();
    for event in events {
        apply::apply(&mut state, event)?;
        interpret::advance(&mut state);
    }
    Ok(state)
}

/// Everything that the state waits for from the outside.
#[must_use]
pub fn outstanding(state: &RunState) -> Vec<Effect> {
    if state.inputs.is_none() {
        return Vec::new();
    }
    if state.status.is_over() {
        return vec![Effect::Finish];
    }
    let mut effects: Vec<Effect> = state.steps.iter().filter_map(|step| step_effect(state, step)).collect();
    if state.to_record.is_some() {
        effects.push(Effect::Record);
    }
    if let Status::Waiting { node } = state.status {
        effects.push(Effect::AskPerson { node });
    }
    effects
}

fn step_effect(state: &RunState, step: &Step) -> Option<Effect> {
    match &step.status {
        // A cancelled run asks nobody any more, and waits only for what is under way.
        StepStatus::Planned | StepStatus::Waiting { .. } if state.cancelled => None,
        StepStatus::Planned => Some(Effect::Ask {
            step: step.id,
            attempt: u8::try_from(step.attempts.len()).unwrap_or(u8::MAX),
            member: step.member.clone(),
        }),
        StepStatus::Waiting { until } => Some(Effect::WakeAt { step: step.id, at: *until }),
        StepStatus::Running if state.cancelled => Some(Effect::Stop { step: step.id }),
        StepStatus::Running | StepStatus::Reading | StepStatus::Done | StepStatus::GaveUp | StepStatus::OverBudget => {
            None
        }
    }
}

#[cfg(test)]
mod tests;
