//! `baton mcp`: baton as a tool of other programs. Nothing is opened before the first call of a tool.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use baton_core::consensus::Decision;
use baton_core::ids::{MemberId, RunId, StepId};
use baton_core::member::Member;
use baton_core::run::{Event, Inputs, RunState, Stamped};
use baton_core::task::Hints;
use baton_engine::Observer;
use baton_members::warm::Pool;
use baton_port::{BoxFuture, Cancel, Progress};
use baton_serve::{Face, FaceError, OrchestrateReply, OrchestrateRequest, ProgressReport};

use super::kind::{self, Consent};
use super::{ask, open_question, texts, with_ctrl_c};
use crate::compose::{Setup, refuse_recursion};
use crate::failure::{Exit, Failure};
use crate::render::{Texts, live};
use crate::{consent, render, seats};

/// The columns of the text that goes with a reply: no terminal is there to ask.
const WIDTH: usize = 100;

pub(crate) async fn serve() -> Result<Exit, Failure> {
    // This command hands standard output to the protocol; nothing else of it prints.
    let (input, output) = baton_serve::standard_streams();
    let stop = Cancel::default();
    let baton = Arc::new(Baton::default());
    let session = baton_serve::serve_stdio_until(baton.clone(), input, output, stop.clone());
    let served = with_ctrl_c(session, &stop).await;
    if let Some(pool) = baton.pool.get() {
        pool.close().await;
    }
    served.map_err(|error| Failure::configuration(format!("the MCP session broke: {error}")))?;
    Ok(Exit::Ok)
}

#[derive(Default)]
struct Baton {
    /// Made by the first call of a tool.
    pool: OnceLock<Pool>,
}

impl Face for Baton {
    fn orchestrate(
        &self,
        request: OrchestrateRequest,
        progress: ProgressReport,
        cancel: Cancel,
    ) -> BoxFuture<'_, Result<OrchestrateReply, FaceError>> {
        Box::pin(async move {
            orchestrate(&self.pool, request, progress, &cancel)
                .await
                .map_err(|failure| FaceError { message: failure.message, hint: failure.hints.join("; ") })
        })
    }
}

async fn orchestrate(
    pool: &OnceLock<Pool>,
    request: OrchestrateRequest,
    progress: ProgressReport,
    cancel: &Cancel,
) -> Result<OrchestrateReply, Failure> {
    refuse_recursion()?;
    let mut setup = Setup::open_keeping(pool)?;
    setup.config.cap(request.max_cost_usd)?;
    setup.admit_trusted().await?;
    let hints = Hints {
        kind: request.kind,
        complexity: request.complexity,
        priority: request.priority,
        question: request.question.clone(),
        may_patch: false,
    };
    let (inputs, blobs) = inputs(&setup, &request, hints).await?;
    let inputs = if setup.config.ask_kind {
        kind::heard(&setup, inputs, Consent::AsAgreed, cancel, &|line: &str| progress(line.to_owned())).await?
    } else {
        inputs
    };
    let plan = ask::plan(&setup, &inputs)?;
    let vendors = consent::missing(&inputs, &plan, &setup.config, &setup.trust().await?);
    if !vendors.is_empty() {
        return Err(consent::refused_to_program(&vendors));
    }
    let (run, state) = setup.engine.run(inputs, blobs, &Teller::new(progress), cancel).await?;
    reply(&setup, &run, &state).await
}

async fn inputs(
    setup: &Setup,
    request: &OrchestrateRequest,
    hints: Hints,
) -> Result<(Inputs, Vec<baton_port::Blob>), Failure> {
    let (task, attached) = ask::task_of(setup, &request.task, &request.files, hints, None)?;
    let found = setup.seats().await;
    let named: Result<Vec<MemberId>, Failure> =
        request.members.iter().map(|name| ask::usable_member(setup, &found, name)).collect();
    let mut members = seats::usable(&found);
    let named = named.map_err(|failure| failure.hint(can_be_asked(&members)))?;
    if members.is_empty() {
        return Err(seats::nobody(&found));
    }
    let workspace = task.workspace.clone().map_or_else(|| setup.directory.clone(), PathBuf::from);
    members.extend(seats::checks(&setup.config, &setup.trust().await?, &workspace));
    let workflow = setup.config.default_workflow()?.clone();
    let session = request.session.clone();
    Ok((Inputs { named, session, ..setup.freeze(task, workflow, members).await? }, attached.blobs))
}

/// A model cannot look at a terminal: the names that would do go with the refusal.
fn can_be_asked(members: &[Member]) -> String {
    let names: Vec<&str> = members.iter().map(|member| member.id.as_str()).collect();
    if names.is_empty() { "nobody can be asked here".to_owned() } else { format!("can be asked: {}", names.join(", ")) }
}

async fn reply(setup: &Setup, run: &RunId, state: &RunState) -> Result<OrchestrateReply, Failure> {
    let Some(decision) = state.decision.as_deref() else {
        return Err(Failure::new(Exit::Cancelled, format!("run {} was cancelled", run.short()))
            .hint(format!("`baton show {}` has what came in before", run.short())));
    };
    let texts = texts(&setup.engine, decision).await?;
    let value = render::json::decision(run, state, decision, &texts)?;
    Ok(OrchestrateReply { run: run.clone(), decision: value, text: summary(run, state, decision, &texts) })
}

/// The decision's screen without colour, and what a person would have to answer.
fn summary(run: &RunId, state: &RunState, decision: &Decision, texts: &Texts) -> String {
    let screen = render::decision::screen(run, state, decision, texts, WIDTH);
    let mut text = anstream::adapter::strip_str(&screen).to_string();
    if let Some((question, options)) = open_question(state) {
        text.push_str(&format!(
            "\n{question} Only a person can answer, on a terminal: baton respond {} {}\n",
            run.short(),
            options.join("|")
        ));
    }
    text
}

/// Turns what happens into progress messages, each a line that can be read alone.
struct Teller {
    progress: ProgressReport,
    last: Mutex<String>,
}

impl Teller {
    fn new(progress: ProgressReport) -> Self {
        Self { progress, last: Mutex::default() }
    }

    /// What was just said is not said again.
    fn say(&self, line: String) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if *last != line {
            last.clone_from(&line);
            (self.progress)(line);
        }
    }
}

impl Observer for Teller {
    fn event(&self, stamped: &Stamped, state: &RunState) {
        match &stamped.event {
            Event::StepStarted { member, .. } => self.say(format!("{member} is asked")),
            Event::StepFinished { step, report, .. } => {
                if let Some(step) = state.step(*step) {
                    self.say(live::ended_plainly(state, step, stamped.at, &report.outcome, &report.detail));
                }
            }
            Event::Decided(_) => self.say(live::standing(state).join("; ")),
            _ => {}
        }
    }

    fn progress(&self, _step: StepId, member: &MemberId, progress: &Progress) {
        if *progress == Progress::Thinking {
            self.say(format!("{member} is thinking"));
        }
    }
}
