//! The fake does what its script says, in the shapes of the real programs, and sees what the caller did.

use std::future::pending;
use std::time::Duration;

use baton_process::{Command, Ending, Flow, Launcher, Limits, Report, Stdin};
use baton_testkit::fake_agent::{Mode, Script};
use serde_json::{Value, json};

use crate::place::{FAKE_AGENT, Place, limits, on_runtime, prompt};

fn run(command: Command) -> (Report, Vec<Value>) {
    let mut events = Vec::new();
    let report = on_runtime(Launcher::without_shim().run(command, pending(), &mut |line| {
        events.push(serde_json::from_slice(line.bytes).unwrap_or(json!(line.text())));
        Flow::Payload
    }));
    (report, events)
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap_or("?")).collect()
}

#[test]
fn versions_are_those_of_the_real_programs() {
    let place = Place::new();
    let all = [("claude", "2.1.329 (Claude Code)"), ("codex", "codex-cli 0.169.0"), ("gemini", "0.61.0")];
    for (name, version) in all {
        let program = place.install(name, &Script::default());
        assert_eq!(run(place.command(program).arg("--version")).1, [json!(version)]);
    }
    let old = Script { version: Some("codex-cli 0.144.5".to_owned()), ..Script::default() };
    assert_eq!(run(place.command(place.install("codex", &old)).arg("--version")).1, [json!("codex-cli 0.144.5")]);
}

#[test]
fn claude_answers_a_turn() {
    let place = Place::new();
    let script = Script { answer: "Yes.\n\"Quite\".".to_owned(), ..Script::default() };
    let (report, events) = run(place.claude(&script));
    assert_eq!(report.ending, Ending::Exited { code: 0 });
    assert_eq!(kinds(&events), ["system", "assistant", "result"]);
    assert!(events.iter().all(|event| event["session_id"] == "one"));
    assert_eq!(events[1]["message"]["content"][0]["text"], "Yes.\n\"Quite\".");
    assert_eq!((&events[2]["is_error"], &events[2]["total_cost_usd"]), (&json!(false), &json!(0.01)));
}

#[test]
fn codex_adds_up_its_usage_over_a_thread() {
    let place = Place::new();
    let codex = place.install("codex", &Script::default());
    let turn = |arguments: &[&str]| {
        let command = place.command(&codex).args(arguments.iter().copied()).stdin(Stdin::Bytes(prompt()));
        run(command).1
    };
    let first = turn(&["exec", "--json", "-"]);
    assert_eq!(kinds(&first), ["thread.started", "turn.started", "item.completed", "turn.completed"]);
    let thread = first[0]["thread_id"].as_str().unwrap();
    let second = turn(&["exec", "--json", "resume", thread, "-"]);
    assert_eq!(second[0], first[0]);
    let input = |events: &[Value]| events[3]["usage"]["input_tokens"].clone();
    assert_eq!((input(&first), input(&second)), (json!(100), json!(200)));
}

#[test]
fn gemini_refuses_a_directory_with_its_own_code() {
    let place = Place::new();
    let program = place.install("gemini", &Script::of(Mode::UntrustedDirectory));
    let (report, events) = run(place.command(program).args(["-o", "json"]));
    assert_eq!((report.ending, events.len()), (Ending::Exited { code: 55 }, 0));
}

#[test]
fn the_record_holds_what_the_fake_saw() {
    let place = Place::new();
    let (report, _) = run(place.claude(&Script::default()).env("API_KEY", "secret"));
    let starts = place.record();
    let [start] = starts.as_slice() else { panic!("{starts:?}") };
    assert_eq!((start.played.as_str(), Some(start.pid)), ("claude", report.pid));
    assert_eq!(start.arguments[1..3], ["-p", "--output-format"]);
    assert_eq!(start.environment.get("API_KEY").map(String::as_str), Some("secret"));
    assert_eq!(start.environment.get("PATH"), None);
    assert_eq!(start.directory, place.root().canonicalize().unwrap());
    assert_eq!(start.stdin.as_deref().map(str::as_bytes), Some(prompt().as_slice()));
    assert!(start.violations.is_empty());
}

#[test]
fn violations_are_recorded() {
    let place = Place::new();
    let impatient = place.install("claude", &Script { stdin_milliseconds: 50, ..Script::default() });
    let (stdin, input) = Stdin::open();
    run(place.command(impatient).arg("-p").stdin(stdin));
    drop(input);
    let patient = Script { stdin_milliseconds: 60_000, ..Script::default() };
    let claude = place.install("claude", &patient);
    run(place.command(&claude).args(["-p", "Review this."]).stdin(Stdin::Bytes(b"Review this.".to_vec())));
    let (report, _) = run(place.command(&claude).args(["-p", "--output-format", "stream-json"]));
    assert_eq!(report.ending, Ending::Exited { code: 1 });
    let violations: Vec<String> = place.record().into_iter().flat_map(|start| start.violations).collect();
    assert_eq!(violations.len(), 3, "{violations:?}");
    assert_eq!(violations[0], "standard input did not end");
    assert_eq!(violations[1], "the prompt is among the arguments");
    assert!(violations[2].contains("--verbose"));
}

#[test]
fn later_turns_can_differ() {
    let place = Place::new();
    let script = Script { then: vec![Mode::Answer], ..Script::of(Mode::RateLimited) };
    let codes: Vec<Option<i32>> = (0..3).map(|_| run(place.claude(&script)).0.exit_code()).collect();
    assert_eq!(codes, [Some(1), Some(0), Some(0)]);
}

#[test]
fn the_environment_can_name_part_and_script() {
    let place = Place::new();
    let script = place.root().join("elsewhere.json");
    Script { answer: "from elsewhere".to_owned(), ..Script::default() }.save(&script).unwrap();
    let command = place.command(FAKE_AGENT).env("FAKE_AGENT_SCRIPT", &script);
    assert_eq!(run(command).1, [json!("from elsewhere")]);
    let command = place.command(FAKE_AGENT).env("FAKE_AGENT_SCRIPT", &script).env("FAKE_AGENT_AS", "codex");
    assert_eq!(kinds(&run(command).1).last(), Some(&"turn.completed"));
}

#[test]
fn every_agent_can_stay_for_ever() {
    let short = Duration::from_millis(60);
    for name in ["codex", "gemini", "copilot", "agent"] {
        for mode in [Mode::RetriesForever, Mode::KeepAliveForever, Mode::SilentAfterFirst] {
            let place = Place::new();
            let limits = Limits { first_output: short, idle: short, ..limits() };
            let command = place.command(place.install(name, &Script::of(mode))).limits(limits);
            let report = on_runtime(Launcher::without_shim().run(command, pending(), &mut |_| Flow::Continue));
            assert!(matches!(report.ending, Ending::TimedOut { .. }), "{name} {mode:?}: {report:?}");
        }
    }
}

#[test]
fn gemini_tells_of_its_retries_on_standard_error() {
    let place = Place::new();
    let program = place.install("gemini", &Script::of(Mode::RetriesForever));
    let (report, events) = run(place.command(program).args(["-o", "json"]).stop_at_stderr(["failed with status"]));
    assert_eq!((report.ending, events.len()), (Ending::Stopped, 0));
}
