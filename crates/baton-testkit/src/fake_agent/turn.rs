//! One start of the fake as an agent: what it records and checks before it behaves.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use super::dialect::{self, Dialect};
use super::record::{Event, Recorder, asks_for_version};
use super::script::Script;
use super::{acp, app_server, faults, mcp, output, persistent};

/// An argument longer than this, or with a line break, is taken for a prompt.
const LONGEST_ARGUMENT: usize = 1000;

/// The shortest prompt that is searched for among the arguments; shorter ones can be there by chance.
const SHORTEST_PROMPT: usize = 8;

/// What a dialect needs to know to speak.
pub(crate) struct Turn {
    pub(crate) arguments: Vec<String>,
    pub(crate) script: Script,
    pub(crate) prompt: String,
    /// The number of this turn among all in the record, from 1: some programs report sums.
    pub(crate) number: usize,
}

impl Turn {
    /// The value that follows this option, also in the form `--name=value`.
    pub(crate) fn option(&self, name: &str) -> Option<&str> {
        let mut arguments = self.arguments.iter();
        while let Some(argument) = arguments.next() {
            if argument == name {
                return arguments.next().map(String::as_str);
            }
            if let Some(value) = argument.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
                return Some(value);
            }
        }
        None
    }

    pub(crate) fn has(&self, word: &str) -> bool {
        self.arguments.iter().any(|argument| argument == word)
    }
}

pub(crate) fn run(program: &OsStr, arguments: Vec<OsString>) -> io::Result<i32> {
    let script = Script::find(program)?;
    let recorder = Recorder(script.record.clone());
    let played = part(program);
    let mut texts = vec![lossy(program)];
    texts.extend(arguments.iter().map(lossy));
    record_start(&recorder, &played, &texts)?;
    let dialect = dialect::of(&played);
    if asks_for_version(&texts) {
        output::line(script.version.as_deref().unwrap_or(dialect.version()))?;
        return Ok(0);
    }
    texts.remove(0);
    if mcp::is_asked_for(&texts) {
        return mcp::serve(&script, &recorder);
    }
    let number = recorder.turns()?;
    let mut turn = Turn { arguments: texts, script, prompt: String::new(), number };
    if acp::is_asked_for(&turn.arguments) {
        return acp::serve(&turn, &recorder);
    }
    if app_server::is_asked_for(&turn) {
        return app_server::serve(&turn, &recorder);
    }
    if persistent::is_asked_for(&turn) {
        return persistent::serve(turn, dialect.as_ref(), &recorder);
    }
    let mode = turn.script.mode_of_turn(number);
    faults::listen_to_signals(mode, turn.script.signals, &recorder)?;
    if !mode.leaves_stdin() {
        turn.prompt = read_prompt(&turn, &recorder)?;
    }
    if let Some(code) = refuse(dialect.as_ref(), &turn, &recorder)? {
        return Ok(code);
    }
    faults::perform(mode, dialect.as_ref(), &turn, &recorder)
}

/// The program's own check of its arguments, then ours.
fn refuse(dialect: &dyn Dialect, turn: &Turn, recorder: &Recorder) -> io::Result<Option<i32>> {
    for text in violations(&turn.arguments, &turn.prompt) {
        recorder.add(Event::Violation { text })?;
    }
    let Some((code, text)) = dialect.usage_error(turn) else { return Ok(None) };
    recorder.add(Event::Violation { text: text.clone() })?;
    output::error_line(&text)?;
    Ok(Some(code))
}

fn violations(arguments: &[String], prompt: &str) -> Vec<String> {
    let mut found = Vec::new();
    let prompt = prompt.trim();
    for argument in arguments {
        if prompt.len() >= SHORTEST_PROMPT && argument.contains(prompt) {
            found.push("the prompt is among the arguments".to_owned());
        } else if argument.len() > LONGEST_ARGUMENT || argument.contains('\n') {
            found.push(format!("an argument of {} bytes looks like a prompt", argument.len()));
        }
    }
    found
}

fn part(program: &OsStr) -> String {
    let name = || Path::new(program).file_name().map(lossy).unwrap_or_default();
    std::env::var("FAKE_AGENT_AS").unwrap_or_else(|_| name())
}

fn record_start(recorder: &Recorder, played: &str, arguments: &[String]) -> io::Result<()> {
    let environment: BTreeMap<String, String> =
        std::env::vars_os().map(|(name, value)| (lossy(&name), lossy(&value))).collect();
    recorder.add(Event::Start {
        played: played.to_owned(),
        arguments: arguments.to_vec(),
        environment,
        directory: std::env::current_dir()?,
    })
}

/// Standard input to its end, then the prompt file if one is named. Input that stays open is a violation after a
/// while, and is waited for no longer.
fn read_prompt(turn: &Turn, recorder: &Recorder) -> io::Result<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let result = io::stdin().read_to_end(&mut bytes).map(|_| bytes);
        // Nobody waits any more when this fails.
        let _ = sender.send(result);
    });
    let patience = Duration::from_millis(turn.script.stdin_milliseconds);
    let mut text = match receiver.recv_timeout(patience) {
        Ok(bytes) => String::from_utf8_lossy(&bytes?).into_owned(),
        Err(_) => {
            recorder.add(Event::Violation { text: "standard input did not end".to_owned() })?;
            return Ok(String::new());
        }
    };
    recorder.add(Event::Stdin { text: text.clone() })?;
    if let Some(path) = turn.option("--prompt-file") {
        text.push_str(&std::fs::read_to_string(path)?);
    }
    Ok(text)
}

fn lossy(text: impl AsRef<OsStr>) -> String {
    text.as_ref().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(arguments: &[&str]) -> Turn {
        let arguments = arguments.iter().map(ToString::to_string).collect();
        Turn { arguments, script: Script::default(), prompt: String::new(), number: 1 }
    }

    #[test]
    fn options_are_found_in_both_forms() {
        let turn = turn(&["-p", "--session-id", "a", "--resume=b", "--resumed", "c"]);
        assert_eq!(turn.option("--session-id"), Some("a"));
        assert_eq!(turn.option("--resume"), Some("b"));
        assert_eq!(turn.option("--model"), None);
        assert!(turn.has("-p") && !turn.has("-q"));
    }

    #[test]
    fn prompts_among_arguments_are_noticed() {
        let arguments = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let prompt = "Review this patch.\n";
        assert!(violations(&arguments(&["-p", "--model", "small"]), prompt).is_empty());
        assert_eq!(violations(&arguments(&["-p", "Review this patch."]), prompt).len(), 1);
        assert_eq!(violations(&arguments(&["two\nlines", &"x".repeat(2000)]), prompt).len(), 2);
        assert!(violations(&arguments(&["exec", "-"]), "-").is_empty());
    }
}
