//! One small call before a run: what kind of task is this? Only where the words do not tell, and only if the user allows
//! it. It is a run of its own, so that it can be seen, shown and paid for like any other; a failure changes nothing.

use std::cmp::Reverse;

use baton_core::classify::asking::{self, Heard};
use baton_core::classify::classify_with;
use baton_core::ids::RunId;
use baton_core::member::{Effort, Limits, Member, Payer};
use baton_core::run::{Inputs, RunState};
use baton_core::task::{Complexity, Hints, Priority, Question, Task};
use baton_engine::Silent;
use baton_port::Cancel;

use super::answer;
use crate::compose::Setup;
use crate::failure::Failure;
use crate::render::{style, turns};
use crate::trust::Trust;

/// How the small run is called, in lists too.
const TITLE: &str = "What kind of task is this?";

/// An answer of one line that takes longer than this costs more time than it saves.
const LONGEST_MS: u64 = 60_000;

/// What a small call may rest on beside the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consent {
    /// The user said that no vendor needs to be asked about in this call.
    Given,
    /// Only vendors that the user has agreed to before.
    AsAgreed,
}

/// Whether somebody is asked, and who.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whom<'a> {
    /// The kind is sure, or nobody is there to be asked.
    Nobody,
    /// Somebody would be, if one of the vendors were allowed.
    NotAllowed,
    Member(&'a Member),
}

impl Whom<'_> {
    /// Why a question that the user wanted asked is not; `None` where it is, or is not needed.
    pub(crate) fn unasked(self) -> Option<&'static str> {
        (self == Whom::NotAllowed).then_some(
            "nobody is asked what kind of task this is: no vendor has been allowed yet; --yes allows it for one call",
        )
    }
}

/// Who would be asked: of the members that the run could ask and whose vendor may be sent the task, one on this machine
/// before others, then the cheapest, then the quickest, then the weakest.
pub(crate) fn whom<'a>(setup: &Setup, inputs: &'a Inputs, trust: &Trust, consent: Consent) -> Whom<'a> {
    let seen = classify_with(&inputs.task, &inputs.corrections);
    if !asking::needs_asking(&inputs.task, &seen) {
        return Whom::Nobody;
    }
    let small = task(&inputs.task);
    let away = |member: &Member| {
        inputs.handover.iter().flat_map(|known| &known.away).any(|away| away.account == member.account)
    };
    let named = |member: &Member| inputs.named.is_empty() || inputs.named.contains(&member.id);
    let may = |member: &&&Member| {
        let free = member.payer == Payer::Local || member.scripted || consent == Consent::Given;
        free || trust.allows(&member.vendor) || setup.config.allow.contains(&member.vendor)
    };
    let can = |member: &&Member| !member.is_check() && named(member) && !away(member);
    let there: Vec<&Member> = inputs.members.iter().filter(can).collect();
    let first = there.iter().filter(may).min_by_key(|member| {
        let price = member.estimate(small.estimated_tokens()).map_or(u64::MAX, |cost| cost.0);
        let usual = inputs.load.get(&member.id).and_then(|load| load.usual_ms).unwrap_or(u64::MAX);
        (member.payer != Payer::Local, price, usual, Reverse(member.tier), member.id.clone())
    });
    match first {
        Some(member) => Whom::Member(member),
        None if there.is_empty() => Whom::Nobody,
        None => Whom::NotAllowed,
    }
}

/// The inputs with what a member said, or as they were. `tell` gets a line for whatever happens.
pub(crate) async fn heard(
    setup: &Setup,
    inputs: Inputs,
    consent: Consent,
    cancel: &Cancel,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<Inputs, Failure> {
    let found = whom(setup, &inputs, &setup.trust().await?, consent);
    let Whom::Member(member) = found else {
        found.unasked().into_iter().for_each(tell);
        return Ok(inputs);
    };
    let member = member.clone();
    tell(&format!("{} is asked what kind of task this is", member.id));
    let (said, run, state) = match ask(setup, &inputs, member.clone(), cancel).await {
        Ok(ended) => ended,
        Err(failure) => {
            tell(&format!("what kind of task this is stays open: {}", failure.message));
            return Ok(inputs);
        }
    };
    let (paid, unknown) = state.cost();
    let mut inputs = inputs;
    // What was spent to find the kind is spent.
    if let Some(cap) = &mut inputs.rules.spend_cap {
        cap.0 = cap.0.saturating_sub(paid.0);
    }
    if let Some(said) = said {
        let cost = style::paid(paid, unknown, &turns::payers(&state));
        tell(&format!("{} says {}; {cost}, run {}", member.id, said.kind, run.short()));
    }
    inputs.said_kind = said.map(|said| Heard { member: member.id.clone(), said });
    if inputs.said_kind.is_none() {
        let failed = state.steps.iter().filter_map(|step| step.attempts.last()).find_map(|last| {
            let outcome = last.outcome.as_ref().filter(|outcome| !outcome.is_ok())?;
            Some(outcome.label().to_owned())
        });
        let because = failed.unwrap_or_else(|| "its answer names no kind".to_owned());
        tell(&format!("what kind of task this is stays open: {}: {because}", member.id));
    }
    Ok(inputs)
}

async fn ask(
    setup: &Setup,
    inputs: &Inputs,
    member: Member,
    cancel: &Cancel,
) -> Result<(Option<asking::Said>, RunId, RunState), Failure> {
    let workflow = baton_core::workflow::Workflow {
        name: "kind".to_owned(),
        about: "One small question to a fast member: what kind of task is this?".to_owned(),
        ..setup.config.consult.clone()
    };
    let mut small = setup.freeze(task(&inputs.task), workflow, vec![quick(member)]).await?;
    small.rules.spend_cap = inputs.rules.spend_cap;
    small.rules.attempts = 1;
    let (run, state) = setup.engine.run(small, Vec::new(), &Silent, cancel).await?;
    let text = match state.decision.as_deref() {
        Some(decision) => answer(&setup.engine, decision).await?,
        None => None,
    };
    Ok((text.as_deref().and_then(asking::read_answer), run, state))
}

/// The small question as a task of its own. It needs no files, so it is about no workspace. It names no kind of its own:
/// a kind that is named is kept as a correction by the user, and later tasks are judged by those.
fn task(about: &Task) -> Task {
    let hints = Hints {
        kind: None,
        complexity: Some(Complexity::Quick),
        priority: Some(Priority::Low),
        question: Some(Question::Text),
        may_patch: false,
    };
    let prompt = format!("{TITLE} {}", asking::question(about));
    Task { prompt, attachments: Vec::new(), hints, workspace: None }
}

/// The member as it is asked here: with as little effort and time as it can do with.
fn quick(member: Member) -> Member {
    let limits = &member.limits;
    let limits = Limits {
        first_event_ms: limits.first_event_ms.min(LONGEST_MS),
        idle_ms: limits.idle_ms.min(LONGEST_MS),
        total_ms: limits.total_ms.min(LONGEST_MS),
        ..*limits
    };
    Member { effort: member.effort.map(|_| Effort::Low), limits, ..member }
}
