//! For tests: fakes put in place, and the search for what they left.

use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::script::Script;

/// The variable to set to a unique value, so that [`processes_with_marker`] finds every descendant that inherits it.
pub const MARKER: &str = "FAKE_AGENT_MARKER";

/// Puts the fake at `fake_agent` into `directory` under `name`, with its script beside it, and returns its path. A
/// second call replaces the script.
pub fn install(fake_agent: &Path, directory: &Path, name: &str, script: &Script) -> io::Result<PathBuf> {
    let path = directory.join(name);
    match symlink(fake_agent, &path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    script.save(&Script::path_beside(path.as_os_str()))?;
    Ok(path)
}

/// The processes that run now with this value of [`MARKER`] in their environment: id and command line. Zombies, which
/// have no environment, are not among them.
#[must_use]
pub fn processes_with_marker(value: &str) -> Vec<(u32, String)> {
    let wanted = format!("{MARKER}={value}");
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| environment_has(*id, wanted.as_bytes())).map(|id| (id, command_line(id))).collect()
}

fn environment_has(id: u32, wanted: &[u8]) -> bool {
    let environment = std::fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|variable| variable == wanted)
}

fn command_line(id: u32) -> String {
    let bytes = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}
