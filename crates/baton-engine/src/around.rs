//! What the files around a task say of the places that an answer names.

use std::collections::BTreeMap;
use std::path::Path;

use baton_core::opinion;
use baton_core::run::{Inputs, RunState, Step, Work};
use baton_core::source::{Named, Sighting, Sources};
use baton_core::task::{AttachmentForm, Question};
use baton_port::{Files, Found};

use crate::prompt::Texts;

/// Looks around the task of a step for the places that its answer names. To be recorded with the opinion: later the files
/// may say something else.
pub(crate) async fn look(
    files: &dyn Files,
    state: &RunState,
    step: &Step,
    answer: &str,
    (question, sources, texts): (&Question, &Sources, &Texts),
) -> Vec<Sighting> {
    let Some(inputs) = state.inputs.as_deref().filter(|_| !step.is_aside()) else { return Vec::new() };
    let Some(workspace) = inputs.task.workspace.as_deref() else { return Vec::new() };
    let draft = draft(state, step, texts);
    let mut places = opinion::places(answer, question, sources);
    places.retain(|place| !draft.is_some_and(|draft| draft.contains(base_name(&place.file))));
    places.sort();
    places.dedup();
    let mut names: Vec<String> = places.iter().map(|place| place.file.clone()).collect();
    names.dedup();
    if names.is_empty() {
        return Vec::new();
    }
    let found: BTreeMap<String, Found> =
        names.iter().cloned().zip(files.find(Path::new(workspace), &names).await).collect();
    let told = |place: &Named| is_told(inputs, texts, &place.file) || sources.is_in_diff(&place.file);
    places
        .iter()
        .filter_map(|place| match found.get(&place.file)? {
            Found::Text { path, text } => sources.sight(place, path, text),
            Found::Absent => (!told(place)).then(|| place.absent()),
            Found::Unknown => None,
        })
        .collect()
}

/// The draft that the step was shown. What is said of files that are in it is said of the draft.
fn draft<'a>(state: &RunState, step: &Step, texts: &'a Texts) -> Option<&'a str> {
    let Work::Prompt(plan) = &step.work else { return None };
    let answer = state.step(plan.draft?)?.answer?;
    texts.get(&answer).map(String::as_str)
}

/// The file may be one of which only the task tells: it is spoken of there, or a text without a file's name came along.
fn is_told(inputs: &Inputs, texts: &Texts, file: &str) -> bool {
    let (prompt, name) = (&inputs.task.prompt, base_name(file));
    let nameless = |name: &str| !name.contains(['.', '/']);
    prompt.contains(name)
        || prompt.contains("```")
        || inputs.task.attachments.iter().any(|attachment| {
            let spoken_of = texts.get(&attachment.content).is_some_and(|text| text.contains(name));
            spoken_of || (attachment.form == AttachmentForm::File && nameless(&attachment.name))
        })
}

fn base_name(file: &str) -> &str {
    file.rsplit(['/', '\\']).next().unwrap_or(file)
}
