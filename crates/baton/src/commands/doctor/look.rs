//! A look at MCP servers: each is started or visited for a moment and asked for its tools. No tool is called.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use baton_core::outcome::{Deadline, Outcome};
use baton_members::Tools;
use baton_members::mcp::{Inspected, Server as Known, Way};
use baton_port::Cancel;
use tokio::task::JoinSet;

use super::attention::Attention;
use super::servers::Server;
use super::{launch, millis_since};
use crate::config::Config;
use crate::failure::Failure;

/// How long a greeting may take where nothing else is said: as long as the patient ones among the clients wait.
const LIMIT: Duration = Duration::from_secs(60);
/// Started at the same time: more would slow each other down until they seem broken.
const AT_ONCE: usize = 4;

/// One server, and what was found.
pub(super) struct Looked {
    pub(super) name: String,
    /// Whose settings name it.
    pub(super) place: String,
    /// What starts it, as far as it can be shown.
    pub(super) shown: String,
    /// It may be fetched from a registry before it starts.
    fetched: bool,
    pub(super) found: Inspected,
    pub(super) ms: u64,
}

/// A server to be looked at.
struct Subject {
    place: String,
    shown: String,
    fetched: bool,
    server: Known,
}

/// Looks at the user's own servers, and at those of the user's other programs that are switched on, each once. What a
/// project brings is not started, and nothing whose client fills in parts of the command.
pub(super) async fn look(
    config: &Config,
    others: &[&Server],
    tools: &Arc<Tools>,
    cancel: &Cancel,
) -> Result<Vec<Looked>, Failure> {
    let folder = tempfile::Builder::new().prefix("baton-doctor-").tempdir();
    let folder = folder.map_err(|error| Failure::configuration(format!("no folder to look from: {error}")))?;
    let mut waiting = subjects(config, others).into_iter();
    let (mut running, mut looked) = (JoinSet::new(), Vec::new());
    loop {
        while running.len() < AT_ONCE
            && let Some(subject) = waiting.next()
        {
            let (tools, place, cancel) = (tools.clone(), folder.path().to_owned(), cancel.clone());
            running.spawn(async move { one(subject, &tools, &place, &cancel).await });
        }
        match running.join_next().await {
            Some(ended) => looked.extend(ended.ok()),
            None => break,
        }
    }
    looked.sort_by(|one, other| (&one.place, &one.name).cmp(&(&other.place, &other.name)));
    Ok(looked)
}

async fn one(subject: Subject, tools: &Tools, place: &Path, cancel: &Cancel) -> Looked {
    let begun = Instant::now();
    let limit = subject.server.start.unwrap_or(LIMIT);
    let found = tools.look_at(&subject.server, place, limit, cancel).await;
    let Subject { place, shown, fetched, server } = subject;
    Looked { name: server.name, place, shown, fetched, found, ms: millis_since(begun) }
}

fn subjects(config: &Config, others: &[&Server]) -> Vec<Subject> {
    let own = config.servers.iter().map(|server| Subject {
        place: "baton".to_owned(),
        shown: shown(server),
        fetched: is_fetched(server),
        server: server.clone(),
    });
    let mut seen = BTreeSet::new();
    let others = others.iter().filter(|server| server.enabled && !server.of_project);
    let others = others.filter_map(|server| {
        let known = known(server)?;
        let subject =
            Subject { place: server.place.clone(), shown: server.shown(), fetched: is_fetched(&known), server: known };
        Some((server.identity(), subject))
    });
    let once: Vec<Subject> =
        others.filter_map(|(identity, subject)| seen.insert(identity).then_some(subject)).collect();
    own.chain(once).collect()
}

/// `None` where its client makes the command out of what stands there.
fn known(server: &Server) -> Option<Known> {
    let is_filled_in = |text: &String| text.contains("${") || text.starts_with('$');
    let way = match (&server.command, &server.address) {
        (Some(command), _) => {
            let is_relative = !Path::new(command).is_absolute() && command.contains(['/', '\\']);
            let variables = server.plain_variables();
            let parts = || std::iter::once(command).chain(&server.arguments).chain(variables.values());
            if is_relative || !launch::is_one_program(command) || parts().any(is_filled_in) {
                return None;
            }
            Way::Program {
                program: command.clone(),
                arguments: server.arguments.clone(),
                variables: variables.clone(),
                inherit: Vec::new(),
            }
        }
        (None, Some(url)) => {
            let headers = server.plain_headers();
            if is_filled_in(url) || headers.values().any(is_filled_in) {
                return None;
            }
            Way::Url { url: url.clone(), key_env: None, headers }
        }
        (None, None) => return None,
    };
    Some(Known { name: server.name.clone(), way, start: None })
}

fn is_fetched(server: &Known) -> bool {
    matches!(&server.way, Way::Program { program, arguments, .. } if launch::package(program, arguments).is_some())
}

pub(super) fn shown(server: &Known) -> String {
    match &server.way {
        Way::Program { program, arguments, .. } => {
            let name = launch::shown_program(program);
            launch::package(program, arguments).map_or(name.clone(), |package| format!("{name} {}", package.name))
        }
        Way::Url { url, .. } => launch::host_of(url),
    }
}

impl Looked {
    pub(super) fn attention(&self) -> Option<Attention> {
        let (outcome, detail) = self.found.trouble.as_ref()?;
        let what = format!("the MCP server {} in {}", self.name, self.place);
        let because = format!("did not give its tools: {}: {detail}", outcome.label());
        Some(Attention { what, because, mend: mend(outcome, self.fetched).to_owned() })
    }
}

fn mend(outcome: &Outcome, fetched: bool) -> &'static str {
    match outcome {
        Outcome::TimedOut { deadline: Deadline::FirstEvent } if fetched => {
            "Its first start downloads packages: start it once by hand, or install the package and name its program."
        }
        Outcome::TimedOut { .. } => "Start it by hand and see what it waits for; give it more time with `start_s`.",
        Outcome::NotInstalled => "Install its program, start the server, or correct its port and path.",
        Outcome::Auth => "Log its program in, or set the key that it needs.",
        Outcome::Crashed if fetched => {
            "Start it by hand: its package may be missing, or no network be there to fetch it."
        }
        Outcome::Unreadable => "It speaks another protocol: compare its command with its documentation.",
        _ => "Start it by hand to see more.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_start_of_a_fetched_server_is_told_with_its_cause() {
        let slow = Outcome::TimedOut { deadline: Deadline::FirstEvent };
        assert!(mend(&slow, true).contains("downloads packages"));
        assert!(mend(&slow, false).contains("start_s"));
        assert!(mend(&Outcome::NotInstalled, false).contains("port"));
    }

    #[test]
    fn what_starts_a_server_is_shown_without_its_arguments() {
        let way = Way::Program {
            program: "npx".into(),
            arguments: vec!["-y".into(), "@scope/server@1.0".into(), "--token=x".into()],
            variables: std::collections::BTreeMap::new(),
            inherit: vec![],
        };
        let server = Known { name: "a".into(), way, start: None };
        assert_eq!(shown(&server), "npx @scope/server");
        assert!(is_fetched(&server));
    }
}
