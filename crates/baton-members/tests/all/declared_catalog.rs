//! Every declared member of the catalogue can be asked as it is described.

use std::collections::BTreeSet;

use baton_core::member::{Effort, Member};
use baton_members::cli::declared::{Declaration, args};
use baton_members::cli::{DeclaredChannel, Invocation};
use baton_port::{SessionUse, TurnRequest};
use baton_process::Launcher;
use serde::Deserialize;

use crate::cli_args::{environment, request};

#[derive(Deserialize)]
struct File {
    member: Vec<Member>,
}

/// The seats of the catalogue that are reached through a declaration.
pub(crate) fn declared() -> Vec<Member> {
    let file: File = toml::from_str(include_str!("../../../../catalog/members.toml")).unwrap();
    let members: Vec<Member> = file.member.into_iter().filter(|member| member.channel.kind == "cli").collect();
    assert!(members.len() >= 6, "{}", members.len());
    members
}

pub(crate) fn seat(id: &str) -> Member {
    declared().into_iter().find(|member| member.id.as_str() == id).unwrap()
}

fn invocation(member: &Member, request: &TurnRequest) -> Invocation {
    let declaration = Declaration::read(member).unwrap();
    args::invocation(&declaration, &environment(&[("PATH", "/bin")]), request, None).unwrap()
}

fn words(member: &Member, request: &TurnRequest) -> Vec<String> {
    invocation(member, request).arguments.iter().map(|word| word.to_str().unwrap().to_owned()).collect()
}

fn uses() -> [SessionUse; 3] {
    [SessionUse::None, SessionUse::New { id: "id-1".into() }, SessionUse::Resume { id: "id-1".into() }]
}

#[test]
fn every_record_opens_and_its_arguments_hold_no_gap_and_no_prompt() {
    for member in declared() {
        let launcher = Launcher::without_shim();
        DeclaredChannel::new(&member, launcher, environment(&[]))
            .unwrap_or_else(|error| panic!("{}: {error}", member.id));
        for (model, effort) in [(None, None), (Some("m"), Some(Effort::High))] {
            for session in uses() {
                let mut asked = request("SECRET-PROMPT", session);
                asked.effort = effort;
                asked.history = vec![baton_port::Exchange { prompt: "SECRET-OLD".into(), answer: "yes".into() }];
                let member = Member { model: model.map(str::to_owned), ..member.clone() };
                let invocation = invocation(&member, &asked);
                assert!(String::from_utf8_lossy(&invocation.stdin).contains("SECRET-PROMPT"), "{}", member.id);
                let values = invocation.environment.into_values();
                for word in invocation.arguments.into_iter().chain(values) {
                    let word = word.into_string().unwrap();
                    assert!(!word.contains("SECRET") && !word.contains('{'), "{}: {word}", member.id);
                }
            }
        }
    }
}

#[test]
fn no_record_takes_a_setting_that_is_not_known() {
    for mut member in declared() {
        member.channel.settings.insert("txet".into(), "x".into());
        let error = Declaration::read(&member).unwrap_err().to_string();
        assert_eq!(error, "setting `txet`: is not known to this kind of channel");
    }
}

/// What would write or run commands is switched off in each of them, in its own words.
#[test]
fn the_seats_are_started_to_read() {
    let switches = [
        ("gemini-cli", vec!["--approval-mode=plan"]),
        ("copilot", vec!["--deny-tool=shell", "--deny-tool=write"]),
        ("cursor", vec!["--mode=ask"]),
        ("opencode", vec!["--agent=plan"]),
        ("qwen-code", vec!["--approval-mode=plan"]),
    ];
    for (id, wanted) in switches {
        let given: BTreeSet<String> = words(&seat(id), &request("hi", SessionUse::None)).into_iter().collect();
        assert!(wanted.iter().all(|word| given.contains(*word)), "{id}: {given:?}");
        assert!(!given.contains("--yolo") && !given.contains("--force") && !given.contains("--auto"), "{id}");
    }
}

/// In a directory that it trusts Gemini CLI starts what the project's settings name: the trust is the user's to give.
#[test]
fn no_seat_trusts_a_directory_by_itself() {
    let settings = seat("gemini-cli").channel.settings;
    assert!(!settings.keys().any(|name| name.contains("TRUST")), "{settings:?}");
    assert!(!settings.values().any(|value| value.contains("--skip-trust")), "{settings:?}");
}

#[test]
fn sessions_have_their_flags() {
    let of = |id: &str, session| words(&seat(id), &request("hi", session)).pop().unwrap();
    for id in ["gemini-cli", "copilot"] {
        let [none, new, resume] = uses().map(|session| of(id, session));
        assert!(!none.contains("session"), "{id}: {none}");
        assert_eq!((new.as_str(), resume.as_str()), ("--session-id=id-1", "--resume=id-1"), "{id}");
    }
    let [none, new, resume] = uses().map(|session| of("qwen-code", session));
    assert_eq!((none, resume.as_str()), (new, "--resume=id-1"), "it refuses ids of ours");
    assert_eq!(of("cursor", uses()[2].clone()), "--resume=id-1");
    assert_eq!(of("opencode", uses()[2].clone()), "--session=id-1");
}
