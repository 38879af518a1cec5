//! A place where a command cannot reach the network and cannot write anything that stays.
//!
//! Linux only, by namespaces: of users, network, mounts, processes and System V objects, made by `unshare(1)` without
//! any privilege; where the machine refuses it these and has `bwrap`, by that. What holds inside:
//!
//! - There is no network interface but an empty loopback of its own.
//! - Every file system is read-only but for the tree and the private folder, which is the command's `HOME` and `TMPDIR`,
//!   and for places in memory that are gone with the command.
//! - Sockets of other programs cannot be reached: `/run` is empty, and those that the kernel lists elsewhere are hidden.
//! - No process outside can be seen or signalled, and none inside outlives the command.
//! - The command has no capability, gains none, and has no controlling terminal.
//!
//! What does not hold: files of the user's can be read as far as the user can. Memory and disk are not limited beyond
//! the check's time limit. Inside, the user is called root (not by `bwrap`).

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use baton_core::text::one_line;
use baton_process::environment::select;
use baton_process::{Command, Ending, Launcher, Limits, find_program};

use crate::bubblewrap;
use crate::copies::PrivateFolder;
use crate::refusal::Refusal;

/// Where the system's own tools are searched before anything on the `PATH`.
const SYSTEM: &str = "/usr/bin:/bin:/usr/sbin:/sbin";
const SCRIPT: &str = include_str!("sandbox.sh");
/// Beyond this many sockets somebody is playing with us.
const MOST_SOCKETS: usize = 4_000;
const PROBE_LIMIT: Duration = Duration::from_secs(20);

/// Tries to write inside ($1), to write outside ($2), and looks for a network and for capabilities.
const BREAK_OUT: &str = "echo held > \"$1/in\" || exit 3; (echo broken > \"$2/out\") 2>/dev/null && exit 4; \
                         while read -r name _; do case $name in Inter-* | face | lo:*) ;; *) exit 5 ;; esac; \
                         done < /proc/net/dev; while read -r name value; do case $name in CapEff:) [ -z \
                         \"${value#0000000000000000}\" ] || exit 6 ;; esac; done < /proc/self/status; exit 0";

/// How the script says that the room could not be furnished.
const NOT_FURNISHED: (i32, &str) = (125, "baton sandbox: ");

/// What builds and tests need of the caller's environment; no secret is among it.
const ALLOWED: &[&str] = &[
    "PATH",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TZ",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "GOMODCACHE",
    "GOTOOLCHAIN",
    "JAVA_HOME",
    "VIRTUAL_ENV",
    "NVM_DIR",
    "PYENV_ROOT",
];

/// Where tools keep below the user's home what they only read; the home itself is another one inside.
const KEPT_AT_HOME: &[(&str, &str)] =
    &[("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup"), ("GOMODCACHE", "go/pkg/mod")];

const FIXED: &[(&str, &str)] =
    &[("TERM", "dumb"), ("CARGO_TERM_COLOR", "never"), ("CARGO_NET_OFFLINE", "true"), ("BATON_DEPTH", "1")];

/// What can make a sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Maker {
    /// `unshare`, of util-linux.
    Unshare,
    /// `bwrap`, of bubblewrap, which a machine may allow what it refuses to others.
    Bubblewrap,
}

impl Maker {
    /// In the order in which they are tried.
    pub const ALL: [Self; 2] = [Self::Unshare, Self::Bubblewrap];

    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            Self::Unshare => "unshare",
            Self::Bubblewrap => "bwrap",
        }
    }
}

/// A sandbox that was seen to hold on this machine.
#[derive(Clone, Debug)]
pub struct Sandbox {
    maker: Maker,
    program: PathBuf,
    shell: PathBuf,
    variables: BTreeMap<OsString, OsString>,
}

impl Sandbox {
    /// Builds one by each maker until one holds: it tries to break out of each, by a file beside it, a network, a
    /// capability.
    ///
    /// # Errors
    /// Why there is none here, of each maker, in words for the user.
    pub(crate) async fn probe(
        folder: &Path,
        launcher: &Launcher,
        variables: &BTreeMap<OsString, OsString>,
        makers: &[Maker],
    ) -> Result<Self, Refusal> {
        let mut reasons = Vec::new();
        for maker in makers {
            match Self::hold(*maker, folder, launcher, variables).await {
                Ok(sandbox) => return Ok(sandbox),
                Err(because) => {
                    let (name, again) = (maker.program(), format!("{}: ", maker.program()));
                    reasons.push(format!("{name}: {}", because.trim_start_matches(again.as_str())));
                }
            }
        }
        Err(Refusal::new(reasons.join("; ")))
    }

    async fn hold(
        maker: Maker,
        folder: &Path,
        launcher: &Launcher,
        variables: &BTreeMap<OsString, OsString>,
    ) -> Result<Self, String> {
        let path = variables.get(OsStr::new("PATH")).map_or(OsStr::new(""), OsString::as_os_str);
        let mut places = OsString::from(SYSTEM);
        places.push(":");
        places.push(path);
        let find = |name: &str| find_program(name, &places).ok_or_else(|| "not here".to_owned());
        let sandbox =
            Self { maker, program: find(maker.program())?, shell: find("sh")?, variables: inside_of(variables) };
        let room = PrivateFolder::make(folder).map_err(|error| error.to_string())?;
        let made = ["tree", "private"].map(|name| room.folder().join(name));
        for folder in &made {
            fs::create_dir(folder).map_err(|error| error.to_string())?;
        }
        let [tree, private] = made;
        let words = [OsString::from("-c"), BREAK_OUT.into(), "probe".into(), tree.clone().into(), room.folder().into()];
        let limits = Limits { first_output: Limits::UNLIMITED, total: PROBE_LIMIT, ..Limits::default() };
        let command =
            sandbox.command(&sandbox.shell, &words, &Room { tree: &tree, private: &private, start: &tree })?;
        let (report, _) = launcher.output(command.limits(limits), std::future::pending()).await;
        match report.ending {
            Ending::Exited { code: 0 } => Ok(sandbox),
            Ending::Exited { code: 3 } => Err("the tree cannot be written".into()),
            Ending::Exited { code: 4 } => Err("a file outside could be written".into()),
            Ending::Exited { code: 5 } => Err("the network stayed".into()),
            Ending::Exited { code: 6 } => Err("a capability stayed".into()),
            Ending::Exited { .. } => Err(one_line(report.stderr.text().trim(), 200)),
            other => Err(format!("it could not be built: {other:?}")),
        }
    }

    #[must_use]
    pub fn maker(&self) -> Maker {
        self.maker
    }

    /// What makes it.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// A command that runs inside. Its exit code is the command's own, unless [`Self::not_furnished`].
    ///
    /// # Errors
    /// When the private folder or the one that holds it cannot be written.
    pub fn command(&self, program: &Path, arguments: &[OsString], room: &Room<'_>) -> Result<Command, String> {
        let home = room.private.join("home");
        let temporary = room.private.join("tmp");
        for folder in [&home, &temporary] {
            fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        }
        // Beside the private folder, where nothing that ran inside can have put a link.
        let sockets = room.private.with_file_name("sockets");
        let list = sockets_outside().join("\n");
        fs::write(&sockets, format!("{list}\n")).map_err(|error| error.to_string())?;
        let command = match self.maker {
            Maker::Unshare => self.by_unshare(room, &sockets),
            Maker::Bubblewrap => self.by_bubblewrap(room, &sockets),
        };
        Ok(command
            .arg(program)
            .args(arguments.iter().cloned())
            .envs(self.variables.clone())
            .env("HOME", home)
            .env("TMPDIR", temporary))
    }

    fn by_unshare(&self, room: &Room<'_>, sockets: &Path) -> Command {
        let namespaces = ["--user", "--map-root-user", "--net", "--mount", "--pid", "--ipc", "--fork", "--kill-child"];
        let places: [&Path; 4] = [room.tree, room.private, sockets, room.start];
        Command::new(&self.program, room.tree)
            .args(namespaces)
            .arg("--mount-proc")
            .arg(&self.shell)
            .args(["-c", SCRIPT, "sandbox"])
            .args(places.map(Path::as_os_str))
    }

    fn by_bubblewrap(&self, room: &Room<'_>, sockets: &Path) -> Command {
        let notes = room.private.with_file_name("notes");
        Command::new(&self.shell, room.tree).args(["-c", bubblewrap::SCRIPT, "sandbox"]).args(bubblewrap::arguments(
            &self.program,
            &self.shell,
            room,
            &notes,
            sockets,
        ))
    }

    /// The words of the script, where it ended before the command began.
    #[must_use]
    pub fn not_furnished(code: i32, errors: &str) -> Option<String> {
        let words = errors.lines().find_map(|line| line.strip_prefix(NOT_FURNISHED.1));
        words.filter(|_| code == NOT_FURNISHED.0).map(|words| one_line(words, 200))
    }
}

/// Where a command runs inside.
#[derive(Clone, Copy, Debug)]
pub struct Room<'a> {
    /// May be written.
    pub tree: &'a Path,
    /// May be written; holds `HOME` and `TMPDIR`. The folder that it is in is baton's own: what the room is furnished
    /// from is kept there, out of reach from inside.
    pub private: &'a Path,
    pub start: &'a Path,
}

fn inside_of(variables: &BTreeMap<OsString, OsString>) -> BTreeMap<OsString, OsString> {
    let mut inside = select(variables.clone(), ALLOWED);
    if let Some(home) = variables.get(OsStr::new("HOME")) {
        for (name, below) in KEPT_AT_HOME {
            let kept = Path::new(home).join(below);
            if kept.is_dir() {
                inside.entry((*name).into()).or_insert_with(|| kept.into());
            }
        }
    }
    inside.extend(FIXED.iter().map(|(name, value)| ((*name).into(), (*value).into())));
    inside
}

/// Sockets in the file system that a program listens on, as the kernel lists them here.
fn sockets_outside() -> Vec<String> {
    let listed = fs::read("/proc/net/unix").unwrap_or_default();
    sockets(&String::from_utf8_lossy(&listed))
}

fn sockets(listed: &str) -> Vec<String> {
    let paths: BTreeSet<&str> = listed.lines().filter_map(|line| line.find(" /").map(|at| &line[at + 1..])).collect();
    let elsewhere = paths.into_iter().filter(|path| !path.starts_with("/run/") && !path.starts_with("/var/run/"));
    elsewhere.take(MOST_SOCKETS).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_read_from_the_kernels_list() {
        let listed = "Num RefCount Protocol Flags Type St Inode Path\n\
            00: 00000002 00000000 00010000 0001 01 12 /home/a/.docker/run/docker.sock\n\
            00: 00000002 00000000 00010000 0001 01 13 @/tmp/.X11-unix/X0\n\
            00: 00000002 00000000 00010000 0001 01 14 /run/docker.sock\n\
            00: 00000002 00000000 00010000 0001 01 15 /tmp/with space\n00: 1\n";
        assert_eq!(sockets(listed), ["/home/a/.docker/run/docker.sock", "/tmp/with space"]);
    }

    #[test]
    fn only_what_tools_need_is_handed_in() {
        let variables = [("PATH", "/bin"), ("HOME", "/nowhere"), ("SSH_AUTH_SOCK", "/s"), ("API_KEY", "k")];
        let inside = inside_of(&variables.map(|(name, value)| (name.into(), value.into())).into());
        let names: Vec<&str> = inside.keys().filter_map(|name| name.to_str()).collect();
        assert_eq!(names, ["BATON_DEPTH", "CARGO_NET_OFFLINE", "CARGO_TERM_COLOR", "PATH", "TERM"]);
    }

    #[test]
    fn a_commands_own_125_is_its_own() {
        assert_eq!(Sandbox::not_furnished(125, "git: bad revision"), None);
        assert_eq!(Sandbox::not_furnished(1, "baton sandbox: x"), None);
        assert_eq!(Sandbox::not_furnished(125, "mount: no\nbaton sandbox: x").as_deref(), Some("x"));
    }
}
