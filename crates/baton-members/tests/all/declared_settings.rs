//! What a declaration may say, and what a program is started with and read by it.

use std::path::Path;

use baton_core::member::{Effort, Member};
use baton_core::outcome::Outcome;
use baton_core::units::{MicroUsd, Usage};
use baton_members::cli::declared::{Declaration, args};
use baton_members::cli::{End, Invocation};
use baton_port::{Exchange, SessionUse, Turn, TurnRequest};
use baton_process::{Ending, Flow};

use crate::cli_args::{environment, member, request};

const PLAIN: &[(&str, &str)] = &[("program", "x"), ("output", "text")];
const EVENTS: &[(&str, &str)] = &[("program", "x"), ("text", "say"), ("done_event", "end=true")];

fn seat(settings: &[(&str, &str)], more: &[(&str, &str)]) -> Member {
    Member { effort: None, ..member("cli", None, &[settings, more].concat()) }
}

fn declaration(settings: &[(&str, &str)], more: &[(&str, &str)]) -> Declaration {
    Declaration::read(&seat(settings, more)).unwrap()
}

fn refused(settings: &[(&str, &str)], more: &[(&str, &str)]) -> String {
    Declaration::read(&seat(settings, more)).unwrap_err().to_string()
}

fn start(declaration: &Declaration, request: &TurnRequest) -> Invocation {
    args::invocation(declaration, &environment(&[]), request, Some(Path::new("/private/prompt"))).unwrap()
}

fn words(declaration: &Declaration, request: &TurnRequest) -> Vec<String> {
    start(declaration, request).arguments.iter().map(|word| word.to_str().unwrap().to_owned()).collect()
}

fn turn(declaration: &Declaration, session: SessionUse, lines: &[&str], code: i32, stderr: &str) -> Turn {
    let mut parser = declaration.parser(&request("hi", session));
    let stopped = lines.iter().any(|line| parser.line(line.as_bytes()).flow == Flow::Stop);
    let ending = if stopped { Ending::Stopped } else { Ending::Exited { code } };
    parser.finish(End { ending: &ending, stderr })
}

fn plain(declaration: &Declaration, lines: &[&str], code: i32, stderr: &str) -> Turn {
    turn(declaration, SessionUse::None, lines, code, stderr)
}

#[test]
fn arguments_stand_in_the_order_of_their_numbers() {
    let groups = [
        ("arg.1", "run"),
        ("arg.10", "-"),
        ("arg.9", "--cd={directory}"),
        ("model.2", "--model={model}"),
        ("effort.3", "-e"),
        ("effort.4", "{effort}"),
        ("new.5", "--id={session}"),
        ("resume.5", "--resume={session}"),
    ];
    let declaration = declaration(PLAIN, &groups);
    assert_eq!(words(&declaration, &request("hi", SessionUse::None)), ["run", "--cd=/work-dir", "-"]);
    let mut asked = request("hi", SessionUse::New { id: "a".into() });
    asked.effort = Some(Effort::High);
    assert_eq!(words(&declaration, &asked), ["run", "-e", "high", "--id=a", "--cd=/work-dir", "-"]);
    let with_model = Member { model: Some("--evil x".into()), ..seat(PLAIN, &groups) };
    let declaration = Declaration::read(&with_model).unwrap();
    let resumed = words(&declaration, &request("hi", SessionUse::Resume { id: "a".into() }));
    assert_eq!(resumed, ["run", "--model=--evil x", "--resume=a", "--cd=/work-dir", "-"]);
}

#[test]
fn a_prompt_goes_by_standard_input_or_by_a_file() {
    let asked = request("SECRET", SessionUse::None);
    assert_eq!(start(&declaration(PLAIN, &[]), &asked).stdin, b"SECRET");
    let by_file = declaration(PLAIN, &[("prompt", "file"), ("arg.1", "--prompt-file={prompt_file}")]);
    let invocation = start(&by_file, &asked);
    assert_eq!(
        (invocation.stdin.as_slice(), words(&by_file, &asked)),
        (&b""[..], vec!["--prompt-file=/private/prompt".to_owned()])
    );
    let nowhere = args::invocation(&by_file, &environment(&[]), &asked, None).unwrap_err();
    assert_eq!(nowhere.outcome, Outcome::Rejected);
}

#[test]
fn a_program_without_sessions_is_told_what_was_said() {
    let history = vec![Exchange { prompt: "first?".into(), answer: "one".into() }];
    let asked = |session| TurnRequest { history: history.clone(), ..request("second?", session) };
    let (new, resume) = (SessionUse::New { id: "a".into() }, SessionUse::Resume { id: "a".into() });
    let forgetful = declaration(PLAIN, &[]);
    let text = String::from_utf8(start(&forgetful, &asked(new.clone())).stdin).unwrap();
    let places = ["first?", "one", "second?"].map(|word| text.find(word).unwrap());
    assert!(places.is_sorted() && text.ends_with("second?"), "{text}");
    assert_eq!(turn(&forgetful, new.clone(), &["yes"], 0, "").provenance.session, None);
    let lost = args::invocation(&forgetful, &environment(&[]), &request("x", resume.clone()), None).unwrap_err();
    assert_eq!(lost.outcome, Outcome::SessionNotFound);
    let knowing = declaration(PLAIN, &[("new.1", "--id={session}"), ("resume.1", "--resume={session}")]);
    assert_eq!(start(&knowing, &asked(resume)).stdin, b"second?");
    assert_eq!(turn(&knowing, new, &["yes"], 0, "").provenance.session.as_deref(), Some("a"));
    let odd = request("x", SessionUse::Resume { id: "--last".into() });
    let refused = args::invocation(&knowing, &environment(&[]), &odd, None).unwrap_err();
    assert_eq!(refused.outcome, Outcome::SessionNotFound);
}

#[test]
fn descriptions_that_cannot_work_are_refused_by_name() {
    for (settings, more, name) in [
        (&[][..], &[("output", "text")][..], "program"),
        (PLAIN, &[("nonsense", "x")], "nonsense"),
        (PLAIN, &[("api_key", "pass")], "api_key"),
        (PLAIN, &[("args.1", "x")], "args.1"),
        (PLAIN, &[("arg.1", "{prompt}")], "arg.1"),
        (PLAIN, &[("arg.1", "a\0b")], "arg.1"),
        (PLAIN, &[("arg.1", "{model}")], "arg"),
        (PLAIN, &[("arg.1", "{prompt_file}")], "prompt"),
        (PLAIN, &[("prompt", "file")], "prompt"),
        (PLAIN, &[("prompt", "argument")], "prompt"),
        (PLAIN, &[("output", "xml")], "output"),
        (PLAIN, &[("text", "x")], "text"),
        (PLAIN, &[("resume.1", "{session}")], "session"),
        (PLAIN, &[("usage_mode", "turn")], "usage_mode"),
        (PLAIN, &[("usage.total", "x")], "usage.total"),
        (PLAIN, &[("outcome.ok", "x")], "outcome.ok"),
        (PLAIN, &[("exit.0", "auth")], "exit.0"),
        (PLAIN, &[("min_version", "new")], "min_version"),
        (&[("program", "x")], &[("text", "say")], "done_event"),
        (&[("program", "x")], &[("done_event", "a=b")], "text"),
        (EVENTS, &[("retry_event", "a")], "retry_event"),
        (EVENTS, &[("session", "a..b")], "session"),
    ] {
        let error = refused(settings, more);
        assert!(error.starts_with(&format!("setting `{name}`")), "{more:?}: {error}");
    }
    let eager = Member { effort: Some(Effort::Low), ..seat(PLAIN, &[]) };
    assert_eq!(Declaration::read(&eager).unwrap_err().setting, "effort.1");
}

#[test]
fn the_last_text_counts_or_all_of_them() {
    let lines = [r#"{"say":"one "}"#, r#"{"other":1}"#, r#"{"say":"two"}"#, r#"{"end":true}"#];
    assert_eq!(plain(&declaration(EVENTS, &[]), &lines, 0, "").text.as_deref(), Some("two"));
    let all = declaration(EVENTS, &[("text_mode", "concat")]);
    assert_eq!(plain(&all, &lines, 7, "").text.as_deref(), Some("one two"), "the exit code is not asked");
    let chosen = declaration(EVENTS, &[("text_event", "say=one ")]);
    assert_eq!(plain(&chosen, &lines, 0, "").outcome, Outcome::Empty, "a test of a value is exact after trimming");
    assert_eq!(plain(&all, &lines[..3], 0, "").outcome, Outcome::Partial);
    assert_eq!(plain(&all, &lines[3..], 0, "").outcome, Outcome::Empty);
    assert_eq!(plain(&all, &["nothing", "of this"], 0, "").outcome, Outcome::Unreadable);
    assert_eq!(plain(&all, &[], 0, "").outcome, Outcome::Crashed);
}

#[test]
fn usage_is_counted_as_the_program_counts() {
    let paths = [("usage.input", "in\nold"), ("usage.cached", "old"), ("usage.output", "out"), ("cost", "usd")];
    let lines = [r#"{"say":"x","in":1,"old":2,"out":3,"usd":0.5}"#, r#"{"end":true,"in":10,"out":20,"usd":0.25}"#];
    let of = |mode: &str, session| {
        let declaration = declaration(EVENTS, &[&paths[..], &[("usage_mode", mode)]].concat());
        turn(&declaration, session, &lines, 0, "").usage
    };
    let usage = |input_tokens, cached_tokens, output_tokens, cost| {
        Some(Usage { input_tokens, cached_tokens, output_tokens, reported_cost: Some(MicroUsd(cost)) })
    };
    assert_eq!(of("turn", SessionUse::None), usage(10, 0, 20, 250_000));
    assert_eq!(of("step", SessionUse::None), usage(13, 2, 23, 750_000));
    assert_eq!(of("session", SessionUse::New { id: "a".into() }), usage(10, 0, 20, 250_000));
    assert_eq!(of("none", SessionUse::None), None);
    let resumes = [("usage_mode", "session"), ("session", "id"), ("resume.1", "{session}")];
    let declaration = declaration(EVENTS, &[&paths[..], &resumes].concat());
    assert_eq!(turn(&declaration, SessionUse::Resume { id: "a".into() }, &lines, 0, "").usage, None);
}

#[test]
fn failures_are_read_from_events_and_from_standard_error() {
    let map = [
        ("error_event", "bad=true"),
        ("error_text", "why"),
        ("error_status", "code"),
        ("retry_event", "again=true"),
        ("outcome.quota_exhausted", "no more today"),
        ("exit.41", "auth"),
        ("error_in_disguise", "Info: failed"),
    ];
    let declaration = declaration(EVENTS, &map);
    let outcome = |lines: &[&str], code, stderr| plain(&declaration, lines, code, stderr).outcome;
    let limited = Outcome::RateLimited { retry_after_ms: Some(3_000) };
    assert_eq!(outcome(&[r#"{"bad":true,"why":"retry after 3 s","code":429}"#], 0, ""), limited);
    assert_eq!(outcome(&[r#"{"bad":true,"why":"No more today","code":429}"#], 0, ""), Outcome::QuotaExhausted);
    assert_eq!(outcome(&[r#"{"bad":true}"#, r#"{"say":"x","end":true}"#], 0, ""), Outcome::Crashed);
    assert_eq!(
        outcome(&[r#"{"again":true,"why":"rate limit"}"#], 0, ""),
        Outcome::RateLimited { retry_after_ms: None }
    );
    assert_eq!(outcome(&[r#"{"again":true}"#], 0, ""), Outcome::Overloaded);
    assert_eq!(outcome(&[], 1, "noise\n{\n  \"why\": \"x\",\n  \"code\": 503\n}\n"), Outcome::Overloaded);
    assert_eq!(outcome(&[], 41, "anything"), Outcome::Auth);
    assert_eq!(outcome(&[], 1, "anything"), Outcome::Crashed);
    assert_eq!(
        outcome(&[r#"{"say":"Info: failed: too many requests","end":true}"#], 0, ""),
        Outcome::RateLimited { retry_after_ms: None }
    );
}

#[test]
fn plain_text_is_believed_only_from_a_program_that_ends_well() {
    let declaration = declaration(PLAIN, &[]);
    assert_eq!(plain(&declaration, &["a", "", "b"], 0, "").text.as_deref(), Some("a\n\nb"));
    assert_eq!(plain(&declaration, &["a"], 1, "").outcome, Outcome::Partial);
    assert_eq!(plain(&declaration, &[], 0, "").outcome, Outcome::Empty);
    assert_eq!(plain(&declaration, &[" "], 0, "").outcome, Outcome::Empty);
    assert_eq!(plain(&declaration, &["API Error: 529 Overloaded"], 0, "").outcome, Outcome::Overloaded);
    assert_eq!(
        plain(&declaration, &[], 1, "Error: too many requests").outcome,
        Outcome::RateLimited { retry_after_ms: None }
    );
}
