//! Which seats can be asked here: programs on the PATH, keys in the environment, servers on their usual ports.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use baton_core::ids::MemberId;
use baton_core::member::{ChannelSpec, Effort, Limits, Member, Nature, Payer};
use baton_engine::Channels;
use baton_members::Tools;
use baton_port::Channel;
use baton_workspace::{CheckCommand, Workshop};

use crate::config::{CheckEntry, Config, Entry, LocalServer};
use crate::failure::Failure;
use crate::trust::Trust;

/// One seat and whether it can be asked.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    pub(crate) entry: Entry,
    /// Why not, and how to mend it.
    pub(crate) missing: Option<(String, String)>,
}

/// How long a server on this machine has to list its models.
const LOCAL_LIMIT: Duration = Duration::from_millis(300);
/// What copying a repository and applying a patch may take, in milliseconds.
const GIT_MS: u64 = 600_000;
/// Models of one local server that become seats.
const MOST_LOCAL: usize = 4;

/// Opens the channel of a seat with this machine's programs and keys.
pub(crate) struct SeatChannels {
    pub(crate) tools: Arc<Tools>,
    pub(crate) workshop: Arc<Workshop>,
}

impl Channels for SeatChannels {
    fn open(&self, member: &Member) -> Result<Arc<dyn Channel>, String> {
        match member.nature {
            Nature::Trial => Ok(Arc::new(self.workshop.trial(member)?)),
            Nature::Reproduction => Ok(Arc::new(self.workshop.reproduction(member)?)),
            Nature::Model | Nature::Check => {
                baton_members::open(member, &self.tools).map_err(|error| error.to_string())
            }
        }
    }
}

/// Looks at every member of the configuration. Starts no program and calls no vendor; asks only this machine's own
/// ports.
pub(crate) async fn find(config: &Config, tools: &Tools) -> Vec<Seat> {
    let mut seats: Vec<Seat> = config.entries.iter().map(|entry| look(entry, tools)).collect();
    for server in &config.locals {
        seats.extend(local(server, tools).await);
    }
    seats
}

pub(crate) fn look(entry: &Entry, tools: &Tools) -> Seat {
    let mend = || entry.install.clone();
    let missing = match (&entry.needs.program, &entry.needs.key_env) {
        (Some(program), _) if tools.find_program(program).is_none() => {
            Some((format!("the program `{program}` is not on the PATH"), mend()))
        }
        (_, Some(key)) if tools.key(key).is_none() => Some((format!("{key} is not set"), mend())),
        _ => None,
    };
    Seat { entry: entry.clone(), missing }
}

pub(crate) async fn local(server: &LocalServer, tools: &Tools) -> Vec<Seat> {
    let models = baton_members::http::local_models(tools.client(), &server.base_url, LOCAL_LIMIT).await;
    let usable = models.unwrap_or_default().into_iter().filter(|model| !model.contains("embed"));
    usable.take(MOST_LOCAL).filter_map(|model| local_seat(server, &model)).collect()
}

fn local_seat(server: &LocalServer, model: &str) -> Option<Seat> {
    let slug: String = model
        .to_lowercase()
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() || character == '.' { character } else { '-' })
        .take(40)
        .collect();
    let settings = [("base_url".to_owned(), server.base_url.clone())].into();
    let member = Member {
        id: MemberId::parse(&format!("{}-{}", server.name, slug.trim_matches('-'))).ok()?,
        nature: Nature::Model,
        vendor: server.vendor.clone(),
        family: slug.split(['-', '.']).next().unwrap_or("local").to_owned(),
        channel: ChannelSpec { kind: "openai-chat".into(), settings },
        model: Some(model.to_owned()),
        effort: None,
        tier: server.tier,
        strengths: Vec::new(),
        context_window: server.context_window,
        price: None,
        payer: Payer::Local,
        account: server.name.clone(),
        limits: Limits { concurrent: 1, ..Limits::default() },
        scripted: false,
    };
    let entry = Entry { member, needs: crate::config::Needs::default(), install: String::new(), off: false };
    Some(Seat { entry, missing: None })
}

/// The members that can be asked.
pub(crate) fn usable(seats: &[Seat]) -> Vec<Member> {
    seats.iter().filter(|seat| seat.missing.is_none()).map(|seat| seat.entry.member.clone()).collect()
}

/// The checks that may be run in a workspace: the user's own, and the project's once its content is trusted.
pub(crate) fn checks(config: &Config, trust: &Trust, workspace: &Path) -> Vec<Member> {
    let mut entries: Vec<&CheckEntry> = config.checks.iter().collect();
    if let Some(project) = &config.project
        && trust.covers(&project.root, project.content)
    {
        entries.extend(&project.checks);
    }
    let here = |check: &&&CheckEntry| check.when_file.as_ref().is_none_or(|file| workspace.join(file).exists());
    entries.iter().filter(here).map(|check| check_member(check)).collect()
}

pub(crate) fn check_member(check: &CheckEntry) -> Member {
    let mut settings = std::collections::BTreeMap::new();
    if let Some((program, arguments)) = check.command.split_first() {
        settings.insert("program".to_owned(), program.clone());
        for (index, argument) in arguments.iter().enumerate() {
            settings.insert(format!("arg.{index}"), argument.clone());
        }
    }
    if check.probe {
        settings.insert(PROBE.to_owned(), "true".to_owned());
    }
    let total_ms = check.timeout_s.unwrap_or(600).saturating_mul(1_000);
    Member {
        id: check.id.clone(),
        nature: Nature::Check,
        vendor: "this machine".into(),
        family: "check".into(),
        channel: ChannelSpec { kind: "check".into(), settings },
        model: None,
        effort: None,
        tier: 5,
        strengths: Vec::new(),
        context_window: 0,
        price: None,
        payer: Payer::Local,
        account: "check".into(),
        limits: Limits { first_event_ms: total_ms, idle_ms: total_ms, total_ms, concurrent: 1, ..Limits::default() },
        scripted: false,
    }
}

/// Marks a command that is no check: what it prints is compared between patches.
const PROBE: &str = "probe";

/// Takes the probes out of those who take part in a run.
pub(crate) fn take_probes(members: &mut Vec<Member>) -> Vec<Member> {
    members.extract_if(.., |member| is_probe(member)).collect()
}

fn is_probe(member: &Member) -> bool {
    member.nature == Nature::Check && member.channel.settings.contains_key(PROBE)
}

/// Tries patches with the checks that are among these, and with probes. Its time covers theirs, and that of git.
pub(crate) fn trial(seated: &[Member], probes: &[Member]) -> Result<Member, Failure> {
    let checks = seated.iter().filter(|member| member.nature == Nature::Check);
    let commands: Vec<CheckCommand> = checks.map(check_command).collect();
    let probes: Vec<CheckCommand> = probes.iter().map(check_command).collect();
    // A probe is run twice.
    let all = commands.iter().chain(&probes).chain(&probes);
    let total_ms = all.fold(GIT_MS, |sum, check| sum.saturating_add(check.total_ms));
    in_copies(Nature::Trial, "trial", seated, (&commands, &probes), total_ms)
}

/// Runs the tests that members write for claims, with this check: once without each, once with it, and once more in a
/// fresh copy.
pub(crate) fn reproduction(seated: &[Member], check: &Member) -> Result<Member, Failure> {
    let command = check_command(check);
    let total_ms = (2 * GIT_MS).saturating_add(command.total_ms.saturating_mul(3));
    in_copies(Nature::Reproduction, "reproduction", seated, (&[command], &[]), total_ms)
}

/// The check that this call wants tests to be run with: the one that it names, else the one of the settings, else the
/// one that there is.
pub(crate) fn tested_with(asked: Option<&str>, config: &Config, seated: &[Member]) -> Result<MemberId, Failure> {
    let is_check = |member: &&Member| member.nature == Nature::Check && !is_probe(member);
    let checks: Vec<&MemberId> = seated.iter().filter(is_check).map(|member| &member.id).collect();
    let named = asked.or(config.reproduce.as_ref().map(MemberId::as_str));
    match (named, checks.as_slice()) {
        (_, []) => Err(Failure::input("no check can be run here, so no test of a claim could be")
            .hint("name the command that runs your tests as a [[check]] in your baton.toml")),
        (None, [one]) => Ok((*one).clone()),
        (Some(name), _) => checks.iter().find(|id| id.as_str() == name).map(|id| (*id).clone()).ok_or_else(|| {
            Failure::input(format!("no check `{name}` can be run here")).hint(format!("there are: {}", listed(&checks)))
        }),
        (None, _) => Err(Failure::input("several checks could run the tests of claims").hint(format!(
            "name one of them, `--reproduce={}`: {}",
            checks[0],
            listed(&checks)
        ))),
    }
}

fn listed(ids: &[&MemberId]) -> String {
    ids.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ")
}

/// A member that runs these commands in copies of the repository.
fn in_copies(
    nature: Nature,
    kind: &str,
    seated: &[Member],
    (checks, probes): (&[CheckCommand], &[CheckCommand]),
    total_ms: u64,
) -> Result<Member, Failure> {
    // Somebody may be called so already.
    let mut name = kind.to_owned();
    while seated.iter().any(|member| member.id.as_str() == name) {
        name.push_str("-2");
    }
    let settings = baton_workspace::settings(checks, probes).map_err(Failure::configuration)?;
    Ok(Member {
        id: MemberId::parse(&name).map_err(|error| Failure::configuration(error.to_string()))?,
        nature,
        vendor: "this machine".into(),
        family: "check".into(),
        channel: ChannelSpec { kind: kind.into(), settings },
        model: None,
        effort: None,
        tier: 5,
        strengths: Vec::new(),
        context_window: 0,
        price: None,
        payer: Payer::Local,
        account: kind.into(),
        limits: Limits { first_event_ms: total_ms, idle_ms: total_ms, total_ms, concurrent: 1, ..Limits::default() },
        scripted: false,
    })
}

/// A check's command on one line.
pub(crate) fn shown(check: &Member) -> String {
    check_command(check).shown()
}

fn check_command(check: &Member) -> CheckCommand {
    let settings = &check.channel.settings;
    let arguments = (0..).map_while(|index| settings.get(&format!("arg.{index}")));
    let words = settings.get("program").into_iter().chain(arguments).cloned().collect();
    CheckCommand { id: check.id.clone(), words, total_ms: check.limits.total_ms }
}

/// No member at all: what could be added, the easiest first.
pub(crate) fn nobody(seats: &[Seat]) -> Failure {
    let failure = Failure::new(crate::failure::Exit::NoMember, "no member can be asked on this machine");
    let ways = seats.iter().filter_map(|seat| seat.missing.as_ref()).map(|(_, mend)| mend.as_str());
    let mut ways: Vec<&str> = ways.filter(|mend| !mend.is_empty()).collect();
    ways.dedup();
    ways.truncate(3);
    ways.into_iter()
        .fold(failure, Failure::hint)
        .hint("start Ollama, LM Studio, llama.cpp or vLLM on its usual port")
        .hint("`baton demo` shows everything without any account")
}

impl Seat {
    pub(crate) fn effort(&self) -> &'static str {
        self.entry.member.effort.map_or("-", Effort::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> LocalServer {
        LocalServer {
            name: "ollama".into(),
            base_url: "http://127.0.0.1:11434/v1".into(),
            tier: 5,
            vendor: "local".into(),
            context_window: 8_000,
        }
    }

    #[test]
    fn a_local_model_becomes_a_seat_that_costs_nothing() {
        let seat = local_seat(&server(), "Qwen2.5-Coder:7b/Q4").unwrap();
        let member = &seat.entry.member;
        assert_eq!(member.id.as_str(), "ollama-qwen2.5-coder-7b-q4");
        assert_eq!((member.payer, member.family.as_str()), (Payer::Local, "qwen2"));
        assert_eq!(member.model.as_deref(), Some("Qwen2.5-Coder:7b/Q4"), "its own name is what it is asked by");
        assert_eq!(member.estimate(1_000_000), Some(baton_core::units::MicroUsd(0)));
    }

    #[test]
    fn a_model_name_of_strange_letters_still_gives_a_sound_id() {
        for model in ["", "模型", "../../x", "a b\n", &"long".repeat(40)] {
            if let Some(seat) = local_seat(&server(), model) {
                assert!(MemberId::parse(seat.entry.member.id.as_str()).is_ok(), "{model:?}");
            }
        }
    }

    #[test]
    fn a_check_is_a_program_and_its_arguments_without_a_shell() {
        let check = CheckEntry {
            id: MemberId::parse("tests").unwrap(),
            command: vec!["cargo".into(), "test; rm -rf /".into()],
            when_file: None,
            timeout_s: Some(5),
            probe: false,
        };
        let member = check_member(&check);
        assert!(member.is_check());
        assert_eq!(member.channel.settings["program"], "cargo");
        assert_eq!(member.channel.settings["arg.0"], "test; rm -rf /");
        assert_eq!(member.limits.total_ms, 5_000);
    }

    #[test]
    fn a_trial_takes_the_checks_in_their_order_and_a_name_that_is_free() {
        let entry = |id: &str, seconds| {
            let command = vec![id.to_owned(), "all of it".to_owned()];
            let id = MemberId::parse(id).unwrap();
            CheckEntry { id, command, when_file: None, timeout_s: Some(seconds), probe: false }
        };
        let check = |id: &str, seconds| check_member(&entry(id, seconds));
        let mut seated = vec![check("trial", 5), check("build", 7)];
        let probe = CheckEntry { probe: true, ..entry("behave", 2) };
        seated.push(check_member(&probe));
        let probes = take_probes(&mut seated);
        assert_eq!((seated.len(), probes.len()), (2, 1), "a probe is no check");
        let trial = trial(&seated, &probes).unwrap();
        assert_eq!((trial.id.as_str(), trial.nature, trial.is_check()), ("trial-2", Nature::Trial, true));
        assert_eq!(trial.limits.total_ms, GIT_MS + 16_000, "a probe is run twice");
        let checks: Vec<CheckCommand> = serde_json::from_str(&trial.channel.settings["checks"]).unwrap();
        assert_eq!((checks[0].id.as_str(), checks[1].words[1].as_str()), ("trial", "all of it"));
        let probes: Vec<CheckCommand> = serde_json::from_str(&trial.channel.settings["probes"]).unwrap();
        assert_eq!((checks.len(), probes[0].id.as_str()), (2, "behave"));
    }

    fn check(id: &str) -> Member {
        let (id, command) = (MemberId::parse(id).unwrap(), vec!["run".to_owned()]);
        check_member(&CheckEntry { id, command, when_file: None, timeout_s: Some(5), probe: false })
    }

    #[test]
    fn tests_are_run_with_the_check_that_is_named_or_the_only_one() {
        let mut config = crate::config::Config::load(&crate::system::Home::at(Path::new("/nowhere"))).unwrap();
        let (build, tests) = (check("build"), check("tests"));
        let with = |asked: Option<&str>, config: &Config, seated: &[Member]| {
            tested_with(asked, config, seated).map(|id| id.to_string()).map_err(|failure| failure.message)
        };
        let both = [build.clone(), tests];
        assert_eq!(with(Some("tests"), &config, &both), Ok("tests".into()));
        assert_eq!(with(None, &config, &both[..1]), Ok("build".into()));
        assert!(with(None, &config, &both).unwrap_err().contains("several checks"));
        assert!(with(Some("lint"), &config, &both).unwrap_err().contains("`lint`"));
        assert!(with(None, &config, &[]).unwrap_err().contains("no check can be run here"));
        config.reproduce = Some(MemberId::parse("tests").unwrap());
        assert_eq!(with(None, &config, &both), Ok("tests".into()));
        let runner = reproduction(&both, &build).unwrap();
        assert_eq!((runner.nature, runner.limits.total_ms), (Nature::Reproduction, 2 * GIT_MS + 15_000));
    }

    #[test]
    fn nobody_here_is_told_the_easiest_ways_first() {
        let failure = nobody(&[]);
        assert_eq!(failure.exit, crate::failure::Exit::NoMember);
        assert!(failure.hints.last().unwrap().contains("baton demo"));
    }
}
