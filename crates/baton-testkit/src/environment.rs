//! A hermetic place to run the binary in: its own home, work folder and PATH, and nothing of the caller's environment.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use tempfile::TempDir;

/// Where a program under test lives.
pub struct Environment {
    binary: PathBuf,
    folder: TempDir,
    variables: BTreeMap<OsString, OsString>,
}

/// What a program that ended left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Ran {
    /// `None` when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A program that is running.
pub struct Running {
    child: Child,
    stderr: BufReader<std::process::ChildStderr>,
    seen: String,
}

/// A program that reads and writes lines.
pub struct Conversation {
    child: Child,
    stdin: Option<std::process::ChildStdin>,
    stdout: BufReader<std::process::ChildStdout>,
}

impl Conversation {
    /// # Errors
    /// When the program does not read any more.
    pub fn send(&mut self, line: &str) -> io::Result<()> {
        let stdin = self.stdin.as_mut().ok_or_else(|| io::Error::other("closed"))?;
        writeln!(stdin, "{line}")
    }

    /// The next line; empty at the end.
    ///
    /// # Errors
    /// When the output cannot be read.
    pub fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        Ok(line)
    }

    /// Closes the program's input and waits for its end.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn close(mut self) -> io::Result<Option<i32>> {
        drop(self.stdin.take());
        Ok(self.child.wait()?.code())
    }
}

impl Environment {
    /// # Errors
    /// When no folder can be made.
    pub fn new(binary: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("baton-test-").tempdir()?;
        for name in ["home", "work", "bin", "tmp", "user"] {
            std::fs::create_dir(folder.path().join(name))?;
        }
        let mut environment = Self { binary: binary.into(), folder, variables: BTreeMap::new() };
        for (name, place) in [("BATON_HOME", "home"), ("HOME", "user"), ("TMPDIR", "tmp"), ("PATH", "bin")] {
            let path = environment.folder.path().join(place);
            environment.set(name, path);
        }
        environment.set("TZ", "UTC");
        environment.set("LANG", "C.UTF-8");
        Ok(environment)
    }

    /// Where baton keeps its things.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Where the program is started.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// The only folder on the PATH.
    #[must_use]
    pub fn bin(&self) -> PathBuf {
        self.folder.path().join("bin")
    }

    pub fn set(&mut self, name: impl Into<OsString>, value: impl Into<OsString>) {
        self.variables.insert(name.into(), value.into());
    }

    pub fn unset(&mut self, name: &str) {
        self.variables.remove(OsStr::new(name));
    }

    /// Writes a file below the work folder.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> io::Result<PathBuf> {
        write(&self.work().join(name), text.as_ref())
    }

    /// Writes the user's `baton.toml`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn configure(&self, text: &str) -> io::Result<PathBuf> {
        write(&self.home().join("baton.toml"), text.as_bytes())
    }

    /// Runs the program with an empty standard input.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(&self, arguments: &[&str]) -> io::Result<Ran> {
        self.run_with_input(arguments, b"")
    }

    /// Runs the program with this standard input.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> io::Result<Ran> {
        let mut child = self.command(arguments, Stdio::piped()).spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that does not read its input is no failure of the test's.
            let _ = stdin.write_all(input);
        }
        let output = child.wait_with_output()?;
        Ok(Ran {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Starts the program and comes back at once; its standard input is empty.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&self, arguments: &[&str]) -> io::Result<Running> {
        let mut child = self.command(arguments, Stdio::null()).spawn()?;
        let stderr = child.stderr.take().ok_or_else(|| io::Error::other("no standard error"))?;
        Ok(Running { child, stderr: BufReader::new(stderr), seen: String::new() })
    }

    /// Starts the program to exchange lines with it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn converse(&self, arguments: &[&str]) -> io::Result<Conversation> {
        let mut child = self.command(arguments, Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let stdout = child.stdout.take().ok_or_else(|| io::Error::other("no standard output"))?;
        Ok(Conversation { stdin: child.stdin.take(), stdout: BufReader::new(stdout), child })
    }

    #[expect(clippy::disallowed_methods, reason = "a test runs the program as its user would")]
    fn command(&self, arguments: &[&str], stdin: Stdio) -> std::process::Command {
        let mut command = std::process::Command::new(&self.binary);
        command
            .args(arguments)
            .env_clear()
            .envs(&self.variables)
            .current_dir(self.work())
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// A screen with what differs from run to run replaced: folders, run ids, times, dates. For snapshots.
    #[must_use]
    pub fn screen(&self, text: &str) -> String {
        let place = std::fs::canonicalize(self.folder.path()).unwrap_or_else(|_| self.folder.path().to_owned());
        let text = text.replace(&*place.to_string_lossy(), "[DIR]");
        let text = text.replace(&*self.folder.path().to_string_lossy(), "[DIR]");
        text.split_inclusive('\n').map(filter_line).collect()
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::write(path, bytes)?;
    Ok(path.to_owned())
}

/// Replaces words that are ids, durations, dates or ports.
fn filter_line(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut words = line.split(' ').peekable();
    let mut after_run = false;
    while let Some(word) = words.next() {
        let bare = word.trim_end_matches(['\n', ':', ',', '.', ';']);
        let tail = &word[bare.len()..];
        let seconds = words.peek().is_some_and(|next| next.trim_end() == "s" || next.starts_with("s,"));
        let replaced = if is_uuid(bare) || is_short_id(bare, after_run) {
            Some("[RUN]")
        } else if seconds && bare.parse::<f64>().is_ok() {
            Some("[TIME]")
        } else if is_date(bare) {
            Some("[DATE]")
        } else {
            None
        };
        after_run = matches!(bare, "run" | "show" | "respond");
        out.push_str(replaced.unwrap_or(bare));
        out.push_str(tail);
        if words.peek().is_some() {
            out.push(' ');
        }
    }
    out
}

fn is_uuid(word: &str) -> bool {
    let word = word.trim_matches(['"', '`']);
    word.len() == 36 && word.bytes().filter(|byte| *byte == b'-').count() == 4
}

fn is_short_id(word: &str, after_run: bool) -> bool {
    after_run && word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_date(word: &str) -> bool {
    word.len() == 10 && word.as_bytes()[4] == b'-' && word[..4].bytes().all(|byte| byte.is_ascii_digit())
}

impl Ran {
    /// Standard output as one JSON value.
    ///
    /// # Errors
    /// When it is none.
    pub fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::from_str(&self.stdout)
    }
}

impl Running {
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Reads standard error until a line holds this text. False when the program ended before.
    ///
    /// # Errors
    /// When its output cannot be read.
    pub fn wait_for(&mut self, text: &str) -> io::Result<bool> {
        loop {
            let mut line = String::new();
            if self.stderr.read_line(&mut line)? == 0 {
                return Ok(false);
            }
            self.seen.push_str(&line);
            if line.contains(text) {
                return Ok(true);
            }
        }
    }

    /// Ends it by SIGKILL: nothing of it runs any more, and it could not tidy up.
    ///
    /// # Errors
    /// When it cannot be ended.
    pub fn kill(mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// Asks it to stop, as Ctrl-C does.
    ///
    /// # Errors
    /// When it has ended.
    #[cfg(unix)]
    pub fn interrupt(&self) -> io::Result<()> {
        let id = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        let id = id.ok_or_else(|| io::Error::other("no process id"))?;
        Ok(rustix::process::kill_process(id, rustix::process::Signal::INT)?)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When its output cannot be read.
    pub fn finish(mut self) -> io::Result<Ran> {
        let mut stdout = String::new();
        if let Some(mut out) = self.child.stdout.take() {
            out.read_to_string(&mut stdout)?;
        }
        self.stderr.read_to_string(&mut self.seen)?;
        Ok(Ran { code: self.child.wait()?.code(), stdout, stderr: self.seen })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_replaced_and_the_rest_stays() {
        assert_eq!(filter_line("run 1a2b3c4d   $0.01   1.4 s\n"), "run [RUN]   $0.01   [TIME] s\n");
        assert_eq!(filter_line("took 12.5 s, 3 events\n"), "took [TIME] s, 3 events\n");
        assert_eq!(filter_line("on 2026-01-02 at\n"), "on [DATE] at\n");
        assert_eq!(filter_line("deadbeef is no id here\n"), "deadbeef is no id here\n");
    }

    #[test]
    fn nothing_of_the_caller_is_seen() {
        let environment = Environment::new("/usr/bin/env").unwrap();
        let ran = environment.run(&[]).unwrap();
        let names: Vec<&str> = ran.stdout.lines().filter_map(|line| line.split('=').next()).collect();
        assert_eq!(names, ["BATON_HOME", "HOME", "LANG", "PATH", "TMPDIR", "TZ"]);
        assert!(environment.screen(&ran.stdout).contains("BATON_HOME=[DIR]/home"));
    }
}
