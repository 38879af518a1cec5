//! A private folder with fake agents in it, and a marker that all their descendants carry.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use baton_process::{Command, Launcher, Limits, Shim, Stdin};
use baton_testkit::fake_agent::record::{self, Start};
use baton_testkit::fake_agent::{MARKER, Script, install, processes_with_marker};
use rustix::process::{Pid, Signal, kill_process};

pub(crate) const FAKE_AGENT: &str = env!("CARGO_BIN_EXE_fake-agent");

pub(crate) struct Place {
    root: tempfile::TempDir,
    pub(crate) marker: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let root = tempfile::tempdir().unwrap();
        Self { root, marker: format!("{}-{number}", std::process::id()) }
    }

    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    pub(crate) fn record_path(&self) -> PathBuf {
        self.root().join("record.jsonl")
    }

    pub(crate) fn record(&self) -> Vec<Start> {
        record::read(&self.record_path()).unwrap()
    }

    /// Installs a fake with this script, which records into this place.
    pub(crate) fn install(&self, name: &str, script: &Script) -> PathBuf {
        let script = Script { record: Some(self.record_path()), ..script.clone() };
        install(Path::new(FAKE_AGENT), self.root(), name, &script).unwrap()
    }

    pub(crate) fn command(&self, program: impl Into<PathBuf>) -> Command {
        Command::new(program, self.root()).env(MARKER, &self.marker).limits(limits())
    }

    /// A turn of Claude's fake, with a prompt that does not fit into a pipe.
    pub(crate) fn claude(&self, script: &Script) -> Command {
        self.command(self.install("claude", script))
            .args(["-p", "--output-format", "stream-json", "--verbose", "--session-id", "one"])
            .stdin(Stdin::Bytes(prompt()))
    }

    pub(crate) fn survivors(&self) -> Vec<(u32, String)> {
        processes_with_marker(&self.marker)
    }

    /// For survivors whose end nobody reports; bounded, and far beyond any grace in these tests.
    pub(crate) async fn wait_until_empty(&self) {
        wait_for(|| self.survivors().is_empty(), || format!("{:?}", self.survivors())).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for (id, _) in self.survivors() {
            let pid = Pid::from_raw(i32::try_from(id).unwrap()).unwrap();
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

pub(crate) async fn wait_for(condition: impl Fn() -> bool, describe: impl Fn() -> String) {
    for _ in 0..2_000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("still waiting: {}", describe());
}

pub(crate) fn prompt() -> Vec<u8> {
    b"Is this change correct? ".repeat(20_000)
}

/// Generous where a slow machine could be taken for a fault, short where a test waits for the end of it.
pub(crate) fn limits() -> Limits {
    let patient = Duration::from_secs(60);
    Limits {
        first_output: patient,
        idle: patient,
        total: patient,
        grace: Duration::from_millis(150),
        drain: Duration::from_millis(150),
        ..Limits::default()
    }
}

pub(crate) fn with_shim() -> Launcher {
    Launcher::with_shim(Shim { program: FAKE_AGENT.into(), arguments: vec!["__shim".into()] })
}

pub(crate) fn on_runtime<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
