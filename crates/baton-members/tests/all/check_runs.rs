//! Checks: what they are started with, and what their ends mean.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use baton_core::evidence::{CheckResult, Place};
use baton_core::ids::MemberId;
use baton_core::member::{ChannelSpec, Limits, Member, Nature, Payer};
use baton_core::outcome::Outcome;
use baton_members::check::{CheckChannel, CheckError};
use baton_members::cli::Environment;
use baton_port::{
    Availability, Cancel, Caps, Channel, Deadlines, Progress, ProgressSink, SessionUse, Turn, TurnRequest,
};
use baton_process::Launcher;
use tempfile::TempDir;

const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

fn member(settings: &[(&str, &str)]) -> Member {
    let settings: BTreeMap<_, _> = settings.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Member {
        id: MemberId::parse("check").unwrap(),
        nature: Nature::Check,
        vendor: "local".into(),
        family: "check".into(),
        channel: ChannelSpec { kind: "check".into(), settings },
        model: None,
        effort: None,
        tier: 1,
        strengths: vec![],
        context_window: 0,
        price: None,
        payer: Payer::Local,
        account: "local".into(),
        limits: Limits::default(),
        scripted: false,
    }
}

fn build(settings: &[(&str, &str)]) -> Result<CheckChannel, CheckError> {
    let variables = [
        ("PATH", PATH),
        ("HOME", "/nowhere"),
        ("OPENAI_API_KEY", "secret"),
        ("HTTPS_PROXY", "http://me:secret@proxy"),
        ("XDG_RUNTIME_DIR", "/run/user/1"),
        ("CARGO_HOME", "/cargo"),
    ];
    let environment = Environment::new(variables.map(|(name, value)| (OsString::from(name), OsString::from(value))));
    CheckChannel::new(&member(settings), Launcher::without_shim(), environment)
}

#[derive(Default)]
struct Quiet;

impl ProgressSink for Quiet {
    fn report(&self, _: Progress) {}
}

fn request(directory: &Path) -> TurnRequest {
    let long = Duration::from_secs(20);
    TurnRequest {
        prompt: "ignored".into(),
        effort: None,
        schema: None,
        session: SessionUse::None,
        history: vec![],
        directory: directory.to_owned(),
        deadlines: Deadlines { first_event: Duration::ZERO, idle: Duration::ZERO, total: long },
        caps: Caps { total: 64 << 10, line: 100 },
        cancel: Cancel::default(),
        progress: Arc::new(Quiet),
    }
}

/// Runs a script with the shell, in a folder of its own.
async fn shell(script: &str, more: &[(&str, &str)], change: impl FnOnce(&mut TurnRequest)) -> Turn {
    let folder = TempDir::new().unwrap();
    let mut settings = vec![("program", "sh"), ("arg.0", "-c"), ("arg.1", script)];
    settings.extend(more);
    let mut request = request(folder.path());
    change(&mut request);
    build(&settings).unwrap().turn(&request).await
}

fn result(turn: &Turn) -> &CheckResult {
    &turn.evidence.as_ref().unwrap().result
}

fn reason(turn: &Turn) -> &str {
    match result(turn) {
        CheckResult::Abstained { reason } => reason,
        other => panic!("{other:?} is a result"),
    }
}

fn printed(turn: &Turn) -> String {
    String::from_utf8(turn.transcript.bytes.clone()).unwrap()
}

#[tokio::test]
async fn the_exit_code_is_the_result() {
    let passed = shell("echo all good", &[], |_| {}).await;
    assert_eq!((&passed.outcome, result(&passed), passed.detail.as_str()), (&Outcome::Ok, &CheckResult::Passed, ""));
    assert_eq!(passed.text, None);
    let failed = shell("echo one; echo 'error at src/a.rs:7:1' >&2; exit 3", &[], |_| {}).await;
    assert_eq!((&failed.outcome, result(&failed)), (&Outcome::Ok, &CheckResult::Failed));
    let evidence = failed.evidence.as_ref().unwrap();
    assert_eq!(evidence.places, [Place { file: "src/a.rs".into(), line: 7 }]);
    assert!(evidence.command.starts_with("sh -c echo one"), "{}", evidence.command);
    assert_eq!(printed(&failed), "one\n[standard error]\nerror at src/a.rs:7:1\n");
    assert!(failed.provenance.program.unwrap().ends_with("/sh"));
}

#[tokio::test]
async fn a_program_that_is_not_there_abstains_and_the_turn_is_good() {
    let folder = TempDir::new().unwrap();
    for (settings, name) in [
        (vec![("program", "no-such-tool")], "no-such-tool"),
        (vec![("command", "no-such-tool --all")], "no-such-tool"),
        (vec![("program", "/nowhere/tool")], "/nowhere/tool"),
        (vec![("program", "sh"), ("abstain_without", "sh, other-tool")], "other-tool"),
    ] {
        let channel = build(&settings).unwrap();
        let turn = channel.turn(&request(folder.path())).await;
        assert_eq!(turn.outcome, Outcome::Ok);
        assert!(reason(&turn).contains(name) && turn.detail.contains(name), "{turn:?}");
        assert!(matches!(channel.probe().await, Availability::NotReady { because, .. } if because.contains(name)));
    }
    assert_eq!(build(&[("program", "sh")]).unwrap().probe().await, Availability::Ready { version: None });
}

#[tokio::test]
async fn what_could_not_do_its_work_abstains() {
    let turn = shell("no-such-tool", &[], |_| {}).await;
    assert_eq!(turn.outcome, Outcome::Ok);
    assert_eq!(reason(&turn), "it exited with 127: a program could not be run");
    let turn =
        shell("echo \"attempting to make an HTTP request, but --offline was specified\" >&2; exit 101", &[], |_| {});
    let turn = turn.await;
    assert_eq!((&turn.outcome, reason(&turn)), (&Outcome::Ok, "it would have needed the network"));
}

#[tokio::test]
async fn a_check_that_did_not_end_by_itself_abstains_and_the_turn_is_good() {
    let late =
        shell("echo begun; exec sleep 600", &[], |request| request.deadlines.total = Duration::from_millis(200)).await;
    assert_eq!(late.outcome, Outcome::Ok);
    assert!(reason(&late).contains("too long"));
    let loud = shell("yes", &[], |request| request.caps.total = 1_000).await;
    assert_eq!(loud.outcome, Outcome::Ok);
    assert!(loud.transcript.cut && loud.transcript.bytes.len() <= 1_000 && reason(&loud).contains("more than allowed"));
    let killed = shell("kill -SEGV $$", &[], |_| {}).await;
    assert_eq!((&killed.outcome, reason(&killed)), (&Outcome::Ok, "it was ended by signal 11"));
    let nowhere = shell("true", &[], |request| request.directory = "/nowhere".into()).await;
    assert_eq!(nowhere.outcome, Outcome::Ok);
    assert!(reason(&nowhere).contains("/nowhere"));
}

#[tokio::test]
async fn cancelling_stops_it() {
    let before = shell("true", &[], |request| request.cancel.request()).await;
    assert_eq!(before.outcome, Outcome::Cancelled);
    let folder = TempDir::new().unwrap();
    let request = request(folder.path());
    let channel = build(&[("program", "sleep"), ("arg.0", "600")]).unwrap();
    let (turn, ()) = tokio::join!(channel.turn(&request), async { request.cancel.request() });
    assert_eq!(turn.outcome, Outcome::Cancelled);
    assert!(matches!(result(&turn), CheckResult::Abstained { .. }));
}

#[tokio::test]
async fn it_sees_its_directory_its_variables_and_nothing_else() {
    let turn = shell("env; pwd; cat", &[("env.EXTRA", "1")], |_| {}).await;
    assert_eq!(*result(&turn), CheckResult::Passed, "the input is at its end: {turn:?}");
    let printed = printed(&turn);
    let names: Vec<_> = printed.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    for wanted in
        ["PATH", "HOME", "CARGO_HOME", "TERM", "CARGO_TERM_COLOR", "CARGO_NET_OFFLINE", "BATON_DEPTH", "EXTRA"]
    {
        assert!(names.contains(&wanted), "{wanted} of {names:?}");
    }
    // What a shell sets by itself.
    let own = ["PWD", "SHLVL", "_", "OLDPWD"];
    assert_eq!(names.iter().filter(|name| !own.contains(name)).count(), 8, "{names:?}");
    assert!(!printed.contains("secret"));
}

#[tokio::test]
async fn a_private_target_directory_is_there_and_goes_away() {
    let turn =
        shell("test -d \"$CARGO_TARGET_DIR\" && echo $CARGO_TARGET_DIR", &[("target_dir", "private")], |_| {}).await;
    assert_eq!(*result(&turn), CheckResult::Passed);
    assert!(!Path::new(printed(&turn).trim()).exists());
    let turn = shell("echo $CARGO_TARGET_DIR", &[("target_dir", "/somewhere/else")], |_| {}).await;
    assert_eq!(printed(&turn), "/somewhere/else\n");
}

#[tokio::test]
async fn arguments_arrive_as_they_are() {
    let folder = TempDir::new().unwrap();
    let print = "printf";
    for settings in [
        vec![("program", print), ("arg.0", "%s|"), ("arg.1", "a b"), ("arg.2", "$HOME")],
        vec![("program", print), ("args", r#"["%s|", "a b", "$HOME"]"#)],
    ] {
        let turn = build(&settings).unwrap().turn(&request(folder.path())).await;
        assert_eq!(printed(&turn), "a b|$HOME|", "{turn:?}");
    }
    let turn = build(&[("command", "printf  %s| a 'b'")]).unwrap().turn(&request(folder.path())).await;
    assert_eq!(printed(&turn), "a|'b'|");
}

#[test]
fn arguments_are_counted_as_numbers() {
    let names: Vec<String> = (0..12).map(|index| format!("arg.{index}")).collect();
    let mut settings = vec![("program", "sh")];
    settings.extend(names.iter().map(|name| (name.as_str(), "x")));
    assert!(build(&settings).is_ok());
    settings.remove(3);
    assert_eq!(build(&settings).unwrap_err(), CheckError::Gap(2));
}

#[test]
fn wrong_settings_are_named() {
    let error = |settings: &[(&str, &str)]| build(settings).unwrap_err().to_string();
    assert_eq!(build(&[]).unwrap_err(), CheckError::NoProgram);
    assert_eq!(build(&[("command", "  ")]).unwrap_err(), CheckError::NoProgram);
    assert_eq!(build(&[("program", "sh"), ("shell", "1")]).unwrap_err(), CheckError::Unknown("shell".into()));
    assert_eq!(build(&[("program", "sh"), ("arg.x", "1")]).unwrap_err(), CheckError::Unknown("arg.x".into()));
    assert!(error(&[("program", "./check.sh")]).contains("`program`"));
    assert!(error(&[("program", "../sh")]).contains("`program`"));
    assert!(error(&[("program", "sh"), ("args", "-c")]).contains("no JSON list"));
    assert!(error(&[("program", "sh"), ("target_dir", "target")]).contains("absolute"));
    assert!(error(&[("program", "sh"), ("arg.0", "a\0")]).contains("zero byte"));
    assert!(error(&[("program", "sh"), ("command", "sh")]).contains("both"));
    assert!(error(&[("program", "sh"), ("args", "[]"), ("arg.0", "a")]).contains("both"));
}
