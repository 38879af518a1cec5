//! Transcripts of true agents, each with the turn that it must give, as literal JSON beside it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use baton_members::acp::Settings;
use baton_members::acp::client::{Client, Wants};
use baton_members::cli::End;
use baton_port::Turn;
use baton_process::{Ending, Flow};
use serde::Deserialize;

use crate::cli_args::member;
use crate::cli_golden::Expected;

#[derive(Deserialize)]
struct Golden {
    agent: Agent,
    turn: Expected,
}

#[derive(Deserialize)]
struct Agent {
    /// Those of the seat that decide what is read.
    settings: BTreeMap<String, String>,
    stderr: String,
    resumed: Option<String>,
    /// Whether a line must end the run.
    stopped: bool,
}

fn read(lines: &str, agent: &Agent) -> (Turn, bool) {
    let settings = agent.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let settings: Vec<(&str, &str)> = settings.chain([("program", "agent")]).collect();
    let settings = Settings::read(&member("acp", Some("scripted"), &settings)).unwrap();
    let mut client =
        Client::new(Wants::new(&settings, "/work-dir".into(), "Is this right?".into(), agent.resumed.clone()));
    assert!(!client.open().is_empty());
    let stopped = lines.lines().any(|line| client.line(line.as_bytes()).flow == Flow::Stop);
    let ending = Ending::Exited { code: 0 };
    (client.finish(End { ending: &ending, stderr: &agent.stderr }), stopped)
}

fn goldens() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/acp");
    let below = |folder: PathBuf| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = below(root).flat_map(below).flat_map(below);
    files.filter(|file| file.extension().is_some_and(|extension| extension == "jsonl")).collect()
}

fn golden(lines: &Path) -> (String, Golden) {
    let text = fs::read_to_string(lines.with_extension("expected.json")).unwrap();
    (fs::read_to_string(lines).unwrap(), serde_json::from_str(&text).unwrap())
}

#[test]
fn transcripts_give_their_turns() {
    let all = goldens();
    assert!(all.len() >= 12, "{} transcripts", all.len());
    for file in all {
        let (lines, golden) = golden(&file);
        let (turn, stopped) = read(&lines, &golden.agent);
        assert_eq!(Expected::from(turn), golden.turn, "{}", file.display());
        assert_eq!(stopped, golden.agent.stopped, "{}", file.display());
    }
}

/// Any beginning of a good transcript is no success, wherever it breaks off.
#[test]
fn a_transcript_cut_at_any_line_is_never_ok() {
    for file in goldens().into_iter().filter(|file| file.ends_with("success.jsonl")) {
        let (whole, golden) = golden(&file);
        let lines: Vec<&str> = whole.lines().collect();
        let answer = lines.iter().position(|line| line.contains("stopReason")).unwrap();
        for end in 0..answer {
            let (turn, _) = read(&lines[..end].join("\n"), &golden.agent);
            assert!(!turn.outcome.is_ok(), "{} cut at line {end}", file.display());
        }
        assert!(read(&whole, &golden.agent).0.outcome.is_ok());
    }
}
