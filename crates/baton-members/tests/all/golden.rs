//! Transcripts of true programs, each with the turn that it must give, as literal JSON beside it:
//! `golden/PROGRAM-VERSION/CHANNEL/CASE.out` and `.json`. Those of Cursor and Antigravity follow their vendors'
//! documentation.
//!
//! `cargo xtask e2e --record` takes some of them again; with `BATON_WRITE_GOLDEN` the turns are written instead of
//! compared. What a program's new version does differently is the difference of these files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use baton_core::outcome::Outcome;
use baton_core::units::Usage;
use baton_members::acp::Settings;
use baton_members::acp::client::{Client, Wants};
use baton_members::cli::declared::{self, Declaration};
use baton_members::cli::{End, claude, codex};
use baton_members::warm::Talk as _;
use baton_port::{SessionUse, Turn};
use baton_process::{Ending, Flow};
use serde::{Deserialize, Serialize};

use crate::cli_args::{member, request};
use crate::declared_catalog::seat;

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Golden {
    program: Program,
    /// Not there yet in what was just recorded.
    turn: Option<Expected>,
}

/// What cannot be read off the output.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Program {
    /// A code, or `"stopped"` when we ended it.
    exit: serde_json::Value,
    stderr: String,
    resumed: Option<String>,
    /// Of the channel `cli`: the member of the catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seat: Option<String>,
    /// Of the channel `acp`: those settings that decide what is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    settings: Option<BTreeMap<String, String>>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Expected {
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

/// One of the readers, as the channels use them.
#[derive(Clone)]
enum Reader {
    Claude(Box<claude::parse::Parser>),
    Codex(Box<codex::parse::Parser>),
    Declared(Box<declared::parse::Parser>),
    Agent(Box<Client>),
}

impl Reader {
    fn new(channel: &str, program: &Program) -> Self {
        let resumed = program.resumed.clone();
        match channel {
            "claude-cli" => {
                Self::Claude(Box::new(resumed.map_or_else(claude::parse::Parser::new, claude::parse::Parser::resuming)))
            }
            "codex-cli" => {
                Self::Codex(Box::new(resumed.map_or_else(codex::parse::Parser::new, codex::parse::Parser::resuming)))
            }
            "cli" => {
                let session = resumed.map_or(SessionUse::None, |id| SessionUse::Resume { id });
                let seat = seat(program.seat.as_ref().unwrap());
                Self::Declared(Box::new(Declaration::read(&seat).unwrap().parser(&request("hi", session))))
            }
            "acp" => Self::Agent(Box::new(agent(program, resumed))),
            other => panic!("no channel {other}"),
        }
    }

    /// Whether the program is ended at this line.
    fn line(&mut self, line: &[u8]) -> bool {
        let flow = match self {
            Self::Claude(parser) => parser.line(line).flow,
            Self::Codex(parser) => parser.line(line).flow,
            Self::Declared(parser) => parser.line(line).flow,
            Self::Agent(client) => client.line(line).flow,
        };
        flow == Flow::Stop
    }

    fn finish(&self, ending: &Ending, stderr: &str) -> Turn {
        let end = End { ending, stderr };
        match self.clone() {
            Self::Claude(parser) => parser.finish(end),
            Self::Codex(parser) => parser.finish(end),
            Self::Declared(parser) => parser.finish(end),
            Self::Agent(client) => client.finish(end),
        }
    }
}

fn agent(program: &Program, resumed: Option<String>) -> Client {
    let settings = program.settings.iter().flatten().map(|(name, value)| (name.as_str(), value.as_str()));
    let settings: Vec<(&str, &str)> = settings.chain([("program", "agent")]).collect();
    let settings = Settings::read(&member("acp", Some("scripted"), &settings)).unwrap();
    let mut client = Client::new(Wants::new(&settings, "/work-dir".into(), "Is this right?".into(), resumed));
    assert!(!client.open().is_empty());
    client
}

/// One transcript.
struct Case {
    file: PathBuf,
    channel: String,
    lines: String,
    golden: Golden,
}

impl Case {
    fn read(&self, lines: &str) -> Turn {
        let mut reader = Reader::new(&self.channel, &self.golden.program);
        let stopped = lines.lines().any(|line| reader.line(line.as_bytes()));
        reader.finish(&self.ending(stopped), &self.golden.program.stderr)
    }

    fn ending(&self, stopped: bool) -> Ending {
        match self.golden.program.exit.as_i64() {
            Some(code) if !stopped => Ending::Exited { code: i32::try_from(code).unwrap() },
            _ => Ending::Stopped,
        }
    }
}

fn all() -> Vec<Case> {
    let below = |folder: PathBuf| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let files = below(root).flat_map(below).flat_map(below);
    let mut files: Vec<PathBuf> = files.filter(|file| file.extension().is_some_and(|kind| kind == "out")).collect();
    files.sort();
    files.into_iter().map(case).collect()
}

fn case(file: PathBuf) -> Case {
    let golden = fs::read_to_string(file.with_extension("json")).unwrap();
    let golden = serde_json::from_str(&golden).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let channel = file.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    Case { lines: fs::read_to_string(&file).unwrap(), file, channel, golden }
}

#[test]
fn transcripts_give_their_turns() {
    let cases = all();
    assert!(cases.len() >= 70, "{} transcripts", cases.len());
    for case in cases {
        let turn = Expected::from(case.read(&case.lines));
        if std::env::var_os("BATON_WRITE_GOLDEN").is_some() {
            let golden = Golden { turn: Some(turn), ..case.golden };
            let text = serde_json::to_string_pretty(&golden).unwrap() + "\n";
            fs::write(case.file.with_extension("json"), text).unwrap();
            continue;
        }
        assert_eq!(Some(turn), case.golden.turn, "{}", case.file.display());
    }
}

/// Any beginning of a good transcript is no success, wherever it breaks off; plain text alone cannot be told from its
/// half.
#[test]
fn a_transcript_cut_anywhere_is_never_ok() {
    let good = |case: &Case| case.file.ends_with("success.out") && !case.file.to_string_lossy().contains("antigravity");
    let cases: Vec<Case> = all().into_iter().filter(good).collect();
    assert!(cases.len() >= 9, "{} good transcripts", cases.len());
    for case in cases {
        let whole = case.lines.trim_end();
        let mut before = Reader::new(&case.channel, &case.golden.program);
        for (number, line) in whole.split('\n').enumerate() {
            // The end of a turn may come before the end of the output.
            let told = before.finish(&Ending::Exited { code: 0 }, "").outcome.is_ok();
            // A line is read whole or not at all: of a long one some of its beginnings stand for all.
            let step = 1 + line.len() / 200;
            for end in (0..line.len()).step_by(step).filter(|end| line.is_char_boundary(*end)) {
                let mut cut = before.clone();
                cut.line(&line.as_bytes()[..end]);
                let turn = cut.finish(&Ending::Exited { code: 0 }, "");
                assert!(told || !turn.outcome.is_ok(), "{} line {number}, byte {end}", case.file.display());
                assert!(told || turn.text.is_none() || turn.outcome == Outcome::Partial, "{}", case.file.display());
            }
            before.line(line.as_bytes());
        }
        assert!(case.read(whole).outcome.is_ok(), "{}", case.file.display());
    }
}
