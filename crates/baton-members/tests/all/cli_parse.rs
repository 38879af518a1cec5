//! What no true program was seen to do, or does only now and then.

use baton_core::outcome::Outcome;
use baton_core::units::{MicroUsd, Usage};
use baton_members::cli::{End, Reaction, claude, codex};
use baton_port::{Progress, Turn};
use baton_process::{Ending, Flow};

const CLEAN: Ending = Ending::Exited { code: 0 };

fn end(stderr: &str) -> End<'_> {
    End { ending: &CLEAN, stderr }
}

fn claude_after(lines: &[&str], stderr: &str) -> Turn {
    let mut parser = claude::parse::Parser::new();
    lines.iter().for_each(|line| drop(parser.line(line.as_bytes())));
    parser.finish(end(stderr))
}

fn codex_after(lines: &[&str], stderr: &str) -> Turn {
    let mut parser = codex::parse::Parser::new();
    lines.iter().for_each(|line| drop(parser.line(line.as_bytes())));
    parser.finish(end(stderr))
}

fn claude_result(text: &str) -> Turn {
    let text = serde_json::to_string(text).unwrap();
    claude_after(&[&format!(r#"{{"is_error":false,"subtype":"success","result":{text},"type":"result"}}"#)], "")
}

fn codex_message(text: &str) -> Turn {
    let text = serde_json::to_string(text).unwrap();
    let item = format!(r#"{{"item":{{"text":{text},"type":"agent_message","id":"1"}},"type":"item.completed"}}"#);
    codex_after(&[&item, r#"{"type":"turn.completed"}"#], "")
}

#[test]
fn the_order_of_members_and_a_banner_have_no_meaning() {
    let turn = claude_after(
        &[
            "Welcome!",
            "",
            r#"{"new":1,"type":"later_invention"}"#,
            r#"{"result":"yes","is_error":false,"subtype":"success","type":"result"}"#,
        ],
        "",
    );
    assert_eq!((turn.outcome, turn.text.as_deref()), (Outcome::Ok, Some("yes")));
    let turn = codex_after(
        &[
            "Welcome!",
            r#"{"item":{"type":"later_invention"},"type":"item.completed"}"#,
            r#"{"item":{"text":"yes","type":"agent_message"},"type":"item.completed"}"#,
            r#"{"usage":null,"type":"turn.completed"}"#,
        ],
        "",
    );
    assert_eq!((turn.outcome, turn.text.as_deref(), turn.usage), (Outcome::Ok, Some("yes"), None));
}

#[test]
fn an_error_in_disguise_is_no_answer() {
    let cases = [
        ("API Error: 529 Overloaded", Outcome::Overloaded),
        ("Claude AI usage limit reached|1699999999", Outcome::QuotaExhausted),
        ("Credit balance is too low", Outcome::QuotaExhausted),
        ("Invalid API key · Please run /login", Outcome::Auth),
    ];
    for (text, outcome) in cases {
        for turn in [claude_result(text), codex_message(text)] {
            assert_eq!((turn.outcome, turn.text, turn.detail.as_str()), (outcome.clone(), None, text));
        }
    }
}

#[test]
fn an_empty_answer_is_not_ok() {
    for turn in [claude_result(" \n"), codex_message(" \n"), codex_after(&[r#"{"type":"turn.completed"}"#], "")] {
        assert_eq!((turn.outcome, turn.text), (Outcome::Empty, None));
    }
}

#[test]
fn success_needs_all_of_its_signs() {
    for line in [
        r#"{"type":"result","subtype":"success","result":"yes"}"#,
        r#"{"type":"result","is_error":false,"result":"yes"}"#,
        r#"{"type":"result","is_error":true,"subtype":"success","result":"yes"}"#,
    ] {
        let turn = claude_after(&[line], "");
        assert_eq!((turn.outcome, turn.text), (Outcome::Crashed, None), "{line}");
    }
    let turn = codex_after(
        &[
            r#"{"type":"item.completed","item":{"type":"agent_message","text":"yes"}}"#,
            r#"{"type":"turn.failed","error":{"message":"quota exceeded"}}"#,
        ],
        "",
    );
    assert_eq!((turn.outcome, turn.text), (Outcome::QuotaExhausted, None));
}

#[test]
fn a_refusal_and_a_reached_limit_are_told() {
    let with = |reason: &str| {
        let line = format!(
            r#"{{"type":"result","subtype":"success","is_error":false,"result":"so far","stop_reason":"{reason}"}}"#
        );
        let turn = claude_after(&[&line], "");
        (turn.outcome, turn.text)
    };
    assert_eq!(with("refusal"), (Outcome::Refused, None));
    assert_eq!(with("max_tokens"), (Outcome::Partial, Some("so far".to_owned())));
    assert_eq!(with("end_turn"), (Outcome::Ok, Some("so far".to_owned())));
}

#[test]
fn a_plan_that_is_used_up_is_told_from_too_many_requests() {
    let result =
        r#"{"type":"result","subtype":"success","is_error":true,"api_error_status":429,"result":"API Error: 429"}"#;
    let limit = r#"{"type":"rate_limit_event","rate_limit_info":{"status":"rejected","resetsAt":1699999999}}"#;
    assert_eq!(claude_after(&[result], "").outcome, Outcome::RateLimited { retry_after_ms: None });
    let turn = claude_after(&[limit, result], "");
    assert_eq!(turn.outcome, Outcome::QuotaExhausted);
    assert_eq!(turn.detail, "API Error: 429 (opens again at 1699999999)");
    assert_eq!(turn.opens, Some(baton_port::Opens::At(baton_core::units::Timestamp(1_699_999_999_000))));
}

#[test]
fn costs_that_count_up_are_not_taken_for_this_turns() {
    let result = |more: &str| {
        format!(
            r#"{{"type":"result","subtype":"success","is_error":false,"result":"yes","total_cost_usd":0.5,
            "usage":{{"input_tokens":10,"output_tokens":2}}{more}}}"#
        )
        .replace('\n', " ")
    };
    let usage = |parser: claude::parse::Parser, more: &str| {
        let mut parser = parser;
        parser.line(result(more).as_bytes());
        parser.finish(end("")).usage.unwrap()
    };
    let resuming = || claude::parse::Parser::resuming("s".to_owned());
    let tokens = Usage { input_tokens: 10, output_tokens: 2, ..Usage::default() };
    let costs = |micro: u64| Usage { reported_cost: Some(MicroUsd(micro)), ..tokens };
    assert_eq!(usage(claude::parse::Parser::new(), ""), costs(500_000));
    assert_eq!(usage(resuming(), ""), tokens);
    let since = r#","model_usage_since_last_result":{"a":{"costUSD":0.25},"b":{"costUSD":0.125}}"#;
    assert_eq!(usage(resuming(), since), costs(375_000));
    let unknown = r#","model_usage_since_last_result":{"a":{"costUSD":0.25},"b":{}}"#;
    assert_eq!(usage(resuming(), unknown), tokens);
}

#[test]
fn an_answer_in_another_session_is_stopped_and_counts_as_a_lost_session() {
    let mut parser = claude::parse::Parser::resuming("asked".to_owned());
    let reaction = parser.line(br#"{"type":"system","subtype":"init","session_id":"given"}"#);
    assert_eq!(reaction.flow, Flow::Stop);
    assert_eq!(parser.finish(end("")).outcome, Outcome::SessionNotFound);
    let mut parser = codex::parse::Parser::resuming("asked".to_owned());
    assert_eq!(parser.line(br#"{"type":"thread.started","thread_id":"given"}"#).flow, Flow::Stop);
    assert_eq!(parser.finish(end("")).outcome, Outcome::SessionNotFound);
}

#[test]
fn without_an_end_the_answer_is_partial_and_kept() {
    let turn = claude_after(&[r#"{"type":"assistant","message":{"content":[{"type":"text","text":"half"}]}}"#], "");
    assert_eq!((turn.outcome, turn.text.as_deref()), (Outcome::Partial, Some("half")));
    let turn = codex_after(&[r#"{"type":"item.completed","item":{"type":"agent_message","text":"half"}}"#], "");
    assert_eq!((turn.outcome, turn.text.as_deref()), (Outcome::Partial, Some("half")));
}

#[test]
fn silence_is_a_crash_and_noise_is_unreadable() {
    for parse in [claude_after, codex_after] {
        assert_eq!(parse(&[], "").outcome, Outcome::Crashed);
        assert_eq!(parse(&["<html>", "</html>"], "").outcome, Outcome::Unreadable);
        assert_eq!(parse(&[r#"{"type":"something"}"#], "").outcome, Outcome::Crashed);
    }
}

#[test]
fn standard_error_decides_when_there_is_nothing_else() {
    let cases = [
        ("No conversation found with session ID: 1", Outcome::SessionNotFound),
        ("Error: Session ID 1 is already in use.", Outcome::Rejected),
        ("Invalid API key · Please run /login", Outcome::Auth),
        ("error: unknown option '--restricted'", Outcome::Rejected),
        ("Not inside a trusted directory and --skip-git-repo-check was not specified.", Outcome::UntrustedDirectory),
        ("Error: no rollout found for thread id 1", Outcome::SessionNotFound),
        ("Segmentation fault", Outcome::Crashed),
    ];
    for (stderr, outcome) in cases {
        for parse in [claude_after, codex_after] {
            assert_eq!(parse(&[], &format!("warning: 401\n{stderr}\n")).outcome, outcome, "{stderr}");
        }
    }
}

#[test]
fn a_web_socket_that_cannot_be_opened_is_no_retry() {
    let mut parser = codex::parse::Parser::new();
    let mut flow = |message: &str| parser.line(format!(r#"{{"type":"error","message":"{message}"}}"#).as_bytes()).flow;
    assert_eq!(flow("Reconnecting... 2/5 (unexpected status 404 Not Found, url: wss://host/v1)"), Flow::Continue);
    assert_eq!(flow("Reconnecting... 1/5 (unexpected status 503, url: https://host/v1)"), Flow::Stop);
    assert_eq!(parser.finish(end("")).outcome, Outcome::Overloaded);
}

#[test]
fn words_of_a_subordinate_are_not_the_answer() {
    let line =
        r#"{"type":"assistant","parent_tool_use_id":"t","message":{"content":[{"type":"text","text":"aside"}]}}"#;
    assert_eq!(claude_after(&[line], "").text, None);
}

#[test]
fn signs_of_life_say_what_happens() {
    let mut parser = claude::parse::Parser::new();
    let mut progress = |line: &str| parser.line(line.as_bytes()).progress;
    let doing = |text: &str| vec![Progress::Doing(text.to_owned())];
    assert_eq!(progress(r#"{"type":"system","subtype":"init","cwd":"/project"}"#), [Progress::Thinking]);
    let tool = |name: &str, input: &str| {
        format!(
            r#"{{"type":"assistant","message":{{"content":[{{"type":"tool_use","name":"{name}","input":{input}}}]}}}}"#
        )
    };
    assert_eq!(progress(&tool("Read", r#"{"file_path":"/project/src/x.rs"}"#)), doing("reads src/x.rs"));
    assert_eq!(progress(&tool("Grep", r#"{"pattern":"a\u001b[2Jb"}"#)), doing("searches for a [2Jb"));
    let answer = r#"{"type":"assistant","message":{"content":[{"type":"text","text":"déjà"}]}}"#;
    assert_eq!(progress(answer), [Progress::Text { bytes: 6 }]);
    let mut parser = codex::parse::Parser::new();
    let mut reaction = |line: &str| parser.line(line.as_bytes());
    assert_eq!(reaction(r#"{"type":"turn.started"}"#).progress, [Progress::Thinking]);
    let run = r#"{"type":"item.started","item":{"type":"command_execution","command":"ls -l"}}"#;
    assert_eq!(reaction(run), Reaction { flow: Flow::Payload, progress: doing("runs ls -l") });
    let notice = r#"{"type":"item.completed","item":{"type":"error","message":"x"}}"#;
    assert_eq!(reaction(notice), Reaction { flow: Flow::Continue, progress: vec![] });
}

#[test]
fn hostile_lines_are_survived() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let lines = [&deep, "null", "[]", "1e999", "{\"type\":7}", "{\"type\":\"assistant\",\"message\":7}", "\u{feff}{}"];
    let lines = [&lines[..], &["{\"type\":\"result\"}", "{\"type\":\"item.started\"}", "{\"type\":\"turn.failed\"}"]];
    let lines = lines.concat();
    assert_eq!(claude_after(&lines, "").outcome, Outcome::Crashed);
    assert_eq!(codex_after(&lines, "").outcome, Outcome::Crashed);
}
