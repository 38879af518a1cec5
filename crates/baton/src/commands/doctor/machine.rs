//! Seats, servers and programs of this machine, looked at side by side.

use std::collections::BTreeMap;
use std::future::pending;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use baton_core::member::{Member, Payer};
use baton_members::Tools;
use baton_port::{Availability, BoxFuture};
use baton_process::{Command, Limits};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::data::Tool;
use super::deep::Deep;
use super::millis_since;
use super::version::Version;
use crate::config::{Config, LocalServer};
use crate::seats::{self, Seat};

/// Programs that are started at the same time.
const MOST: usize = 4;
/// How long a program has to tell its version.
const VERSION: Duration = Duration::from_secs(5);

/// Whether a seat can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    Ready,
    /// What it needs was never set up. No trouble.
    Absent,
    /// It was set up, and does not work.
    Broken,
}

/// One seat and all that was seen of it.
#[derive(Clone, Debug)]
pub(super) struct SeatReport {
    pub(super) member: Member,
    pub(super) path: Option<PathBuf>,
    pub(super) version: Option<String>,
    pub(super) state: State,
    /// Why it cannot be asked; empty when it can.
    pub(super) because: String,
    pub(super) mend: String,
    /// A program's own login, where that can be told.
    pub(super) login: Option<bool>,
    /// The variable of the key, and whether it is set.
    pub(super) key: Option<(String, bool)>,
    pub(super) ms: u64,
    pub(super) deep: Option<Deep>,
}

impl SeatReport {
    pub(super) fn is_ready(&self) -> bool {
        self.state == State::Ready
    }

    /// The program is there and nothing that it could be paid with was found.
    pub(super) fn lacks_login(&self) -> bool {
        let settings = &self.member.channel.settings;
        let other_ways = settings.keys().any(|key| {
            matches!(key.as_str(), "api_key" | "inherit") || key.starts_with("env.") || key.starts_with("config.")
        });
        self.is_ready() && self.login == Some(false) && self.member.payer == Payer::Subscription && !other_ways
    }
}

/// A server on one of the usual ports.
#[derive(Clone, Debug)]
pub(super) struct LocalReport {
    pub(super) server: LocalServer,
    pub(super) seats: Vec<Seat>,
    pub(super) ms: u64,
}

/// A program that is no seat's own.
#[derive(Clone, Debug)]
pub(super) struct ToolReport {
    pub(super) tool: Tool,
    pub(super) path: Option<PathBuf>,
    /// The first line of `--version`.
    pub(super) output: Option<String>,
    pub(super) version: Option<String>,
    pub(super) ms: u64,
}

/// Does all jobs, at most so many at a time, and gives their results in the jobs' order. One that is lost leaves none.
async fn side_by_side<T: Send + 'static>(jobs: Vec<BoxFuture<'static, T>>) -> Vec<T> {
    let places = Arc::new(Semaphore::new(MOST));
    let mut running = JoinSet::new();
    for (index, job) in jobs.into_iter().enumerate() {
        let places = places.clone();
        running.spawn(async move {
            let _place = places.acquire_owned().await;
            (index, job.await)
        });
    }
    let mut done = BTreeMap::new();
    while let Some(ended) = running.join_next().await {
        if let Ok((index, result)) = ended {
            done.insert(index, result);
        }
    }
    done.into_values().collect()
}

/// Every server of the configuration, asked for its models.
pub(super) async fn locals(config: &Config, tools: &Arc<Tools>) -> Vec<LocalReport> {
    let job = |server: &LocalServer| -> BoxFuture<'static, LocalReport> {
        let (server, tools) = (server.clone(), tools.clone());
        Box::pin(async move {
            let begun = Instant::now();
            let seats = seats::local(&server, &tools).await;
            LocalReport { server, seats, ms: millis_since(begun) }
        })
    };
    side_by_side(config.locals.iter().map(job).collect()).await
}

/// Every seat, probed through its channel. Seats of one program and one setting are probed once.
pub(super) async fn look(found: Vec<Seat>, tools: &Arc<Tools>) -> Vec<SeatReport> {
    let mut probes: BTreeMap<String, (usize, Member)> = BTreeMap::new();
    let mut keys = Vec::new();
    for seat in &found {
        let member = &seat.entry.member;
        let key = format!("{} {:?}", member.channel.kind, member.channel.settings);
        if seat.missing.is_none() {
            let next = probes.len();
            probes.entry(key.clone()).or_insert_with(|| (next, member.clone()));
        }
        keys.push(key);
    }
    let mut ordered: Vec<&(usize, Member)> = probes.values().collect();
    ordered.sort_by_key(|(index, _)| *index);
    let jobs = ordered.iter().map(|(_, member)| probe(member.clone(), tools.clone())).collect();
    let probed = side_by_side(jobs).await;
    let answer = |key: &String| probes.get(key).and_then(|(index, _)| probed.get(*index));
    found.iter().zip(&keys).map(|(seat, key)| report(seat, answer(key), tools)).collect()
}

fn probe(member: Member, tools: Arc<Tools>) -> BoxFuture<'static, (Availability, u64)> {
    Box::pin(async move {
        let begun = Instant::now();
        let availability = match baton_members::open(&member, &tools) {
            Ok(channel) => channel.probe().await,
            Err(error) => Availability::NotReady {
                because: error.to_string(),
                mend: "Correct the seat in your baton.toml.".to_owned(),
            },
        };
        (availability, millis_since(begun))
    })
}

fn report(seat: &Seat, probed: Option<&(Availability, u64)>, tools: &Tools) -> SeatReport {
    let member = seat.entry.member.clone();
    let settings = &member.channel.settings;
    let program = settings.get("program").or(seat.entry.needs.program.as_ref());
    let key = settings.get("key_env").or(seat.entry.needs.key_env.as_ref());
    let (state, version, because, mend) = match (&seat.missing, probed) {
        (Some((because, mend)), _) => (State::Absent, None, because.clone(), mend.clone()),
        (None, Some((Availability::Ready { version }, _))) => {
            (State::Ready, version.clone(), String::new(), String::new())
        }
        (None, Some((Availability::NotReady { because, mend }, _))) => {
            let mend = if mend.is_empty() { seat.entry.install.clone() } else { mend.clone() };
            (State::Broken, None, because.clone(), mend)
        }
        (None, None) => (State::Broken, None, "it could not be looked at".to_owned(), String::new()),
    };
    SeatReport {
        path: program.and_then(|program| tools.find_program(program)),
        version,
        login: seat.missing.is_none().then(|| login(&member, tools)).flatten(),
        key: key.map(|name| (name.clone(), tools.key(name).is_some())),
        ms: probed.filter(|_| seat.missing.is_none()).map_or(0, |(_, ms)| *ms),
        state,
        because,
        mend,
        member,
        deep: None,
    }
}

/// On macOS logins are kept in the keychain, which is not looked into.
fn login(member: &Member, tools: &Tools) -> Option<bool> {
    let found = baton_members::is_logged_in(member, tools)?;
    (found || !cfg!(target_os = "macos")).then_some(found)
}

/// Every program of the catalogue, asked for its version.
pub(super) async fn tools(wanted: &[Tool], tools: &Arc<Tools>) -> Vec<ToolReport> {
    let jobs = wanted.iter().map(|tool| ask_version(tool.clone(), tools.clone())).collect();
    side_by_side(jobs).await
}

fn ask_version(tool: Tool, tools: Arc<Tools>) -> BoxFuture<'static, ToolReport> {
    Box::pin(async move {
        let begun = Instant::now();
        let path = tools.find_program(&tool.program);
        let output = match &path {
            Some(path) => version_line(path, &tools).await,
            None => None,
        };
        let version = output.as_deref().and_then(Version::find).map(|(_, word)| word.chars().take(40).collect());
        ToolReport { tool, path, output, version, ms: millis_since(begun) }
    })
}

/// The first line that `--version` prints, when the program ends well. It sees no secret of the environment.
async fn version_line(path: &std::path::Path, tools: &Tools) -> Option<String> {
    let limits = Limits { total: VERSION, stdout_bytes: 4 << 10, stderr_bytes: 4 << 10, ..Limits::default() };
    // Some programs fill a cache even then; it goes away with this folder. Without room for one they share the user's.
    let private = tempfile::Builder::new().prefix("baton-").tempdir().ok();
    let place = private.iter().map(|folder| ("TMPDIR".into(), folder.path().into()));
    let command = Command::new(path, "/").arg("--version").envs(tools.base_variables()).envs(place).limits(limits);
    let (report, output) = tools.launcher().output(command, pending()).await;
    let text = String::from_utf8_lossy(&output);
    let line: String = text
        .lines()
        .find(|line| !line.trim().is_empty())?
        .chars()
        .filter(|letter| !letter.is_control())
        .take(120)
        .collect();
    (report.exit_code() == Some(0)).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn results_keep_the_order_and_no_more_than_so_many_run() {
        let open = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let job = |index: usize| -> BoxFuture<'static, (usize, usize)> {
            let open = open.clone();
            Box::pin(async move {
                let now = open.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
                for _ in 0..(20 - index) {
                    tokio::task::yield_now().await;
                }
                open.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                (index, now)
            })
        };
        let results = side_by_side((0..12).map(job).collect()).await;
        assert_eq!(results.iter().map(|(index, _)| *index).collect::<Vec<_>>(), (0..12).collect::<Vec<_>>());
        assert_eq!(results.iter().map(|(_, open)| *open).max(), Some(MOST));
    }
}
