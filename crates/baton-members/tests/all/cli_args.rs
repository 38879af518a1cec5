//! What the programs are started with.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use baton_core::ids::MemberId;
use baton_core::member::{ChannelSpec, Effort, Limits, Member, Nature, Payer};
use baton_core::outcome::Outcome;
use baton_members::cli::{Environment, Invocation, claude, codex};
use baton_port::{Cancel, Caps, Deadlines, Progress, ProgressSink, SessionUse, TurnRequest};

pub(crate) struct Silent;

impl ProgressSink for Silent {
    fn report(&self, _: Progress) {}
}

pub(crate) fn member(kind: &str, model: Option<&str>, settings: &[(&str, &str)]) -> Member {
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Member {
        id: MemberId::parse("seat").unwrap(),
        nature: Nature::Model,
        vendor: "vendor".into(),
        family: "family".into(),
        channel: ChannelSpec { kind: kind.into(), settings },
        model: model.map(str::to_owned),
        effort: Some(Effort::Low),
        tier: 1,
        strengths: vec![],
        context_window: 100_000,
        price: None,
        payer: Payer::Key,
        account: "account".into(),
        limits: Limits::default(),
        scripted: false,
    }
}

pub(crate) fn request(prompt: &str, session: SessionUse) -> TurnRequest {
    let long = Duration::from_secs(60);
    TurnRequest {
        prompt: prompt.to_owned(),
        effort: None,
        schema: None,
        session,
        history: vec![],
        directory: PathBuf::from("/work-dir"),
        deadlines: Deadlines { first_event: long, idle: long, total: long },
        caps: Caps::default(),
        cancel: Cancel::default(),
        progress: Arc::new(Silent),
    }
}

pub(crate) fn environment(pairs: &[(&str, &str)]) -> Environment {
    Environment::new(pairs.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))))
}

fn claude(member: &Member, request: &TurnRequest, environment: &Environment) -> Invocation {
    claude::args::invocation(&claude::settings(member).unwrap(), environment, request).unwrap()
}

fn codex(member: &Member, request: &TurnRequest, environment: &Environment) -> Invocation {
    codex::args::invocation(&codex::settings(member).unwrap(), environment, request).unwrap()
}

fn words(invocation: &Invocation) -> Vec<&str> {
    invocation.arguments.iter().map(|argument| argument.to_str().unwrap()).collect()
}

fn seen(invocation: &Invocation) -> BTreeMap<&str, &str> {
    invocation.environment.iter().map(|(name, value)| (name.to_str().unwrap(), value.to_str().unwrap())).collect()
}

#[test]
fn claude_is_started_to_read_and_to_answer_once() {
    let new = SessionUse::New { id: "0e0e".into() };
    let invocation = claude(&member("claude-cli", Some("sonnet"), &[]), &request("hi", new), &environment(&[]));
    let expected = [
        "-p",
        "--output-format=stream-json",
        "--verbose",
        "--model=sonnet",
        "--effort=low",
        "--permission-mode=dontAsk",
        "--strict-mcp-config",
        "--setting-sources=user",
        "--tools=Read,Grep,Glob",
        "--restricted",
        "--session-id=0e0e",
    ];
    assert_eq!(words(&invocation), expected);
    let expected = [
        ("BATON_DEPTH", "1"),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
        ("CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK", "1"),
        ("CLAUDE_CODE_MAX_RETRIES", "0"),
        ("DISABLE_AUTOUPDATER", "1"),
        ("DISABLE_ERROR_REPORTING", "1"),
        ("DISABLE_TELEMETRY", "1"),
    ];
    assert_eq!(seen(&invocation).into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn codex_is_started_to_read_and_to_answer_once() {
    let seat = member("codex-cli", Some("gpt"), &[("config.web_search", "\"disabled\"")]);
    let common = [
        "exec",
        "--json",
        "--skip-git-repo-check",
        "--cd=/work-dir",
        "--sandbox=read-only",
        "--model=gpt",
        "--config=model_reasoning_effort=low",
        "--config=analytics.enabled=false",
        "--config=check_for_update_on_startup=false",
        "--config=features.unbounded_connection_retries=false",
        "--config=features.plugins=false",
        "--config=mcp_servers.baton.command=baton",
        "--config=mcp_servers.baton.enabled=false",
        "--ignore-rules",
        "--config=web_search=\"disabled\"",
    ];
    let of = |session| {
        let invocation = codex(&seat, &request("hi", session), &environment(&[]));
        assert_eq!(invocation.stdin, b"hi");
        words(&invocation).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let with = |end: &[&'static str]| [&common[..], end].concat();
    assert_eq!(of(SessionUse::None), with(&["--ephemeral", "-"]));
    assert_eq!(of(SessionUse::New { id: "ignored".into() }), with(&["-"]));
    assert_eq!(of(SessionUse::Resume { id: "0e0e".into() }), with(&["resume", "0e0e", "-"]));
}

#[test]
fn each_use_of_a_session_has_its_flag() {
    let seat = member("claude-cli", None, &[]);
    let of = |session| {
        let invocation = claude(&seat, &request("hi", session), &environment(&[]));
        words(&invocation).last().map(|word| (*word).to_owned())
    };
    assert_eq!(of(SessionUse::None).as_deref(), Some("--no-session-persistence"));
    assert_eq!(of(SessionUse::New { id: "a-1".into() }).as_deref(), Some("--session-id=a-1"));
    assert_eq!(of(SessionUse::Resume { id: "a-1".into() }).as_deref(), Some("--resume=a-1"));
}

#[test]
fn the_prompt_is_never_an_argument() {
    let prompt = "SECRET-PROMPT --model x\n$(id)";
    let none = environment(&[]);
    for invocation in [
        claude(&member("claude-cli", None, &[]), &request(prompt, SessionUse::None), &none),
        codex(&member("codex-cli", None, &[]), &request(prompt, SessionUse::None), &none),
    ] {
        assert_eq!(invocation.stdin, prompt.as_bytes());
        assert!(words(&invocation).iter().all(|word| !word.contains("SECRET")));
        assert!(seen(&invocation).values().all(|value| !value.contains("SECRET")));
    }
}

#[test]
fn hostile_names_stay_one_value() {
    let name = "--dangerously-skip-permissions -x\n;id";
    let none = environment(&[]);
    let asked = request("hi", SessionUse::None);
    for invocation in [
        claude(&member("claude-cli", Some(name), &[]), &asked, &none),
        codex(&member("codex-cli", Some(name), &[]), &asked, &none),
    ] {
        let with_name: Vec<&str> = words(&invocation).into_iter().filter(|word| word.contains("dangerously")).collect();
        assert_eq!(with_name, [format!("--model={name}")]);
    }
}

#[test]
fn an_id_that_reads_as_an_option_is_refused() {
    for id in ["--dangerously-skip-permissions", "", "a b", "--last", "a\n"] {
        let resume = request("hi", SessionUse::Resume { id: id.into() });
        let new = request("hi", SessionUse::New { id: id.into() });
        let none = environment(&[]);
        let settings = claude::settings(&member("claude-cli", None, &[])).unwrap();
        let refused = |request| claude::args::invocation(&settings, &none, request).unwrap_err().outcome;
        assert_eq!((refused(&resume), refused(&new)), (Outcome::SessionNotFound, Outcome::Rejected));
        let settings = codex::settings(&member("codex-cli", None, &[])).unwrap();
        let refused = codex::args::invocation(&settings, &none, &resume).unwrap_err();
        assert_eq!(refused.outcome, Outcome::SessionNotFound);
    }
}

#[test]
fn the_effort_of_a_request_comes_before_the_seats() {
    let mut asked = request("hi", SessionUse::None);
    asked.effort = Some(Effort::High);
    let invocation = claude(&member("claude-cli", None, &[]), &asked, &environment(&[]));
    assert!(words(&invocation).contains(&"--effort=high"));
    assert!(!words(&invocation).iter().any(|word| word.starts_with("--model")));
}

const CALLER: &[(&str, &str)] = &[
    ("PATH", "/bin"),
    ("HOME", "/home"),
    ("CLAUDECODE", "1"),
    ("CLAUDE_CODE_ENTRYPOINT", "cli"),
    ("CLAUDE_CONFIG_DIR", "/state"),
    ("CODEX_HOME", "/state"),
    ("ANTHROPIC_API_KEY", "key"),
    ("ANTHROPIC_BASE_URL", "http://elsewhere"),
    ("CODEX_API_KEY", "key"),
    ("OPENAI_API_KEY", "key"),
    ("GITHUB_TOKEN", "token"),
    ("BATON_DEPTH", "1"),
];

#[test]
fn the_callers_keys_are_not_handed_on_unasked() {
    let asked = request("hi", SessionUse::None);
    let invocation = claude(&member("claude-cli", None, &[]), &asked, &environment(CALLER));
    let names: Vec<&str> = seen(&invocation).into_keys().filter(|name| !name.contains("DISABLE")).collect();
    assert_eq!(names, ["BATON_DEPTH", "CLAUDE_CODE_MAX_RETRIES", "CLAUDE_CONFIG_DIR", "HOME", "PATH"]);
    assert_eq!(seen(&invocation)["BATON_DEPTH"], "2");
    let invocation = codex(&member("codex-cli", None, &[]), &asked, &environment(CALLER));
    assert_eq!(seen(&invocation).into_keys().collect::<Vec<_>>(), ["BATON_DEPTH", "CODEX_HOME", "HOME", "PATH"]);
}

#[test]
fn what_the_settings_name_is_handed_on() {
    let asked = request("hi", SessionUse::None);
    let settings =
        [("api_key", "pass"), ("inherit", "GITHUB_TOKEN, CLAUDECODE"), ("env.MORE", "1"), ("env.HOME", "/h")];
    let invocation = claude(&member("claude-cli", None, &settings), &asked, &environment(CALLER));
    let seen = seen(&invocation);
    for name in ["ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "GITHUB_TOKEN", "CLAUDECODE"] {
        assert!(seen.contains_key(name), "{name}");
    }
    assert_eq!((seen["MORE"], seen["HOME"]), ("1", "/h"));
    assert!(!seen.contains_key("CODEX_API_KEY"));
}

#[test]
fn the_depth_cannot_be_set_back() {
    let seat = member("codex-cli", None, &[("env.BATON_DEPTH", "0")]);
    let invocation = codex(&seat, &request("hi", SessionUse::None), &environment(CALLER));
    assert_eq!(seen(&invocation)["BATON_DEPTH"], "2");
}

#[test]
fn settings_that_are_not_known_are_refused() {
    let refused = |kind: &str, name: &str, value: &str| {
        let seat = member(kind, None, &[(name, value)]);
        match kind {
            "claude-cli" => claude::settings(&seat).unwrap_err().to_string(),
            _ => codex::settings(&seat).unwrap_err().to_string(),
        }
    };
    assert_eq!(refused("claude-cli", "modle", "x"), "setting `modle`: is not known to this kind of channel");
    for (kind, name, value) in [
        ("claude-cli", "permission_mode", "bypassPermissions"),
        ("claude-cli", "config.model", "x"),
        ("claude-cli", "api_key", "sk-in-a-file"),
        ("claude-cli", "env.", "x"),
        ("claude-cli", "env.A=B", "x"),
        ("claude-cli", "tools", "a\0b"),
        ("codex-cli", "sandbox", "danger-full-access"),
        ("codex-cli", "user_config", "yes"),
        ("codex-cli", "config", "x"),
        ("codex-cli", "config.a=b", "x"),
        ("codex-cli", "tools", "Read"),
    ] {
        assert!(refused(kind, name, value).starts_with(&format!("setting `{name}`")), "{kind} {name}");
    }
}
