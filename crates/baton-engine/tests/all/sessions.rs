//! Conversations with one member that last over several runs.

use baton_core::ids::SessionName;
use baton_core::outcome::Outcome;
use baton_core::run::Inputs;
use baton_port::{Exchange, SessionUse};

use super::house::{House, approves, check, id, inputs, verdict};
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
    let (_, lost) = house.run(consult(None)).await;
    assert_eq!(lost.decision.unwrap().failed_models[0].class, "session not found", "never silently anew");
    house.run(consult(None)).await;
    house.run(consult(None)).await;
    let asked = house.panel.asked();
    assert!(matches!(asked[2].session, SessionUse::New { .. }));
    assert_eq!(asked[3].session, SessionUse::Resume { id: "thread-10".into() });
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
