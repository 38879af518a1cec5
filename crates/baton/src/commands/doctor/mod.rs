//! `baton doctor`: what works here, what does not, and how to mend it.
//!
//! Without `--deep` no model is called and no MCP server is started: programs are asked for their version, servers of
//! this machine for their models, and files are read. With it, MCP servers of the user's own settings are started and
//! asked for their tools; those that a project brings never are. Values of their variables, headers and arguments are
//! never shown.

mod attention;
mod data;
mod deep;
mod drift;
mod json;
mod launch;
mod look;
mod machine;
mod screen;
mod servers;
mod shelter;
mod store;
mod troubles;
mod version;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use baton_core::member::Member;
use baton_members::Tools;
use baton_port::Cancel;
use baton_store::SqliteStore;

use self::attention::Attention;
use self::data::Data;
use self::drift::Drift;
use self::look::Looked;
use self::machine::{LocalReport, SeatReport, State, ToolReport};
use self::servers::{Places, Server, Settings};
use self::shelter::ShelterReport;
use self::store::StoreReport;
use self::troubles::{Facts, Finding, Program};
use self::version::Version;
use crate::cli::Doctor;
use crate::compose::{self, refuse_recursion};
use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::render::{self, Output};
use crate::seats::{self, Seat};
use crate::system::{Home, environment_path};
use crate::trust::Trust;
use crate::{attach, commands};

/// All that was seen.
struct Seen {
    seats: Vec<SeatReport>,
    locals: Vec<LocalReport>,
    store: StoreReport,
    sandbox: ShelterReport,
    tools: Vec<ToolReport>,
    /// The user's own checks that are for this directory.
    checks: Vec<Member>,
    settings: Vec<Settings>,
    /// The user's own MCP servers: name, what starts them, and who gets them.
    own: Vec<(String, String, String)>,
    /// With `--deep` only.
    looked: Vec<Looked>,
}

/// What was seen, and what follows from it.
struct Report<'a> {
    seen: Seen,
    drift: Vec<Drift>,
    findings: Vec<Finding<'a>>,
    attention: Vec<Attention>,
}

pub(crate) async fn doctor(doctor: &Doctor, output: &mut Output) -> Result<Exit, Failure> {
    if doctor.deep {
        refuse_recursion()?;
    }
    let data = Data::built_in()?;
    let home = Home::find(environment_path)?;
    let directory = compose::current_directory()?;
    let config = Config::load_in(&home, &directory)?;
    let tools = Arc::new(compose::tools(Vec::new())?);
    compose::admit_servers(&config, &tools);
    let locals = machine::locals(&config, &tools).await;
    let mut seats = machine::look(chosen(&config, &locals, &doctor.members, &tools)?, &tools).await;
    seats.sort_by_key(|seat| (seat.state == State::Absent, seat.member.tier, seat.member.id.clone()));
    let programs = machine::tools(&data.tools, &tools).await;
    let (store, opened) = store::look(&home.data).await;
    let sandbox = shelter::look(&home.data, tools.launcher(), has_checks(&config)).await;
    if doctor.deep {
        examine(&mut seats, &config, opened.as_ref(), &tools, doctor.yes).await?;
    }
    let settings = settings(&data, &directory);
    // Who names members wants to know about these.
    let looked = if doctor.deep && doctor.members.is_empty() {
        look_at_servers(&config, &settings, &tools).await?
    } else {
        Vec::new()
    };
    let checks = seats::checks(&config, &Trust::default(), &attach::workspace(&directory));
    let own = own_servers(&config);
    let seen = Seen { seats, locals, store, sandbox, tools: programs, checks, settings, own, looked };
    let report = conclude(&data, seen, &tools);
    let text = if doctor.json {
        format!("{:#}\n", json::value(&report))
    } else {
        screen::screen(&report, output.list_width())
    };
    output.print(&text)?;
    Ok(report.exit())
}

/// The seats that were named, or all.
fn chosen(config: &Config, locals: &[LocalReport], named: &[String], tools: &Tools) -> Result<Vec<Seat>, Failure> {
    let mut found: Vec<Seat> = config.entries.iter().map(|entry| seats::look(entry, tools)).collect();
    found.extend(locals.iter().flat_map(|local| local.seats.iter().cloned()));
    let is = |seat: &Seat, name: &String| seat.entry.member.id.as_str() == name;
    if let Some(unknown) = named.iter().find(|name| !found.iter().any(|seat| is(seat, name))) {
        return Err(config.unknown_member(unknown));
    }
    if !named.is_empty() {
        found.retain(|seat| named.iter().any(|name| is(seat, name)));
    }
    Ok(found)
}

/// The real turns, after consent.
async fn examine(
    seats: &mut [SeatReport],
    config: &Config,
    store: Option<&SqliteStore>,
    tools: &Arc<Tools>,
    yes: bool,
) -> Result<(), Failure> {
    // Without a store nothing is known to be agreed to.
    let trust = match store {
        Some(store) => Trust::read(store).await?,
        None => Trust::default(),
    };
    if yes {
        render::note(&deep::notice(seats));
    } else {
        deep::agree(seats, config, &trust)?;
    }
    if let Some(waiting) = deep::waiting(seats) {
        render::note(&waiting);
    }
    let cancel = Cancel::default();
    commands::with_ctrl_c(deep::ask(seats, tools, config.rules.spend_cap, &cancel), &cancel).await?;
    if cancel.is_requested() {
        return Err(Failure::new(Exit::Cancelled, "stopped while the members were asked"));
    }
    Ok(())
}

/// Those that a project brings count: they may be trusted, or will be.
fn has_checks(config: &Config) -> bool {
    !config.checks.is_empty() || config.project.as_ref().is_some_and(|project| !project.checks.is_empty())
}

async fn look_at_servers(config: &Config, settings: &[Settings], tools: &Arc<Tools>) -> Result<Vec<Looked>, Failure> {
    let servers: Vec<&Server> = settings.iter().flat_map(|settings| &settings.servers).collect();
    let cancel = Cancel::default();
    commands::with_ctrl_c(look::look(config, &servers, tools, &cancel), &cancel).await
}

fn own_servers(config: &Config) -> Vec<(String, String, String)> {
    let gets = |entry: &&crate::config::Entry, name: &str| {
        let named = entry.member.channel.settings.get(baton_members::SERVERS);
        named.is_some_and(|names| names.split(',').any(|known| known.trim() == name))
    };
    let one = |server: &baton_members::mcp::Server| {
        let members: Vec<&str> = config
            .entries
            .iter()
            .filter(|entry| gets(entry, &server.name))
            .map(|entry| entry.member.id.as_str())
            .collect();
        let members = if members.is_empty() { "nobody".to_owned() } else { members.join(", ") };
        (server.name.clone(), look::shown(server), members)
    };
    config.servers.iter().map(one).collect()
}

fn settings(data: &Data, directory: &Path) -> Vec<Settings> {
    let workspace = attach::workspace(directory);
    let places = Places { home: environment_path("HOME"), workspace: &workspace, variable: &environment_path };
    servers::scan(&data.clients, &places)
}

fn conclude<'a>(data: &'a Data, seen: Seen, tools: &Tools) -> Report<'a> {
    let servers: Vec<&Server> = seen.settings.iter().flat_map(|settings| &settings.servers).collect();
    let enabled: Vec<&Server> = servers.iter().copied().filter(|server| server.enabled).collect();
    let drift = drift::find(servers);
    let models: Vec<(String, String)> = seen.seats.iter().filter(|seat| seat.is_ready()).filter_map(model).collect();
    let programs = found_programs(&seen.seats, &seen.tools);
    let facts = Facts { programs: &programs, servers: &enabled, models: &models };
    let findings = troubles::matching(&data.troubles, &facts);
    let mut attention: Vec<Attention> = seen.seats.iter().flat_map(attention::of_seat).collect();
    attention.extend(attention::of_store(&seen.store));
    attention.extend(seen.sandbox.attention());
    attention.extend(seen.checks.iter().filter_map(|check| attention::of_check(check, tools)));
    if seen.sandbox.is_needed {
        attention.extend(attention::of_git(&seen.tools));
    }
    attention.extend(seen.settings.iter().filter_map(attention::of_settings));
    attention.extend(enabled.iter().filter_map(|server| attention::of_server(server, tools)));
    attention.extend(seen.looked.iter().filter_map(Looked::attention));
    attention.extend(drift.iter().map(attention::of_drift));
    attention.extend(findings.iter().filter(|finding| finding.needs_attention()).map(attention::of_finding));
    Report { seen, drift, findings, attention }
}

fn model(seat: &SeatReport) -> Option<(String, String)> {
    Some((seat.member.id.to_string(), seat.member.model.clone()?))
}

/// Programs by name, each once: those of the seats with the version that their channel found, then the others.
fn found_programs(seats: &[SeatReport], tools: &[ToolReport]) -> Vec<Program> {
    let mut found: Vec<Program> = Vec::new();
    for seat in seats.iter().filter(|seat| seat.is_ready()) {
        let Some(name) = seat.path.as_ref().and_then(|path| path.file_name()?.to_str()) else { continue };
        let version = seat.version.as_deref().and_then(Version::parse);
        if !found.iter().any(|known| known.name == name && known.version == version) {
            found.push(Program { name: name.to_owned(), output: None, version });
        }
    }
    for tool in tools.iter().filter(|tool| tool.path.is_some()) {
        let version = tool.version.as_deref().and_then(Version::parse);
        let output = tool.output.clone();
        match found.iter_mut().find(|known| known.name == tool.tool.program && known.version == version) {
            Some(known) => known.output = output,
            None => found.push(Program { name: tool.tool.program.clone(), output, version }),
        }
    }
    found
}

impl Report<'_> {
    fn exit(&self) -> Exit {
        match (self.seen.seats.iter().any(SeatReport::is_ready), self.attention.is_empty()) {
            (false, _) => Exit::NoMember,
            (true, false) => Exit::Review,
            (true, true) => Exit::Ok,
        }
    }

    fn status(&self) -> &'static str {
        match self.exit() {
            Exit::NoMember => "no_member",
            Exit::Review => "attention",
            _ => "ok",
        }
    }

    /// Troubles that are shown and need nothing done.
    fn notes(&self) -> impl Iterator<Item = &Finding<'_>> {
        self.findings.iter().filter(|finding| !finding.needs_attention())
    }
}

fn millis_since(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// A path with the user's home as `~`.
fn short(path: &Path) -> String {
    let below = environment_path("HOME").and_then(|home| path.strip_prefix(home).ok().map(PathBuf::from));
    below.map_or_else(|| path.display().to_string(), |below| format!("~/{}", below.display()))
}
