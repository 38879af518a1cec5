//! `baton ask`: a task, a team, a decision.

use std::path::{Path, PathBuf};

use baton_core::ids::{MemberId, RunId};
use baton_core::member::{Member, Nature};
use baton_core::run::{Inputs, RunState};
use baton_core::task::{Hints, Question, Task};
use baton_core::workflow::Workflow;
use baton_port::Cancel;

use super::kind::{self, Consent, Whom};
use super::{conclude, patching, with_ctrl_c};
use crate::attach::{self, Attached};
use crate::cli::{Ask, QuestionName, RunFlags, Shape};
use crate::compose::{Setup, refuse_recursion, tests_claims};
use crate::failure::{Exit, Failure};
use crate::render::live::Live;
use crate::render::{self, Output};
use crate::{consent, seats, trust};

pub(crate) async fn ask(ask: Ask, output: &mut Output) -> Result<Exit, Failure> {
    refuse_recursion()?;
    let hints = hints(&ask.shape)?;
    let mut setup = Setup::open()?;
    setup.config.cap(ask.run.max_cost)?;
    setup.admit_trusted().await?;
    let workflow = match &ask.workflow {
        Some(name) => setup.config.workflow(name)?.clone(),
        None => setup.config.default_workflow()?.clone(),
    };
    let (mut task, attached) = task(&setup, &ask.task, &ask.files, hints)?;
    let found = setup.seats().await;
    let named = named(&setup, &found, &ask.members)?;
    let mut members = affordable(seats::usable(&found), ask.run.max_cost);
    if members.is_empty() {
        return Err(seats::nobody(&found));
    }
    let asked: Vec<&Member> = members.iter().filter(|member| named.is_empty() || named.contains(&member.id)).collect();
    task.hints = patching::hints(&setup, &task, &workflow, &asked).await;
    let trusted = setup.trust().await?;
    tell_untrusted(&setup, &trusted);
    super::resume::tell_interrupted(&setup).await?;
    members.extend(seats::checks(&setup.config, &trusted, &workspace(&task, &setup)));
    let_test(&mut setup, &ask, &workflow, &members)?;
    let inputs = Inputs { named, ..setup.freeze(task, workflow, members).await? };
    let consent = if ask.run.yes { Consent::Given } else { Consent::AsAgreed };
    let asks_kind = ask.ask_kind || setup.config.ask_kind;
    if ask.dry_run {
        let whom = if asks_kind { kind::whom(&setup, &inputs, &trusted, consent) } else { Whom::Nobody };
        return dry_run(&setup, &inputs, whom, (&attached, ask.run.json), output);
    }
    let inputs = if asks_kind { heard(&setup, inputs, consent).await? } else { inputs };
    run(&setup, inputs, attached, &ask.run, output).await
}

/// Settles by which check tests of claims are run. What a call asks for must be there; what the settings ask for is
/// told where it is not.
fn let_test(setup: &mut Setup, ask: &Ask, workflow: &Workflow, members: &[Member]) -> Result<(), Failure> {
    if let Some(check) = &ask.reproduce {
        tests_claims(workflow)?;
        setup.config.reproduce = Some(seats::tested_with(check.as_deref(), &setup.config, members)?);
    } else if let Some(name) = &setup.config.reproduce
        && tests_claims(workflow).is_ok()
        && !members.iter().any(|member| member.nature == Nature::Check && member.id == *name)
    {
        render::note(&format!("no check `{name}` can be run here, so no test of a claim is asked for"));
    }
    Ok(())
}

/// The inputs with what a member said of the task's kind. Ctrl-C stops before the run itself begins.
async fn heard(setup: &Setup, inputs: Inputs, consent: Consent) -> Result<Inputs, Failure> {
    let cancel = Cancel::default();
    let tell = |line: &str| render::note(line);
    let inputs = with_ctrl_c(kind::heard(setup, inputs, consent, &cancel, &tell), &cancel).await?;
    if cancel.is_requested() {
        return Err(Failure::new(Exit::Cancelled, "cancelled before the run began"));
    }
    Ok(inputs)
}

/// Runs to the end or to a gate, and prints the decision.
pub(crate) async fn run(
    setup: &Setup,
    inputs: Inputs,
    attached: Attached,
    flags: &RunFlags,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let (run, state) = carry_out(setup, inputs, attached, flags).await?;
    conclude(&setup.engine, &run, &state, flags, output).await
}

/// Asks for consent where it is missing, then runs with the live view to the end or to a gate.
pub(crate) async fn carry_out(
    setup: &Setup,
    inputs: Inputs,
    attached: Attached,
    flags: &RunFlags,
) -> Result<(RunId, RunState), Failure> {
    let plan = plan(setup, &inputs)?;
    somebody_fits(&plan)?;
    if !flags.quiet {
        render::note(render::plan::team(&plan, render::note_width()).trim_end());
    }
    if !flags.yes {
        let vendors = consent::missing(&inputs, &plan, &setup.config, &setup.trust().await?);
        if !vendors.is_empty() {
            let agreed = consent::ask(&inputs, &vendors)?;
            trust::agree(setup.journal(), setup.now(), &agreed).await?;
        }
    }
    let live = Live::new(flags.quiet);
    let cancel = Cancel::default();
    let work = setup.engine.run(inputs, attached.blobs, &live, &cancel);
    let ended = with_ctrl_c(work, &cancel).await?;
    drop(live);
    if !flags.quiet {
        render::note("");
    }
    Ok(ended)
}

/// With a limit of the user's own, only members whose price is known: for the others no limit could be held.
pub(crate) fn affordable(members: Vec<Member>, max_cost: Option<f64>) -> Vec<Member> {
    if max_cost.is_none() {
        return members;
    }
    let (known, unknown): (Vec<Member>, Vec<Member>) =
        members.into_iter().partition(|member| member.is_check() || member.estimate(0).is_some());
    for member in unknown {
        render::note(&format!("{} is left out: its price is not known, so --max-cost could not be held", member.id));
    }
    known
}

/// A task that is too long for every member is told before anything is recorded.
pub(crate) fn somebody_fits(plan: &RunState) -> Result<(), Failure> {
    let Some(plan) = plan.plan.as_ref().filter(|plan| plan.team.seats.is_empty()) else { return Ok(()) };
    let failure = Failure::new(Exit::NoMember, "no member can take this task");
    Err(plan.team.notes.iter().cloned().fold(failure, Failure::hint))
}

/// The state right after submission, without submitting: classification, team and first steps.
pub(crate) fn plan(setup: &Setup, inputs: &Inputs) -> Result<RunState, Failure> {
    let submitted = baton_core::run::Stamped {
        at: setup.now(),
        actor: baton_core::journal::Actor::Person,
        event: baton_core::run::Event::Submitted(Box::new(inputs.clone())),
    };
    baton_core::run::fold([submitted]).map_err(|error| Failure::configuration(error.to_string()))
}

fn dry_run(
    setup: &Setup,
    inputs: &Inputs,
    whom: Whom<'_>,
    (attached, json): (&Attached, bool),
    output: &mut Output,
) -> Result<Exit, Failure> {
    let (state, prompts) = setup.engine.preview(inputs.clone(), &attached.blobs)?;
    somebody_fits(&state)?;
    let asked = if let Whom::Member(member) = whom { Some(&member.id) } else { None };
    if json {
        let mut plan = render::plan::dry_run_value(inputs, &state, &prompts);
        plan["asksKind"] = serde_json::json!(asked);
        output.print(&format!("{plan:#}\n"))?;
        return Ok(Exit::Ok);
    }
    if let Some(id) = asked {
        output.print(&format!("{id} would be asked first, in one small call, what kind of task this is\n"))?;
    }
    whom.unasked().into_iter().for_each(render::note);
    output.print(&render::plan::dry_run(inputs, &state, &prompts, output.width()))?;
    Ok(Exit::Ok)
}

/// The task as typed, with what is piped in.
pub(crate) fn task(setup: &Setup, words: &str, files: &[PathBuf], hints: Hints) -> Result<(Task, Attached), Failure> {
    match words {
        "-" => task_of(setup, &attach::task_from_input()?, files, hints, None),
        words => {
            let (input, files): (Vec<PathBuf>, Vec<PathBuf>) =
                files.iter().cloned().partition(|file| *file == Path::new("-"));
            let piped = if input.is_empty() { attach::piped()? } else { Some(attach::whole_input()?) };
            task_of(setup, words, &files, hints, piped)
        }
    }
}

/// The task with everything that goes with it.
pub(crate) fn task_of(
    setup: &Setup,
    prompt: &str,
    files: &[PathBuf],
    hints: Hints,
    piped: Option<Vec<u8>>,
) -> Result<(Task, Attached), Failure> {
    if prompt.trim().is_empty() {
        return Err(Failure::input("the task is empty").hint("say what you want: baton ask \"Is this safe?\" -f FILE"));
    }
    let base = attach::workspace(&setup.directory);
    let mut attached = Attached::default();
    for file in files {
        attached.file(file, &base, &setup.config.deny)?;
    }
    if let Some(bytes) = piped {
        attached.add("standard input", bytes)?;
    }
    let workspace = Some(base.to_string_lossy().into_owned());
    Ok((Task { prompt: prompt.to_owned(), attachments: attached.attachments.clone(), hints, workspace }, attached))
}

fn workspace(task: &Task, setup: &Setup) -> PathBuf {
    task.workspace.as_ref().map_or_else(|| setup.directory.clone(), PathBuf::from)
}

/// The members named on the command line; each must exist and be usable.
fn named(setup: &Setup, found: &[seats::Seat], names: &[String]) -> Result<Vec<MemberId>, Failure> {
    let names = names.iter().map(|name| name.trim()).filter(|name| !name.is_empty());
    names.map(|name| usable_member(setup, found, name)).collect()
}

pub(crate) fn usable_member(setup: &Setup, found: &[seats::Seat], name: &str) -> Result<MemberId, Failure> {
    let Some(seat) = found.iter().find(|seat| seat.entry.member.id.as_str() == name) else {
        return Err(setup.config.unknown_member(name));
    };
    match &seat.missing {
        None => Ok(seat.entry.member.id.clone()),
        Some((because, mend)) => {
            Err(Failure::new(Exit::NoMember, format!("`{name}` cannot be asked: {because}")).hint(mend.clone()))
        }
    }
}

/// A project that brings commands is told about, so that nobody wonders why they do not run.
fn tell_untrusted(setup: &Setup, trusted: &trust::Trust) {
    let Some(project) = setup.config.project.as_ref().filter(|project| project.brings_commands()) else { return };
    if !trusted.covers(&project.root, project.content) {
        let changed =
            if trusted.is_outdated(&project.root, project.content) { " (it changed since you trusted it)" } else { "" };
        let what = if project.servers.is_empty() { "checks" } else { "checks and MCP servers" };
        render::note(&format!(
            "the {what} of this project's baton.toml are off{changed}; `baton trust` shows and allows them"
        ));
    }
}

pub(crate) fn hints(shape: &Shape) -> Result<Hints, Failure> {
    let choices = choices(&shape.choose)?;
    let question = match (shape.question, choices.is_empty()) {
        (None, true) => None,
        (None, false) => Some(Question::Choice(choices)),
        (Some(QuestionName::Verdict), _) => Some(Question::Verdict),
        (Some(QuestionName::Findings), _) => Some(Question::Findings),
        (Some(QuestionName::Patch), _) => Some(Question::Patch),
        (Some(QuestionName::Text), _) => Some(Question::Text),
    };
    let Shape { kind, complexity, priority, .. } = *shape;
    Ok(Hints { kind, complexity, priority, question, may_patch: false })
}

/// The options as typed, trimmed; none may be there twice.
fn choices(typed: &[String]) -> Result<Vec<String>, Failure> {
    let options: Vec<String> =
        typed.iter().map(|option| option.trim().to_owned()).filter(|option| !option.is_empty()).collect();
    let doubled = (1..options.len()).find(|at| options[..*at].contains(&options[*at]));
    match (typed.is_empty(), options.len(), doubled) {
        (true, ..) => Ok(Vec::new()),
        (_, _, Some(at)) => Err(Failure::input(format!("`--choose` names `{}` twice", options[at]))),
        (_, 0 | 1, _) => Err(Failure::input("`--choose` needs two options or more, separated by commas")),
        _ => Ok(options),
    }
}
