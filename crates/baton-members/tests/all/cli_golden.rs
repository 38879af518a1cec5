//! Transcripts of the true programs, each with the turn that it must give, as literal JSON beside it.

use std::fs;
use std::path::{Path, PathBuf};

use baton_core::outcome::Outcome;
use baton_core::units::Usage;
use baton_members::cli::{End, Reaction, claude, codex};
use baton_port::Turn;
use baton_process::{Ending, Flow};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    program: Program,
    turn: Expected,
}

#[derive(Deserialize)]
struct Program {
    /// A code, or `"stopped"` when a line must end the run.
    exit: serde_json::Value,
    stderr: String,
    resumed: Option<String>,
}

#[derive(Debug, PartialEq, Deserialize)]
pub(crate) struct Expected {
    outcome: Outcome,
    text: Option<String>,
    detail: String,
    usage: Option<Usage>,
    session: Option<String>,
    version: Option<String>,
    model: Option<String>,
}

impl From<Turn> for Expected {
    fn from(turn: Turn) -> Self {
        Self {
            outcome: turn.outcome,
            text: turn.text,
            detail: turn.detail,
            usage: turn.usage,
            session: turn.provenance.session,
            version: turn.provenance.program_version,
            model: turn.provenance.model,
        }
    }
}

/// The lines up to the one that stops the run.
fn feed(lines: &str, mut line: impl FnMut(&[u8]) -> Reaction) -> bool {
    lines.lines().any(|text| line(text.as_bytes()).flow == Flow::Stop)
}

fn read(program: &str, lines: &str, golden: &Program) -> (Turn, bool) {
    let ending = golden.exit.as_i64().map_or(Ending::Stopped, |code| Ending::Exited { code: code as i32 });
    let end = End { ending: &ending, stderr: &golden.stderr };
    match program {
        "claude" => {
            let mut parser =
                golden.resumed.clone().map_or_else(claude::parse::Parser::new, claude::parse::Parser::resuming);
            let stopped = feed(lines, |line| parser.line(line));
            (parser.finish(end), stopped)
        }
        _ => {
            let mut parser =
                golden.resumed.clone().map_or_else(codex::parse::Parser::new, codex::parse::Parser::resuming);
            let stopped = feed(lines, |line| parser.line(line));
            (parser.finish(end), stopped)
        }
    }
}

fn goldens(program: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts").join(program);
    let versions = fs::read_dir(root).unwrap().map(|version| version.unwrap().path());
    let files = versions.flat_map(|version| fs::read_dir(version).unwrap().map(|file| file.unwrap().path()));
    files.filter(|file| file.extension().is_some_and(|extension| extension == "jsonl")).collect()
}

fn check(program: &str, at_least: usize) {
    let all = goldens(program);
    assert!(all.len() >= at_least, "{} transcripts", all.len());
    for lines in all {
        let golden = fs::read_to_string(lines.with_extension("expected.json")).unwrap();
        let golden: Golden = serde_json::from_str(&golden).unwrap();
        let (turn, stopped) = read(program, &fs::read_to_string(&lines).unwrap(), &golden.program);
        assert_eq!(stopped, golden.program.exit == "stopped", "{}", lines.display());
        assert_eq!(Expected::from(turn), golden.turn, "{}", lines.display());
    }
}

#[test]
fn claude_transcripts_give_their_turns() {
    check("claude", 17);
}

#[test]
fn codex_transcripts_give_their_turns() {
    check("codex", 18);
}

/// Any half of a good transcript is no success, wherever it breaks off.
#[test]
fn a_transcript_cut_anywhere_is_never_ok() {
    for program in ["claude", "codex"] {
        for file in goldens(program).into_iter().filter(|file| file.ends_with("success.jsonl")) {
            let whole = fs::read_to_string(file).unwrap();
            let whole = whole.trim_end();
            let program_end = Program { exit: 0.into(), stderr: String::new(), resumed: None };
            for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end)) {
                let (turn, _) = read(program, &whole[..end], &program_end);
                assert!(!turn.outcome.is_ok(), "{program} cut at byte {end}");
                assert!(turn.text.is_none() || turn.outcome == Outcome::Partial, "{program} cut at byte {end}");
            }
            assert!(read(program, whole, &program_end).0.outcome.is_ok());
        }
    }
}
