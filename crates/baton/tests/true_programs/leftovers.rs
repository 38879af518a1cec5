//! What must not be left after a case: processes, and files outside of the private home.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

/// Between two looks at the processes that must go.
const LOOK: Duration = Duration::from_millis(20);
/// How often it is looked: twenty seconds.
const LOOKS: usize = 1_000;

/// Processes that were started with this home, each with its command. Those that ended and were not collected do not
/// count.
pub(crate) fn processes(home: &Path) -> Vec<(i32, String)> {
    let mark = format!("HOME={}", home.display());
    let marked = |pid: &i32| {
        let variables = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        variables.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    };
    all().into_iter().filter(marked).map(|pid| (pid, command(pid))).collect()
}

/// Every process that this one can see and that lives, but this one. In a process namespace of our own: all that was
/// ever started and is not ended.
pub(crate) fn all() -> Vec<i32> {
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|pid| *pid != own && lives(*pid)).collect()
}

fn lives(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|state| !state.is_empty() && !state.starts_with(['Z', 'X']))
}

pub(crate) fn command(pid: i32) -> String {
    let bytes = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).replace('\0', " ");
    text.chars().take(80).collect::<String>().trim().to_owned()
}

/// Whether a process runs this file.
pub(crate) fn runs(pid: i32, file: &Path) -> bool {
    std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|program| program == file)
}

pub(crate) fn kill(pid: i32) {
    if let Some(pid) = rustix::process::Pid::from_raw(pid) {
        // One that has ended by itself is what was wanted.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}

/// Waits until no process with this home lives. False when some still do after twenty seconds.
pub(crate) async fn gone(home: &Path) -> bool {
    for _ in 0..LOOKS {
        if processes(home).is_empty() {
            return true;
        }
        tokio::time::sleep(LOOK).await;
    }
    false
}

/// All files below a folder, with what is in them.
pub(crate) fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let read = |path: PathBuf| std::fs::read(&path).ok().map(|bytes| (path, bytes));
    files(folder).into_iter().filter_map(read).collect()
}

/// All files below a folder.
pub(crate) fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                _ => drop(found.insert(entry.path())),
            }
        }
    }
    found
}

/// Watches what is written outside of the private homes: every file of the layer that holds all changes of the file
/// system, and the shared memory of the machine.
pub(crate) struct Outside {
    watched: Vec<PathBuf>,
    known: Mutex<BTreeSet<PathBuf>>,
}

impl Outside {
    /// `layer` is where a file system keeps what was changed, if it was mounted.
    pub(crate) fn new(layer: Option<PathBuf>) -> Self {
        let watched: Vec<PathBuf> = layer.into_iter().flat_map(|layer| [layer, "/dev/shm".into()]).collect();
        let known = watched.iter().flat_map(|folder| files(folder)).collect();
        Self { watched, known: Mutex::new(known) }
    }

    pub(crate) fn is_watched(&self) -> bool {
        !self.watched.is_empty()
    }

    /// What is new since the last look, of whichever program.
    pub(crate) fn news(&self) -> Vec<PathBuf> {
        let now: BTreeSet<PathBuf> = self.watched.iter().flat_map(|folder| files(folder)).collect();
        let mut known = self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let news = now.difference(&known).cloned().collect();
        known.extend(now);
        news
    }
}
