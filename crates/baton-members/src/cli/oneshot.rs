//! One process a turn: what all one-shot programs share.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::future::pending;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use baton_core::outcome::{Deadline, Outcome};
use baton_port::{Availability, Progress, Transcript, Turn, TurnRequest};
use baton_process::{Command, Ending, Flow, Launcher, Limits, Report, Stdin, find_program};
use tempfile::{NamedTempFile, TempDir};

use super::environment::Environment;
use super::settings::Settings;
use super::words;
use crate::warm::{Place, Start, Talk, Warmth};

/// Bytes of standard error that are kept.
const STDERR: usize = 64 << 10;
/// How long a program may take to tell its version, unless it is known to be slow.
const VERSION: Duration = Duration::from_secs(3);
/// Between the two in a transcript.
const STDERR_TITLE: &[u8] = b"[standard error]\n";
const KEPT_OUT: &[u8] = b"[secret]";

/// What a program is started with, besides its path, directory and limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    pub arguments: Vec<OsString>,
    pub environment: BTreeMap<OsString, OsString>,
    pub stdin: Vec<u8>,
}

/// A turn that is not even tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub outcome: Outcome,
    pub detail: String,
}

impl Refusal {
    pub(crate) fn new(outcome: Outcome, detail: impl Into<String>) -> Self {
        Self { outcome, detail: detail.into() }
    }
}

/// The answer of a parser to one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    pub flow: Flow,
    pub progress: Vec<Progress>,
}

impl Reaction {
    pub(crate) fn quiet(flow: Flow) -> Self {
        Self { flow, progress: Vec::new() }
    }
}

/// What a parser needs to know of the process's end.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    pub ending: &'a Ending,
    pub stderr: &'a str,
}

/// Reads the lines of one turn. Pure: lines in, state out.
pub(crate) trait Reader: Send {
    fn line(&mut self, line: &[u8]) -> Reaction;

    /// Called when no limit and no wish of ours ended the program: what it said decides.
    fn finish(&self, end: End<'_>) -> Turn;

    /// Called in the other case: what is known of where the answer would have come from.
    fn unfinished(&self, outcome: Outcome, detail: &str) -> Turn;
}

/// What differs from program to program.
pub(crate) trait Dialect: Send + Sync {
    type Reader: Reader;

    /// One sentence on how to get the program.
    const INSTALL: &'static str;
    /// Variables that hold an API key which the program would use in place of its login.
    const KEYS: &'static [&'static str];
    /// Variables that say where it keeps its state.
    const OWN: &'static [&'static str];

    fn settings(&self) -> &Settings;
    fn invocation(&self, environment: &Environment, request: &TurnRequest) -> Result<Invocation, Refusal>;

    /// The invocation with the path of the file that holds [`Dialect::private_file`].
    fn invocation_with(
        &self,
        environment: &Environment,
        request: &TurnRequest,
        _private_file: Option<&Path>,
    ) -> Result<Invocation, Refusal> {
        self.invocation(environment, request)
    }

    /// The bytes of a private file, for a program that takes its prompt, or what it may not be told by arguments, from
    /// one.
    fn private_file(&self, _request: &TurnRequest) -> Option<Vec<u8>> {
        None
    }

    /// Values beside those of the environment that must stand in nothing that is kept.
    fn secrets(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    /// Texts on standard error that say that the program tries again.
    fn stop_words(&self) -> &[String] {
        &[]
    }

    fn version_check(&self) -> VersionCheck<'_> {
        VersionCheck { argument: "--version", least: None, patience: VERSION }
    }

    fn reader(&self, request: &TurnRequest) -> Self::Reader;

    /// Where the program, started with these variables, keeps its state; its home where nothing better is known.
    fn configuration(&self, variables: &BTreeMap<OsString, OsString>) -> Option<PathBuf> {
        variables.get(OsStr::new("HOME")).map(PathBuf::from)
    }

    /// Whether the program, started with these variables, has a login of its own.
    fn is_logged_in(&self, variables: &BTreeMap<OsString, OsString>) -> bool;
}

/// How a probe asks for the version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VersionCheck<'a> {
    pub(crate) argument: &'a str,
    /// Older ones are not asked.
    pub(crate) least: Option<&'a str>,
    pub(crate) patience: Duration,
}

/// The variables of a seat's program: the allowed ones, the named ones, the key when told so, the seat's own.
pub(crate) fn variables(
    settings: &Settings,
    environment: &Environment,
    own: &[&str],
    keys: &[&str],
) -> BTreeMap<OsString, OsString> {
    let keys = if settings.pass_key { keys } else { &[] };
    let inherited = settings.inherit.iter().map(String::as_str);
    let allow: Vec<&str> = own.iter().chain(keys).copied().chain(inherited).collect();
    let mut variables = environment.for_child(&allow);
    let depth = variables.get_key_value(OsStr::new(super::DEPTH)).map(|(name, depth)| (name.clone(), depth.clone()));
    variables.extend(settings.variables.iter().map(|(name, value)| (name.into(), value.into())));
    variables.extend(depth);
    variables
}

/// An id that can stand as an argument and as nothing else.
pub(crate) fn is_session_id(id: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    !id.is_empty() && id.len() <= 128 && !id.starts_with('-') && id.chars().all(plain)
}

/// `--name=value` in one argument, so that a value which begins with a dash stays a value.
pub(crate) fn flag(name: &str, value: impl AsRef<OsStr>) -> OsString {
    let mut argument = OsString::from(name);
    argument.push("=");
    argument.push(value);
    argument
}

/// A seat whose program is started for each turn.
#[derive(Debug)]
pub(crate) struct OneShot<D> {
    pub(crate) dialect: D,
    pub(crate) launcher: Launcher,
    pub(crate) environment: Environment,
    pub(crate) warmth: Warmth,
}

/// A command and what must live as long as it runs.
struct Ready {
    program: PathBuf,
    command: Command,
    secrets: Vec<Vec<u8>>,
    // Taken away in this order: the file lies in the folder.
    _prompt: Option<NamedTempFile>,
    _private: Option<TempDir>,
}

impl<D: Dialect> OneShot<D> {
    pub(crate) async fn turn(&self, request: &TurnRequest) -> Turn {
        if request.cancel.is_requested() {
            return Turn::failed(Outcome::Cancelled, "cancelled before the program was started");
        }
        match self.let_in(request).await {
            Ok((ready, place)) => self.run(ready, place, request).await,
            Err(refusal) => Turn::failed(refusal.outcome, refusal.detail),
        }
    }

    async fn let_in(&self, request: &TurnRequest) -> Result<(Ready, Option<Place>), Refusal> {
        let place = self.warmth.enter(request).await?;
        Ok((self.prepare(request)?, place))
    }

    /// What a process that stays is started with.
    pub(crate) fn start(
        &self,
        request: &TurnRequest,
        invocation: Invocation,
        talk: Box<dyn Talk>,
    ) -> Result<Start, Refusal> {
        let program = self.located(request)?;
        let Invocation { arguments, mut environment, stdin: _ } = invocation;
        self.check_login(&environment)?;
        let secrets = secrets(&environment);
        let private = private_directory(&self.environment, &mut environment);
        let command = Command::new(&program, &request.directory)
            .args(arguments)
            .envs(environment)
            .stop_at_stderr(self.dialect.stop_words());
        Ok(Start { program, command, secrets, private, talk })
    }

    fn located(&self, request: &TurnRequest) -> Result<PathBuf, Refusal> {
        let program = find(self.dialect.settings(), &self.environment)
            .map_err(|because| Refusal::new(Outcome::NotInstalled, because))?;
        match request.directory.is_dir() {
            true => Ok(program),
            false => Err(Refusal::new(Outcome::Rejected, "the directory to work in is not there")),
        }
    }

    pub(crate) async fn probe(&self) -> Availability {
        let program = match find(self.dialect.settings(), &self.environment) {
            Ok(program) => program,
            Err(because) => return Availability::NotReady { because, mend: D::INSTALL.to_owned() },
        };
        let variables = variables(self.dialect.settings(), &self.environment, D::OWN, D::KEYS);
        if let Err(refusal) = self.check_login(&variables) {
            return Availability::NotReady { because: refusal.detail, mend: LOGGED_IN_MEND.to_owned() };
        }
        let check = self.dialect.version_check();
        ask_version(&self.launcher, &self.environment, program, variables, check, D::INSTALL).await
    }

    /// Where the program keeps its state and its conversations.
    pub(crate) fn configuration(&self) -> Option<PathBuf> {
        let variables = variables(self.dialect.settings(), &self.environment, D::OWN, D::KEYS);
        self.dialect.configuration(&variables)
    }

    /// Whether the program has a login of its own, as far as its files tell. Starts nothing.
    pub(crate) fn is_logged_in(&self) -> bool {
        self.dialect.is_logged_in(&variables(self.dialect.settings(), &self.environment, D::OWN, D::KEYS))
    }

    /// A key in the environment beats a login, silently and on another bill.
    fn check_login(&self, variables: &BTreeMap<OsString, OsString>) -> Result<(), Refusal> {
        let key = D::KEYS.iter().find(|name| variables.contains_key(OsStr::new(name)));
        match key {
            Some(key) if self.dialect.is_logged_in(variables) => Err(Refusal::new(
                Outcome::Rejected,
                format!("the program is logged in, and {key} would be used and charged in place of the login"),
            )),
            _ => Ok(()),
        }
    }

    fn prepare(&self, request: &TurnRequest) -> Result<Ready, Refusal> {
        let program = self.located(request)?;
        let mut own = BTreeMap::new();
        let private = private_directory(&self.environment, &mut own);
        let prompt = match self.dialect.private_file(request) {
            Some(bytes) => Some(prompt_file(private.as_ref(), &bytes)?),
            None => None,
        };
        let file = prompt.as_ref().map(NamedTempFile::path);
        let Invocation { arguments, mut environment, stdin } =
            self.dialect.invocation_with(&self.environment, request, file)?;
        self.check_login(&environment)?;
        let mut secrets = secrets(&environment);
        secrets.extend(self.dialect.secrets());
        environment.extend(own);
        let command = Command::new(&program, &request.directory)
            .args(arguments)
            .envs(environment)
            .stdin(Stdin::Bytes(stdin))
            .stop_at_stderr(self.dialect.stop_words())
            .limits(limits(request));
        Ok(Ready { program, command, secrets, _prompt: prompt, _private: private })
    }

    async fn run(&self, ready: Ready, place: Option<Place>, request: &TurnRequest) -> Turn {
        let vitals = place.as_ref().map(Place::vitals).unwrap_or_default();
        let mut reader = self.dialect.reader(request);
        let mut received = Vec::new();
        request.progress.report(Progress::Started);
        let report = self
            .launcher
            .run(ready.command.vitals(vitals), request.cancel.requested(), &mut |line| {
                received.extend_from_slice(line.bytes);
                if line.terminated {
                    received.push(b'\n');
                }
                let reaction = reader.line(line.bytes);
                reaction.progress.into_iter().for_each(|progress| request.progress.report(progress));
                reaction.flow
            })
            .await;
        let mut turn = read_end(&reader, &report);
        complete(&mut turn, &ready.program, received, Some(&report), &ready.secrets);
        turn
    }
}

/// What is the same in every turn of a program: where it is, what it wrote, and no secret in any of it.
/// Without a report the program runs on, and its standard error is not known yet.
pub(crate) fn complete(
    turn: &mut Turn,
    program: &Path,
    received: Vec<u8>,
    report: Option<&Report>,
    secrets: &[Vec<u8>],
) {
    turn.provenance.program.get_or_insert_with(|| program.display().to_string());
    turn.detail =
        String::from_utf8_lossy(&without(secrets, std::mem::take(&mut turn.detail).into_bytes())).into_owned();
    if turn.outcome == Outcome::QuotaExhausted && turn.opens.is_none() {
        turn.opens = words::opens(&turn.detail);
    }
    turn.transcript = transcript(received, report, secrets);
}

/// The seat's program.
pub(crate) fn find(settings: &Settings, environment: &Environment) -> Result<PathBuf, String> {
    let name = &settings.program;
    find_program(name, environment.path()).ok_or_else(|| match PathBuf::from(name).is_absolute() {
        true => format!("there is no program `{name}`"),
        false => format!("the program `{name}` is not on the PATH"),
    })
}

/// The directory to work in, for a program that is told it in words.
pub(crate) fn absolute(directory: &Path) -> Result<String, Refusal> {
    let path = std::path::absolute(directory).ok().and_then(|path| path.into_os_string().into_string().ok());
    path.ok_or_else(|| Refusal::new(Outcome::Rejected, "the directory to work in has a name that is no text"))
}

/// What `--version` says, within `patience`.
pub(crate) async fn ask_version(
    launcher: &Launcher,
    environment: &Environment,
    program: PathBuf,
    mut variables: BTreeMap<OsString, OsString>,
    check: VersionCheck<'_>,
    install: &str,
) -> Availability {
    let private = private_directory(environment, &mut variables);
    let directory = private.as_ref().map_or_else(|| PathBuf::from("/"), |private| private.path().to_owned());
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    let limits = version_limits(check.patience);
    let command = Command::new(program, directory).arg(check.argument).envs(variables).limits(limits);
    let (report, output) = launcher.output(command, pending()).await;
    match report.ending {
        Ending::Exited { code: 0 } => available(version(&String::from_utf8_lossy(&output)), check, install),
        ending => Availability::NotReady {
            because: format!("`{name} {}` {}", check.argument, how_it_ended(&ending)),
            mend: words::complaint(&report.stderr.text()),
        },
    }
}

/// A place for sockets and caches that goes away with the process. Without room for one the program gets none of its
/// own and shares the caller's.
pub(crate) fn private_directory(
    environment: &Environment,
    variables: &mut BTreeMap<OsString, OsString>,
) -> Option<TempDir> {
    let private = tempfile::Builder::new().prefix("baton-").tempdir_in(environment.temporary()).ok()?;
    variables.insert("TMPDIR".into(), private.path().into());
    Some(private)
}

const LOGGED_IN_MEND: &str = "Remove the key from this seat's settings, or log the program out.";

pub(crate) fn limits(request: &TurnRequest) -> Limits {
    Limits {
        first_output: request.deadlines.first_event,
        idle: request.deadlines.idle,
        total: request.deadlines.total,
        stdout_bytes: request.caps.total,
        line_bytes: request.caps.line,
        stderr_bytes: STDERR.min(request.caps.total),
        ..Limits::default()
    }
}

/// Readable by its owner only, in a folder that goes away with the process.
fn prompt_file(private: Option<&TempDir>, bytes: &[u8]) -> Result<NamedTempFile, Refusal> {
    let no_room = |error: std::io::Error| {
        Refusal::new(Outcome::Crashed, words::detail(&format!("no private file can be made: {error}")))
    };
    let folder = private.ok_or_else(|| no_room(std::io::ErrorKind::StorageFull.into()))?;
    let mut file = tempfile::Builder::new().prefix("prompt-").tempfile_in(folder.path()).map_err(no_room)?;
    file.write_all(bytes).and_then(|()| file.flush()).map_err(no_room)?;
    Ok(file)
}

fn available(version: Option<String>, check: VersionCheck<'_>, install: &str) -> Availability {
    let Some(least) = check.least else { return Availability::Ready { version } };
    let because = match version {
        Some(version) if numbers(&version) >= numbers(least) => return Availability::Ready { version: Some(version) },
        Some(version) => format!("version {version} is older than {least}, the oldest that is known to work"),
        None => format!("it does not tell its version, and nothing before {least} is known to work"),
    };
    Availability::NotReady { because, mend: install.to_owned() }
}

/// The numbers of a version up to its first part that is none: `1.18.33-beta` is 1, 18, 33.
pub(crate) fn numbers(version: &str) -> Vec<u64> {
    let plain = version.split(|letter: char| !letter.is_ascii_digit() && letter != '.').next().unwrap_or_default();
    plain.split('.').map_while(|part| part.parse().ok()).collect()
}

fn version_limits(patience: Duration) -> Limits {
    Limits { total: patience, stdout_bytes: 4 << 10, stderr_bytes: 4 << 10, ..Limits::default() }
}

/// The first word that begins with a digit, without the end of a sentence: `2.1.329 (Claude Code)`,
/// `codex-cli 0.169.0`, `GitHub Copilot CLI 1.0.102.`.
fn version(output: &str) -> Option<String> {
    let begins_with_digit = |word: &&str| word.starts_with(|letter: char| letter.is_ascii_digit());
    let word = output.split_whitespace().find(begins_with_digit)?;
    Some(word.trim_end_matches(['.', ',']).chars().take(40).collect())
}

/// The class where something of ours ended the program; otherwise what it said decides.
fn read_end(reader: &impl Reader, report: &Report) -> Turn {
    match our_end(report) {
        Some((outcome, detail)) => reader.unfinished(outcome, &detail),
        None => reader.finish(End { ending: &report.ending, stderr: &report.stderr.text() }),
    }
}

/// The class and the reason, where a limit, a wish or the system ended the program and not the program itself.
pub(crate) fn our_end(report: &Report) -> Option<(Outcome, String)> {
    let outcome = match &report.ending {
        Ending::NotFound { .. } => Outcome::NotInstalled,
        // A script without its interpreter, or a file that is no program: the shell's two codes for it.
        Ending::Exited { code: 126 | 127 } if report.stdout_bytes == 0 => Outcome::NotInstalled,
        Ending::TimedOut { which } => Outcome::TimedOut { deadline: deadline(*which) },
        Ending::TooMuchOutput { .. } => Outcome::TooMuchOutput,
        Ending::Cancelled => Outcome::Cancelled,
        Ending::StartFailed { .. } | Ending::Lost => Outcome::Crashed,
        _ => return None,
    };
    let detail = how_it_ended(&report.ending);
    let complaint = words::complaint(&report.stderr.text());
    if complaint.is_empty() || outcome == Outcome::Cancelled {
        return Some((outcome, detail));
    }
    Some((outcome, words::detail(&format!("{detail}: {complaint}"))))
}

fn deadline(which: baton_process::Deadline) -> Deadline {
    match which {
        baton_process::Deadline::FirstOutput => Deadline::FirstEvent,
        baton_process::Deadline::Idle => Deadline::Idle,
        baton_process::Deadline::Total => Deadline::Total,
    }
}

/// The end of a process in words that follow its name.
pub(crate) fn how_it_ended(ending: &Ending) -> String {
    match ending {
        Ending::Exited { code } => format!("exited with code {code}"),
        Ending::Signalled { signal } => format!("was ended by signal {signal}"),
        Ending::TimedOut { which: baton_process::Deadline::FirstOutput } => "gave no sign of life in time".to_owned(),
        Ending::TimedOut { which: baton_process::Deadline::Idle } => "fell silent and was stopped".to_owned(),
        Ending::TimedOut { which: baton_process::Deadline::Total } => "took too long and was stopped".to_owned(),
        Ending::Cancelled => "was cancelled".to_owned(),
        Ending::TooMuchOutput { .. } => "wrote more than allowed and was stopped".to_owned(),
        Ending::NotFound { error } | Ending::StartFailed { error } => format!("could not be started: {error}"),
        Ending::Lost => "was lost: its end was not seen".to_owned(),
        Ending::Stopped => "was stopped".to_owned(),
        _ => "ended".to_owned(),
    }
}

fn transcript(received: Vec<u8>, report: Option<&Report>, secrets: &[Vec<u8>]) -> Transcript {
    let Some(report) = report else { return Transcript { bytes: without(secrets, received), cut: false } };
    let cut = matches!(report.ending, Ending::TooMuchOutput { .. } | Ending::Stopped) || report.stderr.left_out() > 0;
    let mut bytes = received;
    let stderr = report.stderr.text();
    if !stderr.is_empty() {
        if bytes.last().is_some_and(|last| *last != b'\n') {
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(STDERR_TITLE);
        bytes.extend_from_slice(stderr.as_bytes());
    }
    Transcript { bytes: without(secrets, bytes), cut }
}

/// Values of variables whose names speak of secrets, long enough to be one.
pub(crate) fn secrets(variables: &BTreeMap<OsString, OsString>) -> Vec<Vec<u8>> {
    let is_secret = |name: &OsString| {
        let name = name.to_string_lossy().to_uppercase();
        ["KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL"].iter().any(|word| name.contains(word))
    };
    let named = variables.iter().filter(|(name, value)| is_secret(name) && value.len() >= 8);
    named.map(|(_, value)| value.as_encoded_bytes().to_vec()).collect()
}

fn without(secrets: &[Vec<u8>], bytes: Vec<u8>) -> Vec<u8> {
    secrets.iter().fold(bytes, |bytes, secret| replaced(&bytes, secret))
}

fn replaced(bytes: &[u8], secret: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        match rest.strip_prefix(secret) {
            Some(after) => {
                kept.extend_from_slice(KEPT_OUT);
                rest = after;
            }
            None => {
                kept.push(*first);
                rest = after;
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_among_words() {
        assert_eq!(version("2.1.329 (Claude Code)\n").as_deref(), Some("2.1.329"));
        assert_eq!(version("codex-cli 0.169.0\n").as_deref(), Some("0.169.0"));
        assert_eq!(version("welcome"), None);
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let check = VersionCheck { argument: "--version", least: Some("1.9.2"), patience: VERSION };
        let is_ready = |version: &str| {
            matches!(available(Some(version.to_owned()), check, ""), Availability::Ready { version: Some(_) })
        };
        assert!(["1.9.2", "1.10.0", "2", "1.9.2-beta"].into_iter().all(is_ready));
        assert!(!["1.9.1", "1.9", "0.10.9", "beta"].into_iter().any(is_ready));
        let told = available(None, check, "get it");
        assert!(
            matches!(told, Availability::NotReady { because, mend } if because.contains("1.9.2") && mend == "get it")
        );
    }

    #[test]
    fn a_version_is_found_in_what_is_printed_about_it() {
        for said in ["2.1.329 (Claude Code)", "claude 2.1.329", "This is Claude 2.1.329.\nRun `update`.\n"] {
            assert_eq!(version(said).as_deref(), Some("2.1.329"), "{said}");
        }
        assert_eq!(version("no number here"), None);
    }

    #[test]
    fn only_plain_ids_stand_as_arguments() {
        assert!(is_session_id("01a1fc7a-caba-7701-a957-4bc16a895ff6"));
        for odd in ["", "-", "--last", "a b", "a\nb", "a=b", "../x", &"a".repeat(129)] {
            assert!(!is_session_id(odd), "{odd:?}");
        }
    }

    #[test]
    fn secrets_are_known_by_their_names_and_taken_out() {
        let variables = [("API_KEY", "sk-secret-1"), ("LANG", "C.UTF-8xx"), ("SHORT_TOKEN", "abc")];
        let secrets = secrets(&variables.iter().map(|(name, value)| (name.into(), value.into())).collect());
        let text = b"abc sk-secret-1, C.UTF-8xx sk-secret-1".to_vec();
        assert_eq!(without(&secrets, text), b"abc [secret], C.UTF-8xx [secret]");
        assert_eq!(without(&secrets, b"sk-secret-".to_vec()), b"sk-secret-");
    }
}
