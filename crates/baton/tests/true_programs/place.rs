//! A private home for a program, and the binary that asks it there.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;

use crate::leftovers;
use crate::programs::{Case, Row, version};

/// For one turn: above what the slowest program needs to start, and not much above, for some programs try again by
/// themselves until they are stopped.
const PLENTY_MS: u64 = 40_000;

/// A repository without a commit: some programs look for one, and would find that of the tests.
const PROJECT: &[(&str, &str)] = &[
    ("README.md", "# A project\n"),
    (".git/HEAD", "ref: refs/heads/main\n"),
    (".git/config", "[core]\n\trepositoryformatversion = 0\n\tbare = false\n"),
    (".git/objects/info/packs", ""),
    (".git/refs/heads/.keep", ""),
];

/// One row's folder: `home` of the user and the program, `store` of baton, the project `work`, and `tmp`.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) row: Row,
    /// Of the installed package.
    pub(crate) version: String,
    folder: PathBuf,
    work: PathBuf,
    path: OsString,
    until: Instant,
    project: BTreeMap<PathBuf, Vec<u8>>,
}

/// The time of the row is over.
pub(crate) const OVER: &str = "over budget";

/// A baton that ended.
pub(crate) struct Ran {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// One attempt as baton's journal tells it.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) class: String,
    pub(crate) detail: String,
    pub(crate) session: Option<String>,
}

impl Place {
    /// # Errors
    /// When the folders cannot be made.
    pub(crate) fn new(row: &Row, folder: PathBuf, before: Option<&Path>, agents: &Path) -> Result<Self, String> {
        for name in ["home", "store", "work", "tmp"] {
            std::fs::create_dir_all(folder.join(name)).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        PROJECT.iter().try_for_each(|(name, text)| write(&folder.join("work").join(name), text))?;
        let programs = agents.join("node_modules/.bin");
        let places = before.into_iter().chain([programs.as_path(), Path::new("/usr/bin"), Path::new("/bin")]);
        let path = std::env::join_paths(places).map_err(|error| error.to_string())?;
        let until = Instant::now() + Duration::from_secs(row.budget_s);
        let work = folder.join("work");
        let project = leftovers::contents(&work);
        let version = version(agents, &row.package);
        Ok(Self { row: row.clone(), version, folder, work, path, until, project })
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// The same home with another project, in which each file is as given. `{marks}` in a text is a folder of its own.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(crate) fn with_project(&self, files: &[(&str, &str)]) -> Result<(Self, PathBuf), String> {
        let (work, marks) = (self.folder.join("strange"), self.folder.join("marks"));
        std::fs::create_dir_all(&marks).map_err(|error| format!("{}: {error}", marks.display()))?;
        let fill = |text: &str| text.replace("{marks}", &marks.to_string_lossy());
        PROJECT.iter().chain(files).try_for_each(|(name, text)| write(&work.join(name), &fill(text)))?;
        let project = leftovers::contents(&work);
        Ok((Self { work, project, ..self.clone() }, marks))
    }

    /// Leads the seat to a server. `limit_ms` is for the first event and for silence.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(crate) fn configure(&self, url: &str, limit_ms: Option<u64>) -> Result<(), String> {
        let limit = limit_ms.unwrap_or(PLENTY_MS);
        let limits = format!(
            "limits = {{ first_event_ms = {limit}, idle_ms = {limit}, total_ms = {PLENTY_MS}, concurrent = 1 }}"
        );
        let filled = |text: &str| {
            let work = self.folder.join("work");
            text.replace("{url}", url).replace("{limits}", &limits).replace("{work}", &work.to_string_lossy())
        };
        let configuration = format!("local_servers = false\n{}", filled(&self.row.configuration));
        write(&self.folder.join("store/baton.toml"), &configuration)?;
        self.row.files.iter().try_for_each(|(name, text)| write(&self.home().join(name), &filled(text)))
    }

    /// Runs baton to its end. One that outlasts the row's budget is killed.
    ///
    /// # Errors
    /// A program that cannot be started; [`OVER`].
    pub(crate) async fn run(&self, arguments: &[&str], input: &str) -> Result<Ran, String> {
        let mut child = self.start(arguments)?;
        let mut stdin = child.stdin.take();
        let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take());
        let (mut out, mut error) = (Vec::new(), Vec::new());
        let all = async {
            let write = async {
                if let Some(mut stdin) = stdin.take() {
                    let _ = stdin.write_all(input.as_bytes()).await;
                }
            };
            let read_out = async {
                if let Some(pipe) = &mut stdout {
                    let _ = pipe.read_to_end(&mut out).await;
                }
            };
            let read_error = async {
                if let Some(pipe) = &mut stderr {
                    let _ = pipe.read_to_end(&mut error).await;
                }
            };
            tokio::join!(write, read_out, read_error);
            child.wait().await
        };
        self.within(all).await?.map_err(|error| error.to_string())?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(Ran { stdout: text(out), stderr: text(error) })
    }

    /// Starts baton and comes back at once. It is killed when the child is dropped.
    ///
    /// # Errors
    /// A program that cannot be started.
    #[expect(clippy::disallowed_methods, reason = "runs the binary as its user would")]
    pub(crate) fn start(&self, arguments: &[&str]) -> Result<Child, String> {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_baton"));
        command.args(arguments).env_clear().env("PATH", &self.path).current_dir(&self.work);
        for (name, place) in [("HOME", "home"), ("BATON_HOME", "store"), ("TMPDIR", "tmp")] {
            command.env(name, self.folder.join(place));
        }
        command.env("LANG", "C.UTF-8").env("TZ", "UTC").kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().map_err(|error| format!("baton cannot be started: {error}"))
    }

    /// Waits as long as the row's budget lasts.
    ///
    /// # Errors
    /// [`OVER`].
    pub(crate) async fn within<T>(&self, work: impl Future<Output = T>) -> Result<T, String> {
        let until = tokio::time::Instant::from_std(self.until);
        tokio::time::timeout_at(until, work).await.map_err(|_| OVER.to_owned())
    }

    /// How a run's attempts ended, in their order.
    ///
    /// # Errors
    /// A journal that cannot be read.
    pub(crate) async fn attempts(&self, run: &str) -> Result<Vec<Attempt>, String> {
        let shown = self.run(&["show", run, "--journal"], "").await?;
        let rows = shown.stdout.lines().map(serde_json::from_str::<Value>);
        let rows: Vec<Value> = rows.collect::<Result<_, _>>().map_err(|error| format!("journal: {error}"))?;
        let ended = rows.iter().filter(|row| row["kind"] == "step_finished");
        let headers = ended.filter_map(|row| serde_json::from_str::<Value>(row["header"].as_str()?).ok());
        let attempts: Vec<Attempt> = headers.map(|header| attempt(&header)).collect();
        if attempts.is_empty() { Err(format!("no turn ended: {}", last_line(&shown.stderr))) } else { Ok(attempts) }
    }

    /// What the case left behind that it must not, and clears it away. Baton's own private folders may stay where
    /// baton was killed: nobody is left to remove them.
    pub(crate) async fn left(&self, case: Case) -> Vec<String> {
        let processes = leftovers::processes(&self.home());
        let mut left: Vec<String> =
            processes.iter().map(|(pid, command)| format!("process {pid}: {command}")).collect();
        processes.iter().for_each(|(pid, _)| leftovers::kill(*pid));
        leftovers::gone(&self.home()).await;
        let tmp = self.folder.join("tmp");
        let excused = |path: &PathBuf| case == Case::BatonKilled && is_batons(path, &tmp);
        let files = leftovers::files(&tmp).into_iter().filter(|path| !excused(path));
        left.extend(files.map(|file| format!("file {}", file.display())));
        let _ = std::fs::remove_dir_all(&tmp).and_then(|()| std::fs::create_dir(&tmp));
        left.extend(self.changed().iter().map(|file| format!("project file {}", file.display())));
        left
    }

    /// Files of the project that are not as they were, but those that the row allows.
    pub(crate) fn changed(&self) -> Vec<PathBuf> {
        let now = leftovers::contents(&self.work);
        let differs = |path: &&PathBuf| now.get(*path) != self.project.get(*path);
        let allowed = |path: &PathBuf| self.row.may_write.iter().any(|name| *path == self.work.join(name));
        let all: std::collections::BTreeSet<&PathBuf> = now.keys().chain(self.project.keys()).collect();
        all.into_iter().filter(differs).filter(|path| !allowed(path)).cloned().collect()
    }
}

/// Whether a file is in one of the private folders that baton makes for a program.
fn is_batons(path: &Path, tmp: &Path) -> bool {
    let first = path.strip_prefix(tmp).ok().and_then(|path| path.components().next());
    first.is_some_and(|name| name.as_os_str().to_string_lossy().starts_with("baton-"))
}

fn attempt(header: &Value) -> Attempt {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Attempt {
        class: text(&header["outcome"]["class"]).unwrap_or_default(),
        detail: text(&header["detail"]).unwrap_or_default(),
        session: text(&header["provenance"]["session"]),
    }
}

pub(crate) fn last_line(text: &str) -> &str {
    text.trim_end().lines().next_back().unwrap_or_default()
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let parent = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    parent.and_then(|()| std::fs::write(path, text)).map_err(|error| format!("{}: {error}", path.display()))
}
