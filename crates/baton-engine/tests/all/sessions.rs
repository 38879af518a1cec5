//! Conversations with one member that last over several runs.

use baton_core::ids::SessionName;
use baton_core::outcome::Outcome;
use baton_core::run::{Event, Inputs, SessionStart, SessionState};
use baton_port::{Exchange, SessionUse, Turn};

use super::house::{House, approves, check, ends, id, inputs, verdict};
use super::panel::{Asked, Does};

fn consult(workspace: Option<&str>) -> Inputs {
    let mut inputs = inputs(&["a", "b"]);
    inputs.named = vec![id("a")];
    inputs.session = Some(SessionName::parse("auth").unwrap());
    inputs.task.workspace = workspace.map(str::to_owned);
    inputs
}

fn with_provider(_: &Asked) -> Does {
    Does::SaysInSession(verdict("approve"), "thread-9")
}

#[tokio::test]
async fn a_second_consult_goes_on_in_the_providers_conversation() {
    let house = House::new(with_provider);
    house.run(consult(None)).await;
    house.run(consult(None)).await;
    let asked = house.panel.asked();
    assert!(matches!(asked[0].session, SessionUse::New { .. }));
    assert_eq!(asked[1].session, SessionUse::Resume { id: "thread-9".into() });
    let name = SessionName::parse("auth").unwrap();
    let turns = house.engine("one").session(&id("a"), &name).await.unwrap();
    assert_eq!(turns.len(), 2);
    assert_eq!((turns[0].provider.as_deref(), turns[0].directory.as_str()), (Some("thread-9"), "/scratch"));
    assert!(house.engine("one").session(&id("b"), &name).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_member_that_keeps_nothing_is_told_what_was_said() {
    let house = House::new(approves);
    house.run(consult(None)).await;
    house.run(consult(None)).await;
    let asked = house.panel.asked();
    assert!(asked[0].history.is_empty());
    assert!(matches!(asked[1].session, SessionUse::New { .. }));
    assert_eq!(asked[1].history, [Exchange { prompt: asked[0].prompt.clone(), answer: verdict("approve") }]);
}

/// What was said about one project was sent along with another one.
#[tokio::test]
async fn another_directory_is_another_conversation() {
    for script in [approves as fn(&Asked) -> Does, with_provider] {
        let house = House::new(script);
        house.run(consult(Some("/one"))).await;
        house.run(consult(Some("/two"))).await;
        house.run(consult(Some("/one"))).await;
        let asked = house.panel.asked();
        assert!(matches!(asked[1].session, SessionUse::New { .. }));
        assert!(asked[1].history.is_empty());
        assert_eq!(asked[2].history.len(), 1, "and the first one is still there");
    }
}

#[tokio::test]
async fn a_run_without_a_session_uses_none_and_a_failed_turn_is_no_part_of_one() {
    let house = House::new(|asked: &Asked| match asked.before {
        0 => Does::Fails(Outcome::Refused),
        _ => with_provider(asked),
    });
    house.run(consult(None)).await;
    house.run(Inputs { session: None, ..consult(None) }).await;
    house.run(consult(None)).await;
    let asked = house.panel.asked();
    assert_eq!(asked[1].session, SessionUse::None);
    assert!(matches!(asked[2].session, SessionUse::New { .. }));
    assert!(asked[2].history.is_empty());
}

/// It was asked for again and again, and the conversation's name could not be used any more.
#[tokio::test]
async fn a_conversation_that_the_member_lost_is_begun_anew_and_that_is_said() {
    let house = House::new(|asked: &Asked| match &asked.session {
        SessionUse::Resume { id } if id == "thread-9" => Does::Fails(Outcome::SessionNotFound),
        _ if asked.before == 0 => with_provider(asked),
        _ => Does::SaysInSession(verdict("approve"), "thread-10"),
    });
    house.run(consult(None)).await;
    let (run, _) = house.run(consult(None)).await;
    assert_eq!(ends(&house.events(&run).await), ["0.0 session not found", "0.1 ok"], "in the same run");
    let begun = sessions(&house.events(&run).await);
    assert_eq!((begun[0].state, begun[1].state), (SessionState::Resumed, SessionState::New));
    assert!(begun[1].because.is_some(), "never silently anew");
    assert_eq!(begun[1].handed_on, 1);
    house.check(&run).await;
    house.run(consult(None)).await;
    let asked = house.panel.asked();
    assert!(matches!(asked[2].session, SessionUse::New { .. }));
    assert!(asked[2].history.is_empty(), "the old turns are told as a quotation, and only so");
    assert!(asked[2].prompt.contains("It is quoted here as data") && asked[2].prompt.ends_with(&asked[0].prompt));
    assert!(asked[2].prompt.contains(&asked[0].prompt[..40]) && asked[2].prompt.contains("I looked at it."));
    assert_eq!(asked[3].session, SessionUse::Resume { id: "thread-10".into() });
    assert_eq!(asked[3].prompt, asked[0].prompt, "it was told once");
}

fn sessions(events: &[Event]) -> Vec<SessionStart> {
    let session = |event: &Event| match event {
        Event::StepStarted { session, .. } => session.clone(),
        _ => None,
    };
    events.iter().filter_map(session).collect()
}

#[tokio::test]
async fn in_another_directory_it_is_new_and_is_told_of_the_old_one_with_the_reason() {
    let house = House::new(approves);
    house.run(consult(Some("/one"))).await;
    let (run, _) = house.run(consult(Some("/two"))).await;
    let begun = &sessions(&house.events(&run).await)[0];
    assert_eq!((begun.state, begun.handed_on), (SessionState::New, 1));
    assert_eq!(begun.because.as_deref(), Some("it was held in /one"));
    house.run(consult(Some("/two"))).await;
    let asked = house.panel.asked();
    assert!(asked[1].prompt.contains("(it was held in /one)"));
    assert_eq!(asked[2].history[0].prompt, asked[1].prompt, "a member that keeps nothing is told the quotation again");
    assert_eq!(asked[2].prompt, asked[0].prompt);
    let turns = house.engine("two").session(&id("a"), &SessionName::parse("auth").unwrap()).await.unwrap();
    assert!(turns[1].sent.is_some() && turns[1].prompt == turns[0].prompt, "quotations are not quoted again");
}

#[tokio::test]
async fn where_the_program_keeps_its_conversations_binds_them() {
    let house = House::new(with_provider);
    for configuration in ["/home/one", "/home/one", "/home/two"] {
        house.panel.keep_conversations_in(configuration);
        house.run(consult(None)).await;
    }
    let asked = house.panel.asked();
    assert!(matches!(asked[1].session, SessionUse::Resume { .. }));
    assert!(matches!(asked[2].session, SessionUse::New { .. }));
    assert!(asked[2].prompt.contains("its program kept it in /home/one, and now uses /home/two"));
}

#[tokio::test]
async fn another_version_that_cannot_read_the_conversation_begins_a_new_one() {
    let by = |version: &str, outcome: Outcome| {
        let mut turn = Turn::failed(outcome.clone(), "unknown format");
        turn.text = outcome.is_ok().then(|| verdict("approve"));
        turn.provenance.program_version = Some(version.into());
        turn.provenance.session = Some("thread-1".into());
        Does::Returns(Box::new(turn))
    };
    let house = House::new(move |asked: &Asked| match (asked.before, &asked.session) {
        (0, _) => by("1.0", Outcome::Ok),
        (_, SessionUse::Resume { .. }) => by("2.0", Outcome::Rejected),
        _ => by("2.0", Outcome::Ok),
    });
    house.run(consult(None)).await;
    let (run, _) = house.run(consult(None)).await;
    assert_eq!(ends(&house.events(&run).await), ["0.0 session not found", "0.1 ok"]);
    let because = sessions(&house.events(&run).await)[1].because.clone().unwrap();
    assert!(because.starts_with("version 2.0 cannot go on with what version 1.0 kept"), "{because}");
}

#[tokio::test]
async fn a_handover_takes_the_conversation_along_and_brings_it_back() {
    let house = House::new(|asked: &Asked| match (asked.member.id.as_str(), asked.before) {
        ("a", 1) => Does::Fails(Outcome::QuotaExhausted),
        ("a", _) => Does::SaysInSession(verdict("approve"), "of-a"),
        _ => Does::SaysInSession(verdict("revise"), "of-b"),
    });
    let with_rule = || {
        let mut inputs = consult(None);
        inputs.handover.as_mut().unwrap().rules = [(id("a"), vec![id("b")])].into();
        inputs
    };
    house.run(with_rule()).await;
    let (run, _) = house.run(with_rule()).await;
    assert_eq!(ends(&house.events(&run).await), ["0.0 quota used up", "0.1 ok"]);
    let begun = sessions(&house.events(&run).await);
    assert_eq!((begun[1].from.clone(), begun[1].handed_on), (Some(id("a")), 1));
    house.clock.advance(std::time::Duration::from_millis(3_600_000));
    let (run, _) = house.run(with_rule()).await;
    let back = &sessions(&house.events(&run).await)[0];
    assert_eq!((back.state, back.from.clone(), back.handed_on), (SessionState::Resumed, Some(id("b")), 1));
    let asked = house.panel.asked();
    assert_eq!(house.panel.names(), ["a", "a", "b", "a"]);
    assert!(asked[2].prompt.contains("it was held with a") && asked[2].prompt.contains("approve"));
    assert!(asked[3].prompt.contains("it was held with b") && asked[3].prompt.contains("revise"));
    assert_eq!(asked[3].session, SessionUse::Resume { id: "of-a".into() });
}

/// Between the two a crash left a turn that was paid for out of its conversation.
#[tokio::test]
async fn the_turn_of_a_conversation_is_in_the_commit_of_the_answer() {
    let house = House::new(with_provider);
    let journal = std::sync::Arc::new(super::tap::Tap::new(house.store.clone()));
    let engine = house.engine_on("one", journal.clone());
    house.run_on(&engine, consult(None), &baton_port::Cancel::default()).await.unwrap();
    let answered = journal.written().into_iter().find(|kinds| kinds.contains(&"step_finished")).unwrap();
    assert_eq!(answered, ["step_finished", "opinion_read", "decided", "session_turn"]);
}

#[tokio::test]
async fn a_check_has_no_conversation() {
    let house = House::new(super::house::but(&[("tests", Does::Finds(baton_core::evidence::CheckResult::Passed, ""))]));
    let mut inputs = consult(None);
    inputs.members.push(check("tests"));
    house.run(inputs).await;
    let asked = house.panel.asked().into_iter().find(|asked| asked.member.is_check()).unwrap();
    assert_eq!(asked.session, SessionUse::None);
}
