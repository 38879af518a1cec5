//! What is told of single turns: who pays, and how a turn stands to its conversation.

use baton_core::evidence::CheckResult;
use baton_core::ids::MemberId;
use baton_core::member::Payer;
use baton_core::outcome::Outcome;
use baton_core::run::{Attempt, RunState, SessionStart, SessionState, Step, Work};
use serde_json::{Value, json};

/// Who pays for an attempt.
pub(crate) fn payer(state: &RunState, attempt: &Attempt) -> Payer {
    state.member(&attempt.member).map_or(Payer::Unknown, |member| member.payer)
}

/// Who paid for a run: `key`, `key and subscription`; empty while nobody was asked. Checks are not among them.
pub(crate) fn payers(state: &RunState) -> String {
    let asked = state.steps.iter().flat_map(|step| &step.attempts);
    let models = asked.filter(|attempt| state.member(&attempt.member).is_some_and(|member| !member.is_check()));
    let mut names: Vec<&str> = Vec::new();
    for attempt in models {
        let name = payer(state, attempt).as_str();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(" and ")
}

/// What the user must know of a conversation: that it is new although there was one, and what it was told of the old.
/// `None` where it simply goes on, or simply begins.
pub(crate) fn conversation(session: &SessionStart) -> Option<String> {
    let because = session.because.as_ref()?;
    let state = match session.state {
        SessionState::New => "the conversation is new",
        SessionState::Resumed => "the conversation goes on",
    };
    let told = match session.handed_on {
        0 => "nothing of the old one was handed on".to_owned(),
        1 => "1 earlier turn was handed on".to_owned(),
        turns => format!("{turns} earlier turns were handed on"),
    };
    Some(format!("{state}: {}; {told}", baton_core::text::one_line(because, 160)))
}

/// Every attempt, in the order of the steps, for `--json`.
pub(crate) fn list(state: &RunState) -> Value {
    let attempts = state.steps.iter().flat_map(|step| step.attempts.iter().map(move |attempt| (step, attempt)));
    attempts
        .map(|(step, attempt)| {
            let usage = attempt.usage.map(|usage| json!({ "in": usage.input_tokens, "out": usage.output_tokens }));
            let session = attempt.session.as_ref().map(|session| {
                json!({
                    "state": session.state, "because": session.because, "handedOn": session.handed_on,
                    "from": session.from,
                })
            });
            json!({
                "step": step.id.0 + 1, "member": attempt.member, "role": step.role,
                "outcome": attempt.outcome.as_ref().map(|outcome| outcome.label()),
                "payer": payer(state, attempt).as_str(), "costUsd": attempt.cost.map(dollars), "tokens": usage,
                "session": session, "result": result(step, attempt), "patchOf": patch_of(state, step),
            })
        })
        .collect()
}

/// What a check, a trial of a patch or a test of a claim came to; `None` for a member's turn and before the end.
fn result(step: &Step, attempt: &Attempt) -> Option<&'static str> {
    let evidence = step.evidence.as_ref().filter(|_| attempt.outcome.as_ref().is_some_and(Outcome::is_ok))?;
    Some(match evidence.result {
        CheckResult::Passed => "passed",
        CheckResult::Failed => "failed",
        CheckResult::Abstained { .. } => "abstained",
    })
}

/// The author of the patch that a step tries.
fn patch_of<'a>(state: &'a RunState, step: &Step) -> Option<&'a MemberId> {
    let Work::Try { of, .. } = step.work else { return None };
    state.step(of).map(|author| &author.member)
}

#[expect(clippy::cast_precision_loss, reason = "dollars on a screen")]
pub(crate) fn dollars(cost: baton_core::units::MicroUsd) -> f64 {
    cost.0 as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(state: SessionState, because: Option<&str>, handed_on: usize) -> SessionStart {
        SessionStart { state, because: because.map(str::to_owned), handed_on, from: None }
    }

    #[test]
    fn only_what_is_not_expected_is_told_of_a_conversation() {
        assert_eq!(conversation(&start(SessionState::New, None, 0)), None);
        assert_eq!(conversation(&start(SessionState::Resumed, None, 0)), None);
        let new = conversation(&start(SessionState::New, Some("it was held in /one"), 3)).unwrap();
        assert_eq!(new, "the conversation is new: it was held in /one; 3 earlier turns were handed on");
        assert!(conversation(&start(SessionState::New, Some("lost"), 0)).unwrap().contains("nothing of the old one"));
    }
}
