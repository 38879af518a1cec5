//! Transcripts of declared programs, each with the turn that it must give. All but those of Cursor and Antigravity are
//! of the true programs (Gemini CLI 0.61.0, Copilot CLI 1.0.102, OpenCode 1.18.33, Qwen Code 0.24.4); those two follow
//! their vendors' documentation.

use std::fs;
use std::path::{Path, PathBuf};

use baton_core::outcome::Outcome;
use baton_members::cli::End;
use baton_members::cli::declared::Declaration;
use baton_members::cli::declared::parse::Parser;
use baton_port::{SessionUse, Turn};
use baton_process::{Ending, Flow};
use serde_json::{Value, json};

use crate::cli_args::request;
use crate::declared_catalog::seat;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/declared")
}

fn parser(member: &str, program: &Value) -> Parser {
    let session = match program["resumed"].as_str() {
        Some(id) => SessionUse::Resume { id: id.to_owned() },
        None => SessionUse::None,
    };
    Declaration::read(&seat(member)).unwrap().parser(&request("hi", session))
}

fn finish(parser: &Parser, stopped: bool, program: &Value) -> Turn {
    let code = program["exit"].as_i64().unwrap() as i32;
    let ending = if stopped { Ending::Stopped } else { Ending::Exited { code } };
    parser.finish(End { ending: &ending, stderr: program["stderr"].as_str().unwrap() })
}

fn read(member: &str, lines: &str, program: &Value) -> Turn {
    let mut parser = parser(member, program);
    let stopped = lines.lines().any(|line| parser.line(line.as_bytes()).flow == Flow::Stop);
    finish(&parser, stopped, program)
}

fn shown(turn: &Turn) -> Value {
    json!({
        "outcome": turn.outcome, "text": turn.text, "detail": turn.detail, "usage": turn.usage,
        "session": turn.provenance.session, "model": turn.provenance.model,
    })
}

fn goldens() -> Vec<(String, PathBuf)> {
    let mut all = Vec::new();
    for member in fs::read_dir(folder()).unwrap().map(|member| member.unwrap()) {
        for file in fs::read_dir(member.path()).unwrap().map(|file| file.unwrap().path()) {
            if file.extension().is_some_and(|extension| extension == "out") {
                all.push((member.file_name().into_string().unwrap(), file));
            }
        }
    }
    assert!(all.len() >= 25, "{} transcripts", all.len());
    all
}

#[test]
fn transcripts_give_their_turns() {
    for (member, file) in goldens() {
        let path = file.with_extension("expected.json");
        let golden: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let turn = read(&member, &fs::read_to_string(&file).unwrap(), &golden["program"]);
        if std::env::var_os("BATON_WRITE_GOLDEN").is_some() {
            let all = json!({ "program": golden["program"], "turn": shown(&turn) });
            fs::write(&path, serde_json::to_string_pretty(&all).unwrap() + "\n").unwrap();
            continue;
        }
        assert_eq!(shown(&turn), golden["turn"], "{}", file.display());
    }
}

/// Any half of a good transcript is no success, wherever it breaks off; plain text alone cannot be told from its half.
#[test]
fn a_transcript_cut_anywhere_is_never_ok() {
    for (member, file) in goldens().into_iter().filter(|(member, _)| member != "antigravity") {
        if !file.ends_with("success.out") {
            continue;
        }
        let whole = fs::read_to_string(file).unwrap();
        let whole = whole.trim_end();
        let exit = json!({ "exit": 0, "stderr": "" });
        let mut before = parser(&member, &exit);
        for line in whole.split('\n') {
            let is_last = whole.ends_with(line);
            for end in (0..line.len() + usize::from(!is_last)).filter(|end| line.is_char_boundary(*end)) {
                let mut cut = before.clone();
                cut.line(&line.as_bytes()[..end]);
                let turn = finish(&cut, false, &exit);
                assert!(!turn.outcome.is_ok(), "{member}: {}", &line[..end]);
                assert!(turn.text.is_none() || turn.outcome == Outcome::Partial, "{member}: {}", &line[..end]);
            }
            before.line(line.as_bytes());
        }
        assert!(read(&member, whole, &exit).outcome.is_ok(), "{member}");
    }
}
