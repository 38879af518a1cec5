//! `baton trust`: let the commands that a project brings be run, for exactly this content.

use baton_members::mcp::{Server, Way};

use crate::cli::Trust as TrustArguments;
use crate::compose::Setup;
use crate::config::{Config, PROJECT_FILE};
use crate::consent;
use crate::failure::{Exit, Failure};
use crate::render::{self, style};
use crate::system::{Home, environment_path};
use crate::trust::{Agreement, agree};

pub(crate) async fn trust(arguments: &TrustArguments) -> Result<Exit, Failure> {
    let setup = Setup::open()?;
    let directory = match &arguments.project {
        Some(path) => std::path::absolute(path).map_err(|error| Failure::input(error.to_string()))?,
        None => setup.directory.clone(),
    };
    let config = Config::load_in(&Home::find(environment_path)?, &directory)?;
    let Some(project) = config.project else {
        return Err(Failure::input(format!("there is no {PROJECT_FILE} at or above {}", directory.display()))
            .hint("a project's file can bring checks: see the README"));
    };
    let root = project.root.to_string_lossy().into_owned();
    if arguments.revoke {
        agree(setup.journal(), setup.now(), &[Agreement::Revoked { root }]).await?;
        render::note(&format!("{} is not trusted any more", project.root.display()));
        return Ok(Exit::Ok);
    }
    render::note(&format!("{} brings these commands:", style::strong(&root)));
    for check in &project.checks {
        render::note(&format!("  {:14} {}", check.id, baton_core::text::printable(&check.command.join(" "))));
    }
    for server in &project.servers {
        render::note(&format!("  {:14} MCP server: {}", server.name, baton_core::text::printable(&started_by(server))));
    }
    if !project.brings_commands() {
        render::note("  none: there is nothing to trust");
        return Ok(Exit::Ok);
    }
    confirm()?;
    agree(setup.journal(), setup.now(), &[Agreement::Project { root, content: project.content }]).await?;
    render::note("trusted, until the file changes");
    Ok(Exit::Ok)
}

/// All that is run, or who receives text: what is agreed to is seen.
fn started_by(server: &Server) -> String {
    match &server.way {
        Way::Program { program, arguments, .. } => {
            let words = std::iter::once(program).chain(arguments);
            words.map(String::as_str).collect::<Vec<_>>().join(" ")
        }
        Way::Url { url, .. } => url.clone(),
    }
}

/// Trust is a person's to give.
fn confirm() -> Result<(), Failure> {
    match consent::answer("Run them here from now on? [y/N] ")? {
        Some(true) => Ok(()),
        Some(false) => Err(Failure::new(Exit::Cancelled, "you said no: nothing was changed")),
        None => Err(Failure::input("trust is given on a terminal")),
    }
}
