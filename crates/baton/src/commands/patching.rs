//! Whether a patch may be asked for though nobody said so: where one can be tried, and written by somebody who sees the
//! files. Whether the words of the task want one is classification's matter.

use baton_core::classify::classify;
use baton_core::member::{Member, Nature};
use baton_core::task::{AttachmentForm, Hints, Question, Task};
use baton_core::workflow::{Act, Workflow};
use baton_port::Cancel;

use crate::compose::Setup;
use crate::render;

/// The hints of a task with what was found out here. Where a patch is what the words want and none can be tried, that is
/// told.
pub(crate) async fn hints(setup: &Setup, task: &Task, workflow: &Workflow, members: &[&Member]) -> Hints {
    let tries = workflow.nodes.iter().any(|node| node.act == Act::Try);
    let may_patch = setup.config.ask_patch && task.hints.question.is_none() && tries;
    let hints = Hints { may_patch, ..task.hints.clone() };
    if !may_patch {
        return hints;
    }
    let Some(obstacle) = obstacle(setup, task, members).await else { return hints };
    if classify(&Task { hints: hints.clone(), ..task.clone() }).question == Question::Patch {
        render::note(&format!("words are asked for, and no patch: {obstacle}"));
    }
    Hints { may_patch: false, ..hints }
}

/// Why no patch can be written or tried here, and what to do about it.
async fn obstacle(setup: &Setup, task: &Task, members: &[&Member]) -> Option<&'static str> {
    if !has_file(task) && !members.iter().any(|member| works_in_the_folder(member)) {
        return Some("no member here sees your files; attach what is to be changed with -f FILE");
    }
    let has_commit = setup.workshop.has_commit(&setup.directory, &Cancel::default()).await;
    (!has_commit).then_some("this is no git repository with a commit; --question patch asks for one that is not tried")
}

fn has_file(task: &Task) -> bool {
    task.attachments.iter().any(|attachment| attachment.form == AttachmentForm::File)
}

/// A program is started where the task is; a server is sent what is attached and sees nothing else.
fn works_in_the_folder(member: &Member) -> bool {
    member.nature == Nature::Model && !member.channel.settings.contains_key("base_url")
}
