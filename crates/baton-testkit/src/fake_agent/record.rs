//! What fake agents saw: a file of JSON lines, appended by each as things happen, so that it is whole up to the moment
//! of a sudden end. A line that such an end cut off, or that is being written, is left out.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// One start of a fake agent, put together from its lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// Its process id.
    pub pid: u32,
    /// The part it played.
    pub played: String,
    /// Its arguments, with the program.
    pub arguments: Vec<String>,
    /// Its whole environment.
    pub environment: BTreeMap<String, String>,
    /// Its working directory.
    pub directory: PathBuf,
    /// What came on standard input, once that ended.
    pub stdin: Option<String>,
    /// The prompts that were asked of a process of many turns, in order.
    pub asked: Vec<String>,
    /// The signals that reached it, where the script asked for that.
    pub signals: Vec<String>,
    /// The processes it started.
    pub children: Vec<u32>,
    /// What the caller did wrong.
    pub violations: Vec<String>,
}

/// Everything in the record, by start, in order. A record that does not exist is empty.
pub fn read(path: &Path) -> io::Result<Vec<Start>> {
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut starts: Vec<Start> = Vec::new();
    for line in text.lines() {
        let Ok(entry) = serde_json::from_str::<Entry>(line) else { continue };
        if let Event::Start { .. } = entry.event {
            starts.push(Start { pid: entry.pid, ..Start::default() });
        }
        if let Some(start) = starts.iter_mut().rev().find(|start| start.pid == entry.pid) {
            start.add(entry.event);
        }
    }
    Ok(starts)
}

impl Start {
    fn add(&mut self, event: Event) {
        match event {
            Event::Start { played, arguments, environment, directory } => {
                self.played = played;
                self.arguments = arguments;
                self.environment = environment;
                self.directory = directory;
            }
            Event::Stdin { text } => self.stdin = Some(text),
            Event::Asked { prompt } => self.asked.push(prompt),
            Event::Signal { name } => self.signals.push(name),
            Event::Child { pid } => self.children.push(pid),
            Event::Violation { text } => self.violations.push(text),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Entry {
    pid: u32,
    event: Event,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    Start { played: String, arguments: Vec<String>, environment: BTreeMap<String, String>, directory: PathBuf },
    Stdin { text: String },
    Asked { prompt: String },
    Signal { name: String },
    Child { pid: u32 },
    Violation { text: String },
}

/// Appends to the record; without a file, to nothing.
#[derive(Clone)]
pub(crate) struct Recorder(pub(crate) Option<PathBuf>);

impl Recorder {
    /// One write per entry, so that the lines of several processes do not mix, with a newline at both ends, so that
    /// what follows a line that was cut off is a line again.
    pub(crate) fn add(&self, event: Event) -> io::Result<()> {
        let Some(path) = &self.0 else { return Ok(()) };
        let entry = serde_json::to_string(&Entry { pid: std::process::id(), event })?;
        let line = format!("\n{entry}\n");
        File::options().create(true).append(true).open(path)?.write_all(line.as_bytes())
    }

    /// How many starts the record holds that were asked for a turn.
    pub(crate) fn turns(&self) -> io::Result<usize> {
        let Some(path) = &self.0 else { return Ok(1) };
        Ok(read(path)?.iter().filter(|start| !asks_for_version(&start.arguments)).count())
    }
}

pub(crate) fn asks_for_version(arguments: &[String]) -> bool {
    matches!(arguments, [_, only] if only == "--version" || only == "-V" || only == "version")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_starts() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("record");
        assert_eq!(read(&path).unwrap(), []);
        let recorder = Recorder(Some(path.clone()));
        for arguments in [vec!["claude".to_owned(), "--version".to_owned()], vec!["claude".to_owned()]] {
            let environment = BTreeMap::from([("A".to_owned(), "1".to_owned())]);
            let played = "claude".to_owned();
            recorder.add(Event::Start { played, arguments, environment, directory: "/".into() }).unwrap();
            recorder.add(Event::Violation { text: "bad".to_owned() }).unwrap();
        }
        recorder.add(Event::Stdin { text: "prompt".to_owned() }).unwrap();
        let starts = read(&path).unwrap();
        assert_eq!(starts.len(), 2);
        assert_eq!((starts[0].stdin.as_deref(), starts[1].stdin.as_deref()), (None, Some("prompt")));
        assert_eq!(starts[0].violations, ["bad"]);
        assert_eq!(recorder.turns().unwrap(), 1);
    }

    #[test]
    fn a_line_that_was_cut_off_spoils_no_other() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("record");
        let recorder = Recorder(Some(path.clone()));
        let start = || Event::Start {
            played: "claude".to_owned(),
            arguments: Vec::new(),
            environment: BTreeMap::new(),
            directory: "/".into(),
        };
        recorder.add(start()).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let cut = whole.len() / 2;
        File::options().append(true).open(&path).unwrap().write_all(&whole[..cut]).unwrap();
        assert_eq!(read(&path).unwrap().len(), 1);
        recorder.add(start()).unwrap();
        assert_eq!(read(&path).unwrap().len(), 2);
    }

    #[test]
    fn without_a_file_nothing_is_kept() {
        let recorder = Recorder(None);
        recorder.add(Event::Child { pid: 1 }).unwrap();
        assert_eq!(recorder.turns().unwrap(), 1);
    }
}
