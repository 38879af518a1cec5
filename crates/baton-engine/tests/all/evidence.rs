//! What was run is told to those who argue about a claim: quoted, in bounds, and without names.

use baton_core::evidence::CheckResult;
use baton_core::member::{Member, Nature};
use baton_core::run::Inputs;

use super::house::{House, check, escalating, inputs, verdict};
use super::panel::{Asked, Does, said};
use super::prompts::{HOSTILE, opened};

const CLAIM: &str = "the second writer reads a stale entry and its update is lost";

/// `a` rejects for a finding that `b` denies; `c` approves and writes the test.
fn split(asked: &Asked) -> Does {
    let finding = |stance: &str| {
        format!(
            "{{\"file\": \"src/main.rs\", \"line\": 1, \"severity\": \"high\", \"claim\": \"{CLAIM}\", \"stance\": \"{stance}\"}}"
        )
    };
    let says = |word: &str, stance: &str| {
        let findings = format!("\"findings\": [{}]", finding(stance));
        Does::Says(verdict(word).replace("\"findings\": []", &findings))
    };
    match asked.member.id.as_str() {
        _ if asked.prompt.starts_with("DISPUTE") => Does::Says("I cannot tell.".into()),
        "a" => says("reject", "holds"),
        "b" => says("approve", "does_not_hold"),
        _ if asked.prompt.starts_with("TEST") => Does::Says(written(&asked.prompt)),
        _ => Does::Says(verdict("approve")),
    }
}

/// A test with the name that was asked for.
fn written(prompt: &str) -> String {
    let name = prompt.rsplit("NAME ").next().unwrap().trim();
    format!("```diff\n--- /dev/null\n+++ b/tests/claim.sh\n@@ -0,0 +1 @@\n+echo {name}\n```")
}

fn runner() -> Member {
    Member { nature: Nature::Reproduction, ..check("runner") }
}

/// What the sides and the arbiter were sent.
async fn told(extra: Vec<Member>, script: impl Fn(&Asked) -> Does + Send + Sync + 'static) -> Vec<Asked> {
    let house = House::new(script);
    let mut asked = Inputs { workflow: escalating(), ..inputs(&["a", "b", "c", "d"]) };
    asked.members.extend(extra);
    let (run, _) = house.run(asked).await;
    house.check(&run).await;
    house.panel.asked().into_iter().filter(|asked| asked.prompt.starts_with("DISPUTE")).collect()
}

/// The texts that are quoted as what was run.
fn ran(prompt: &str) -> Vec<(String, String)> {
    let is_run = |(label, _): &(String, String)| label.starts_with("a check") || label.starts_with("a test");
    opened(prompt).0.into_iter().filter(is_run).collect()
}

#[tokio::test]
async fn a_check_that_settled_nothing_is_told_to_both_sides_and_the_arbiter() {
    let finds = |result: CheckResult| {
        move |asked: &Asked| match asked.member.id.as_str() {
            "tests" => Does::Finds(result.clone(), "5 passed"),
            _ => split(asked),
        }
    };
    for (result, text) in [
        (CheckResult::Passed, "`run the tests` passes\n5 passed"),
        (CheckResult::Abstained { reason: "no network".into() }, "`run the tests` says nothing: no network"),
    ] {
        let prompts = told(vec![check("tests")], finds(result)).await;
        assert!(prompts.len() > 4, "both sides of two claims, and an arbiter: {}", prompts.len());
        for asked in prompts {
            let quoted = ran(&asked.prompt);
            assert_eq!(quoted, [("a check of the files as they are".to_owned(), text.to_owned())]);
        }
    }
    let prompts = told(vec![], split).await;
    assert!(!prompts.is_empty() && prompts.iter().all(|asked| !asked.prompt.contains("What was run")));
}

#[tokio::test]
async fn a_test_that_settled_nothing_is_told_with_its_text_to_those_who_argue_about_its_claim() {
    for (result, outcome) in [
        (CheckResult::Passed, "`run the tests` with that test passes\nThe test:\n"),
        (
            CheckResult::Abstained { reason: "it failed once and passed once".into() },
            "`run the tests` with that test says nothing: it failed once and passed once\nThe test:\n",
        ),
        (
            CheckResult::Abstained { reason: "the sandbox could not be built: PRINTED".into() },
            "`run the tests` with that test says nothing\nThe test:\n",
        ),
    ] {
        let script = move |asked: &Asked| match asked.member.id.as_str() {
            "runner" => {
                let mut turn = said("+++ b/tests/claim.sh\n+one\n".repeat(400), None);
                turn.usage = None;
                let output = "test one ... ok PRINTED";
                turn.evidence = Some(baton_core::evidence::read(result.clone(), "run the tests", output));
                Does::Returns(Box::new(turn))
            }
            _ => split(asked),
        };
        let prompts = told(vec![runner()], script).await;
        let (about, other): (Vec<Asked>, Vec<Asked>) =
            prompts.into_iter().partition(|asked| opened(&asked.prompt).0[0].1.contains(CLAIM));
        assert!(about.len() >= 2 && !other.is_empty(), "{} and {}", about.len(), other.len());
        for asked in &about {
            let quoted = ran(&asked.prompt);
            assert_eq!((quoted.len(), quoted[0].0.contains("takes no side")), (1, true));
            assert!(quoted[0].1.starts_with(outcome), "{quoted:?}");
            assert!(quoted[0].1.ends_with("[the rest is left out]") && quoted[0].1.len() < 5_000);
            assert!(!opened(&asked.prompt).1.contains("runner") && !quoted[0].1.contains("c-vendor"), "without names");
            assert!(!asked.prompt.contains("PRINTED"), "what a test printed may be anything that the user can read");
        }
        assert!(other.iter().all(|asked| ran(&asked.prompt).is_empty()), "it says nothing of another claim");
    }
}

#[tokio::test]
async fn what_a_check_prints_stays_in_its_envelope() {
    for payload in HOSTILE {
        let script = move |asked: &Asked| match asked.member.id.as_str() {
            "tests" => Does::Finds(CheckResult::Passed, payload),
            _ => split(asked),
        };
        let prompts = told(vec![check("tests")], script).await;
        assert!(!prompts.is_empty());
        for asked in prompts {
            let (_, outside) = opened(&asked.prompt);
            assert!(!outside.contains("EVIL"), "{payload:?}: {outside}");
            assert_eq!(outside.matches("Say which.").count(), 1);
            assert!(!asked.prompt.contains('\u{1b}') && !asked.prompt.contains('\u{202e}'));
        }
    }
}
