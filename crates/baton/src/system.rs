//! The true clock, the true ids, and where baton keeps its things.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use baton_core::ids::RunId;
use baton_core::units::Timestamp;
use baton_port::{BoxFuture, Clock, Ids};

use crate::failure::Failure;

pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// How far the user's clock is from UTC at an instant, in minutes to the east.
pub(crate) fn offset_minutes(at: Timestamp) -> i32 {
    let instant = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    jiff::tz::TimeZone::system().to_offset(instant).seconds() / 60
}

pub(crate) struct SystemIds;

impl Ids for SystemIds {
    fn run(&self) -> RunId {
        let uuid = uuid::Uuid::now_v7();
        RunId::from_uuid_text(&uuid.hyphenated().to_string())
    }

    fn seed(&self) -> u64 {
        uuid::Uuid::now_v7().as_u64_pair().1
    }
}

/// Names this process for leases: machine, boot, process, and when that process began.
pub(crate) fn owner() -> String {
    let pid = std::process::id();
    format!("{} {} {pid} {}", machine(), boot(), process_start(pid).unwrap_or_default())
}

/// Whether the process behind an owner's name is known to have ended. A name from another machine never is.
pub(crate) fn is_gone(owner: &str) -> bool {
    let mut parts = owner.split(' ');
    let (Some(on), Some(since), Some(pid), Some(start)) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    if on.is_empty() || on != machine() || start.is_empty() {
        return false;
    }
    since != boot() || pid.parse().ok().and_then(process_start).as_deref() != Some(start)
}

fn machine() -> String {
    read_line("/etc/machine-id").unwrap_or_default()
}

fn boot() -> String {
    read_line("/proc/sys/kernel/random/boot_id").unwrap_or_default()
}

fn read_line(path: &str) -> Option<String> {
    Some(std::fs::read_to_string(path).ok()?.trim().to_owned())
}

/// When a process began, in ticks since boot: with the boot and the id it names one process for ever.
fn process_start(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let state = stat.rsplit(") ").next()?;
    // A dead process that nobody has collected yet is gone for our purpose.
    if state.starts_with(['Z', 'X']) {
        return None;
    }
    state.split(' ').nth(19).map(str::to_owned)
}

/// The variables that baton itself reads. All are listed in the README.
pub(crate) mod variables {
    /// Where everything is kept; overrides the XDG directories.
    pub(crate) const HOME: &str = "BATON_HOME";
    /// How many batons are above this one: members are started with it, and calls are refused when it is set.
    pub(crate) const DEPTH: &str = "BATON_DEPTH";
}

/// Where this user's baton keeps its store and its configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Home {
    /// The store.
    pub(crate) data: PathBuf,
    /// The user's `baton.toml`.
    pub(crate) configuration: PathBuf,
}

impl Home {
    /// `BATON_HOME` for both, else the XDG directories, else their defaults under `HOME`.
    pub(crate) fn find(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<Self, Failure> {
        if let Some(home) = variable(variables::HOME) {
            // A relative one would be another home in every directory.
            let home = std::path::absolute(&home).unwrap_or(home);
            return Ok(Self { configuration: home.join("baton.toml"), data: home });
        }
        let below = |xdg: &str, default: &str| {
            let base = variable(xdg).filter(|path| path.is_absolute());
            base.or_else(|| variable("HOME").map(|home| home.join(default))).map(|base| base.join("baton"))
        };
        match (below("XDG_DATA_HOME", ".local/share"), below("XDG_CONFIG_HOME", ".config")) {
            (Some(data), Some(config)) => Ok(Self { data, configuration: config.join("baton.toml") }),
            _ => Err(Failure::configuration("there is no home directory: neither BATON_HOME nor HOME is set")
                .hint("set BATON_HOME to a directory that baton may use")),
        }
    }

    /// A home in one directory, as `BATON_HOME` would make it.
    pub(crate) fn at(directory: &Path) -> Self {
        Self { data: directory.to_owned(), configuration: directory.join("baton.toml") }
    }
}

pub(crate) fn environment_path(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(pairs: &[(&str, &str)]) -> Result<Home, Failure> {
        Home::find(|name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| PathBuf::from(value)))
    }

    #[test]
    fn only_a_process_that_surely_ended_is_gone() {
        let mine = owner();
        assert!(!is_gone(&mine));
        let parts: Vec<&str> = mine.split(' ').collect();
        if parts[0].is_empty() {
            return; // Without a machine id nothing is ever known to be gone.
        }
        assert!(is_gone(&format!("{} {} {} 1", parts[0], parts[1], parts[2])), "another process had this id");
        assert!(is_gone(&format!("{} another-boot 1 1", parts[0])));
        assert!(!is_gone("another-machine boot 1 1"));
        assert!(!is_gone("bench"));
    }

    #[test]
    fn one_variable_moves_everything() {
        let home = find(&[("BATON_HOME", "/b"), ("HOME", "/h"), ("XDG_DATA_HOME", "/x")]).unwrap();
        assert_eq!(home, Home::at(Path::new("/b")));
    }

    #[test]
    fn a_relative_xdg_directory_is_ignored_as_the_standard_says() {
        let home = find(&[("HOME", "/h"), ("XDG_DATA_HOME", "x"), ("XDG_CONFIG_HOME", "/c")]).unwrap();
        assert_eq!(home.data, Path::new("/h/.local/share/baton"));
        assert_eq!(home.configuration, Path::new("/c/baton/baton.toml"));
    }

    #[test]
    fn no_home_is_a_configuration_error_with_a_way_out() {
        let failure = find(&[]).unwrap_err();
        assert_eq!(failure.exit, crate::failure::Exit::Configuration);
        assert!(failure.hints[0].contains("BATON_HOME"));
    }
}
