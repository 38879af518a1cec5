//! A repository, a folder for copies, and what both need.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use baton_core::evidence::{CheckResult, Trial};
use baton_core::ids::MemberId;
use baton_core::member::{ChannelSpec, Limits, Member, Nature, Payer};
use baton_port::{Cancel, Caps, Channel, Deadlines, Progress, ProgressSink, SessionUse, Turn, TurnRequest};
use baton_process::Launcher;
use baton_workspace::{CheckCommand, Maker, Workshop, settings};
use tempfile::TempDir;

pub(crate) struct Room {
    pub(crate) folder: TempDir,
    /// What makes its sandbox; otherwise whatever this machine allows.
    maker: Option<Maker>,
}

struct Quiet;

impl ProgressSink for Quiet {
    fn report(&self, _: Progress) {}
}

/// Makes a file when something begins that is told in these words.
struct Marks {
    at: &'static str,
    file: PathBuf,
}

impl ProgressSink for Marks {
    fn report(&self, progress: Progress) {
        if matches!(progress, Progress::Doing(what) if what.ends_with(self.at)) {
            std::fs::write(&self.file, "").unwrap();
        }
    }
}

pub(crate) fn variables() -> BTreeMap<OsString, OsString> {
    std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "HOME").collect()
}

pub(crate) fn on_runtime<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

impl Room {
    /// A repository with one commit of `value.txt`.
    pub(crate) fn new() -> Self {
        let room = Self { folder: tempfile::tempdir().unwrap(), maker: None };
        std::fs::create_dir_all(room.repository().join("below")).unwrap();
        room.write("value.txt", "one\ntwo\nthree\n");
        room.write("below/file.txt", "x\n");
        room.git(&["init", "--quiet"]);
        room.commit();
        room
    }

    /// One for each maker of sandboxes, whether it is here or not.
    pub(crate) fn for_each_maker() -> [Self; 2] {
        Maker::ALL.map(|maker| Self { maker: Some(maker), ..Self::new() })
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    pub(crate) fn copies(&self) -> PathBuf {
        self.folder.path().join("copies")
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.repository().join(name), text).unwrap();
    }

    pub(crate) fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "more"]);
    }

    #[expect(clippy::disallowed_methods, reason = "a test works in the repository as its user would")]
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = std::process::Command::new("git")
            .args(arguments)
            .current_dir(self.repository())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub(crate) fn workshop(&self) -> Arc<Workshop> {
        let workshop = Workshop::new(self.copies(), Launcher::without_shim(), variables());
        Arc::new(match self.maker {
            Some(maker) => workshop.only(maker),
            None => workshop,
        })
    }

    /// Tries a diff with one check, a shell script.
    pub(crate) fn attempt(&self, diff: &str, script: &str) -> Turn {
        let channel = self.workshop().trial(&member(&[shell_check("tests", script)])).unwrap();
        on_runtime(channel.turn(&self.request(diff)))
    }

    pub(crate) fn request(&self, diff: &str) -> TurnRequest {
        let minute = Duration::from_secs(60);
        TurnRequest {
            prompt: diff.to_owned(),
            effort: None,
            session: SessionUse::None,
            schema: None,
            history: Vec::new(),
            directory: self.repository(),
            deadlines: Deadlines { first_event: minute, idle: minute, total: minute },
            caps: Caps::default(),
            cancel: Cancel::default(),
            progress: Arc::new(Quiet),
        }
    }

    /// A request during which this file is made when something begins that is told in these words.
    pub(crate) fn marking(&self, diff: &str, at: &'static str, file: PathBuf) -> TurnRequest {
        TurnRequest { progress: Arc::new(Marks { at, file }), ..self.request(diff) }
    }

    pub(crate) fn left(&self) -> usize {
        std::fs::read_dir(self.copies()).map_or(0, Iterator::count)
    }
}

pub(crate) fn shell_check(id: &str, script: &str) -> CheckCommand {
    let words = ["sh", "-c", script].map(str::to_owned).to_vec();
    CheckCommand { id: MemberId::parse(id).unwrap(), words, total_ms: 60_000 }
}

pub(crate) fn member(checks: &[CheckCommand]) -> Member {
    member_with(checks, &[])
}

pub(crate) fn member_with(checks: &[CheckCommand], probes: &[CheckCommand]) -> Member {
    Member {
        id: MemberId::parse("trial").unwrap(),
        nature: Nature::Trial,
        vendor: "this machine".into(),
        family: "check".into(),
        channel: ChannelSpec { kind: "trial".into(), settings: settings(checks, probes).unwrap() },
        model: None,
        effort: None,
        tier: 5,
        strengths: vec![],
        context_window: 0,
        price: None,
        payer: Payer::Local,
        account: "trial".into(),
        limits: Limits::default(),
        scripted: false,
    }
}

pub(crate) fn trial(turn: &Turn) -> &Trial {
    turn.evidence.as_ref().unwrap().trial.as_ref().unwrap()
}

/// How the only check ended; `None` where there is no sandbox, which is then said.
pub(crate) fn result(turn: &Turn) -> Option<CheckResult> {
    let result = trial(turn).checks[0].result.clone();
    match &result {
        CheckResult::Abstained { reason } if reason.contains("no sandbox here") => {
            eprintln!("not tested: {reason}");
            None
        }
        _ => Some(result),
    }
}

pub(crate) fn change(path: &str, old: &str, new: &str) -> String {
    format!("--- a/{path}\n+++ b/{path}\n@@ -1,3 +1,3 @@\n one\n-{old}\n+{new}\n three\n")
}

pub(crate) fn is_below(path: &Path, folder: &Path) -> bool {
    path.starts_with(std::fs::canonicalize(folder).unwrap())
}
