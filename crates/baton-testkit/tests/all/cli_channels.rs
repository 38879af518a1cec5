//! The channels of one-shot programs against every fault of the fake agent.

use baton_core::outcome::{Deadline, Outcome};
use baton_core::units::{MicroUsd, Usage};
use baton_port::{Availability, Progress, TurnRequest};
use baton_testkit::fake_agent::{Mode, Script};

use crate::place::{on_runtime, prompt};
use crate::stage::{SHORT, Stage, member};

fn seat(name: &str, script: Script) -> Stage {
    let stage = Stage::new(member(&format!("{name}-cli"), &[]), name, script);
    Stage { prompt: String::from_utf8(prompt()).unwrap(), ..stage }
}

fn timed_out(deadline: Deadline) -> Outcome {
    Outcome::TimedOut { deadline }
}

/// What each way to behave must end in. No wildcard: a new one must be decided here.
fn expected(mode: Mode, name: &str) -> Outcome {
    match mode {
        Mode::Answer
        | Mode::AnswerThenExitOne
        | Mode::NeverReadsStdin
        | Mode::StderrFlood
        | Mode::GrandchildHoldsPipe
        | Mode::Daemonises
        | Mode::InvalidUtf8
        | Mode::NulBytes
        | Mode::Banner
        | Mode::WritesOutside
        | Mode::StaysAfterAnswer => Outcome::Ok,
        Mode::EmptyOutput | Mode::ExitsAtOnce | Mode::HalfLine | Mode::Segfault | Mode::KillsItself => Outcome::Crashed,
        Mode::ErrorAsAnswer => Outcome::RateLimited { retry_after_ms: None },
        Mode::LosesTail => Outcome::Partial,
        Mode::LongLine | Mode::StdoutFlood | Mode::AnsiFlood => Outcome::TooMuchOutput,
        Mode::SilentForever => timed_out(Deadline::FirstEvent),
        Mode::ClosesStdout
        | Mode::IgnoresTerm
        | Mode::ManyChildren
        | Mode::SilentAfterFirst
        | Mode::KeepAliveForever
        | Mode::UpdatePrompt => timed_out(Deadline::Idle),
        Mode::AuthError => Outcome::Auth,
        Mode::RateLimited => Outcome::RateLimited { retry_after_ms: Some(3_600_000) },
        Mode::Overloaded => Outcome::Overloaded,
        // One of them says why it tries again.
        Mode::RetriesForever if name == "claude" => Outcome::RateLimited { retry_after_ms: None },
        Mode::RetriesForever => Outcome::Overloaded,
        Mode::ContextTooLong => Outcome::ContextTooLong,
        Mode::SessionNotFound => Outcome::SessionNotFound,
        Mode::UntrustedDirectory => Outcome::UntrustedDirectory,
    }
}

fn check(name: &str, mode: Mode) {
    let mut stage = seat(name, Script { bytes: 3_000_000, ..Script::of(mode) });
    stage.script.outside = Some(stage.place.root().join("outside"));
    stage.must_end_in(&expected(mode, name), SHORT, &mode);
}

#[test]
fn claude_ends_every_fault_in_its_class_and_leaves_nobody() {
    Mode::ALL.into_iter().for_each(|mode| check("claude", mode));
}

#[test]
fn codex_ends_every_fault_in_its_class_and_leaves_nobody() {
    Mode::ALL.into_iter().for_each(|mode| check("codex", mode));
}

#[test]
fn an_answer_comes_with_its_numbers_and_its_origin() {
    let turn = seat("claude", Script::default()).turn();
    let tokens = Usage { input_tokens: 100, cached_tokens: 0, output_tokens: 20, reported_cost: None };
    assert_eq!(turn.text.as_deref(), Some("The change is correct."));
    assert_eq!(turn.usage, Some(Usage { reported_cost: Some(MicroUsd(10_000)), ..tokens }));
    let origin = turn.provenance;
    assert!(origin.program.is_some_and(|program| program.ends_with("/claude")));
    assert_eq!((origin.program_version.as_deref(), origin.model.as_deref()), (Some("2.1.329"), Some("small")));
    let stage = seat("codex", Script::default());
    let turn = stage.turn();
    assert_eq!((turn.text.as_deref(), turn.usage), (Some("The change is correct."), Some(tokens)));
    assert_eq!(turn.provenance.session, Some(stage.script.session));
}

#[test]
fn the_program_gets_the_prompt_its_directory_and_a_small_environment() {
    for name in ["claude", "codex"] {
        let stage = seat(name, Script::default());
        stage.turn();
        let starts = stage.place.record();
        let [start] = starts.as_slice() else { panic!("{starts:?}") };
        assert_eq!(start.stdin.as_deref().map(str::as_bytes), Some(prompt().as_slice()));
        assert_eq!(start.directory, stage.place.root().canonicalize().unwrap());
        assert_eq!(start.environment.get("BATON_DEPTH").map(String::as_str), Some("1"));
        assert!(start.environment["TMPDIR"].starts_with(stage.place.root().to_str().unwrap()));
        assert_ne!(start.environment["TMPDIR"], start.environment["HOME"]);
    }
}

#[test]
fn the_transcript_holds_both_outputs_and_no_secret() {
    let stage = seat("claude", Script { answer: "say sk-test-123456 again".to_owned(), ..Script::default() });
    let turn = stage.set("env.ANTHROPIC_API_KEY", "sk-test-123456").turn();
    let transcript = String::from_utf8(turn.transcript.bytes).unwrap();
    assert_eq!(transcript.lines().count(), 3);
    assert!(transcript.contains("say [secret] again") && !transcript.contains("sk-test"));
    let turn = seat("codex", Script::of(Mode::SessionNotFound)).turn();
    let transcript = String::from_utf8(turn.transcript.bytes).unwrap();
    assert!(transcript.starts_with("[standard error]\nError: thread/resume failed"), "{transcript}");
}

#[test]
fn a_flood_is_kept_up_to_the_cap() {
    let turn = seat("codex", Script { bytes: 3_000_000, ..Script::of(Mode::StdoutFlood) }).turn();
    assert!(turn.transcript.cut && turn.transcript.bytes.len() <= 1 << 20, "{}", turn.transcript.bytes.len());
    assert!(turn.transcript.bytes.len() > 1 << 19);
}

#[test]
fn a_wish_to_stop_is_granted_and_recorded() {
    for name in ["claude", "codex"] {
        let (_, seen) = seat(name, Script::of(Mode::ManyChildren)).must_stop_at(Progress::Thinking);
        assert_eq!(seen, [Progress::Started, Progress::Thinking]);
    }
}

#[test]
fn resumed_turns_report_only_what_is_theirs() {
    for name in ["claude", "codex"] {
        let stage = seat(name, Script::default());
        let second = stage.resumed(&stage.turn().provenance.session.unwrap());
        assert_eq!(second.outcome, Outcome::Ok, "{}", second.detail);
        assert_eq!(second.usage.and_then(|usage| usage.reported_cost), None);
        assert_eq!(second.usage.map(|usage| usage.input_tokens), (name == "claude").then_some(100));
    }
}

#[test]
fn a_probe_tells_the_version_or_what_is_missing() {
    let stage = seat("codex", Script::default());
    let version = Some("0.169.0".to_owned());
    assert_eq!(on_runtime(stage.channel().probe()), Availability::Ready { version });
    let stage = seat("claude", Script::default()).set("program", "no-such-program");
    let Availability::NotReady { because, mend } = on_runtime(stage.channel().probe()) else { panic!("ready") };
    assert_eq!(because, "the program `no-such-program` is not on the PATH");
    assert!(mend.contains("npm install"));
    let turn = stage.turn();
    assert_eq!((turn.outcome, turn.detail), (Outcome::NotInstalled, because));
    stage.must_be_empty("claude");
}

#[test]
fn a_key_never_reaches_a_program_that_is_logged_in() {
    for (name, login, text, key) in [
        ("claude", ".claude/.credentials.json", r#"{"claudeAiOauth":{}}"#, "env.ANTHROPIC_API_KEY"),
        ("codex", ".codex/auth.json", "{}", "env.CODEX_API_KEY"),
    ] {
        let stage = seat(name, Script::default()).set(key, "test-key");
        assert_eq!(stage.turn().outcome, Outcome::Ok);
        let login = stage.place.root().join(login);
        std::fs::create_dir_all(login.parent().unwrap()).unwrap();
        std::fs::write(login, text).unwrap();
        assert_eq!(stage.turn().outcome, Outcome::Rejected);
        assert_eq!(stage.place.record().len(), 1);
        assert!(matches!(on_runtime(stage.channel().probe()), Availability::NotReady { .. }));
    }
}

#[test]
fn a_directory_or_an_interpreter_that_is_missing_is_told() {
    let stage = seat("claude", Script::default());
    let request = TurnRequest { directory: "/no/such/place".into(), ..stage.request() };
    assert_eq!(stage.ask(&request).outcome, Outcome::Rejected);
    let script = stage.place.root().join("broken");
    std::fs::write(&script, "#!/usr/bin/env no-such-interpreter\n").unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&script, executable).unwrap();
    let stage = stage.set("program", script.to_str().unwrap());
    assert_eq!(stage.turn().outcome, Outcome::NotInstalled);
}
