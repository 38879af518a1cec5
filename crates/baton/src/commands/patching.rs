//! Whether a patch may be asked for though nobody said so: where one can be tried, and written by somebody who sees the
//! files. Whether the words of the task want one is classification's matter.

use baton_core::member::{Member, Nature};
use baton_core::task::{AttachmentForm, Hints, Task};
use baton_core::workflow::{Act, Workflow};
use baton_port::Cancel;

use crate::compose::Setup;

/// The hints of a task with what was found out here.
pub(crate) async fn hints(setup: &Setup, task: &Task, workflow: &Workflow, members: &[&Member]) -> Hints {
    let sees = members.iter().any(|member| works_in_the_folder(member)) || has_file(task);
    let tries = workflow.nodes.iter().any(|node| node.act == Act::Try);
    let wanted = setup.config.ask_patch && task.hints.question.is_none() && tries && sees;
    let may_patch = wanted && setup.workshop.has_commit(&setup.directory, &Cancel::default()).await;
    Hints { may_patch, ..task.hints.clone() }
}

fn has_file(task: &Task) -> bool {
    task.attachments.iter().any(|attachment| attachment.form == AttachmentForm::File)
}

/// A program is started where the task is; a server is sent what is attached and sees nothing else.
fn works_in_the_folder(member: &Member) -> bool {
    member.nature == Nature::Model && !member.channel.settings.contains_key("base_url")
}
