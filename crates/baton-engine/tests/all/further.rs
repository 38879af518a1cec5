//! Inputs and members for what comes after the first wave: later seats, trials, tests of claims, disputes, a gate.

use baton_core::evidence::{CheckResult, Evidence, Fit, Trial, TrialCheck};
use baton_core::member::{Member, Nature};
use baton_core::outcome::Outcome;
use baton_core::run::Inputs;
use baton_core::task::{Priority, Question};
use baton_core::workflow::{Act, Artefact, When, Who, Workflow};
use baton_port::Turn;

use super::house::{ask, check, gate, id, inputs, node, seat, workflow};
use super::panel::{Asked, Does};

/// The nodes of the workflow `ask` of the catalogue.
pub(crate) fn whole() -> Workflow {
    let about = |who, template: &str, what| ask(who, template, &[Artefact::Attachments, what], false);
    let opinion = |who| ask(who, "opinion", &[Artefact::Attachments], false);
    let nodes = vec![
        node("panel", When::Always, opinion(Who::Team)),
        node("checks", When::Checks, Act::Check),
        node("try", When::Always, Act::Try),
        node("further", When::WorthAsking, opinion(Who::Further)),
        node("try-further", When::Always, Act::Try),
        node("decide", When::Always, Act::Decide),
        node("tests", When::Always, about(Who::Testers, "reproduction", Artefact::Claim)),
        node("run-tests", When::Always, Act::Reproduce),
        node("after-the-tests", When::Tested, Act::Decide),
        node("sides", When::Conflict, about(Who::Sides, "dispute", Artefact::Dispute)),
        node("after-the-sides", When::Conflict, Act::Decide),
        node("arbiter", When::Conflict, about(Who::Arbiter, "dispute", Artefact::Dispute)),
        node("after-the-arbiter", When::Conflict, Act::Decide),
        node("person", When::NeedsPerson, gate(&["approve", "reject"])),
    ];
    workflow("whole", nodes)
}

fn on(question: Question, members: &[&str]) -> Inputs {
    let mut inputs = Inputs { workflow: whole(), ..inputs(members) };
    inputs.task.hints.question = Some(question);
    inputs
}

fn verdict(reason: &str, verdict: &str, findings: &str) -> Does {
    Does::Says(format!("{reason}\n\n```json\n{{\"verdict\": \"{verdict}\", \"findings\": [{findings}]}}\n```\n"))
}

fn side(label: &str) -> Does {
    Does::Says(format!("Seen.\n\n```json\n{{\"choice\": \"{label}\"}}\n```\n"))
}

fn is_dispute(asked: &Asked) -> bool {
    asked.prompt.starts_with("DISPUTE")
}

/// A first wave that is split, a later seat, both sides, an arbiter.
pub(crate) fn disputed() -> Inputs {
    on(Question::Verdict, &["a", "b", "c", "d", "e"])
}

/// The sides stand firm, and the arbiter finds for the one that rejects.
pub(crate) fn disputing(asked: &Asked) -> Does {
    let (fine, broken) = ("It holds.", "It breaks.");
    match asked.member.id.as_str() {
        "e" if is_dispute(asked) => side(if asked.prompt.find(broken) < asked.prompt.find(fine) { "A" } else { "B" }),
        // The other side is shown first.
        _ if is_dispute(asked) => side("B"),
        "c" => verdict(broken, "reject", ""),
        _ => verdict(fine, "approve", ""),
    }
}

/// The arbiter leans to a place: nothing is settled, and a person has the last word.
pub(crate) fn leaning(asked: &Asked) -> Does {
    if asked.member.id.as_str() == "e" && is_dispute(asked) { side("A") } else { disputing(asked) }
}

/// A second round among all, then an arbiter, and a person where that settles nothing.
pub(crate) fn debate() -> Workflow {
    let about = ask(Who::Arbiter, "dispute", &[Artefact::Attachments, Artefact::Dispute], false);
    let nodes = vec![
        node("panel", When::Always, ask(Who::Team, "opinion", &[Artefact::Attachments], false)),
        node("first-decision", When::Always, Act::Decide),
        node("debate", When::NotProceeds, ask(Who::Team, "again", &[Artefact::Opinions], false)),
        node("decide", When::Always, Act::Decide),
        node("arbiter", When::Conflict, about),
        node("after-the-arbiter", When::Conflict, Act::Decide),
        node("person", When::NeedsPerson, gate(&["approve", "reject"])),
    ];
    workflow("debate", nodes)
}

/// A split that is the same after the second round.
pub(crate) fn debated() -> Inputs {
    Inputs { workflow: debate(), ..on(Question::Verdict, &["a", "b", "c", "e"]) }
}

/// All of this on a critical task, where one seat of five fails on the way.
pub(crate) fn critical() -> Inputs {
    let mut inputs = disputed();
    inputs.task.hints.priority = Some(Priority::Critical);
    inputs
}

pub(crate) fn failing_on_the_way(asked: &Asked) -> Does {
    match asked.member.id.as_str() {
        "b" => Does::Fails(Outcome::Crashed),
        "a" if is_dispute(asked) => Does::Fails(Outcome::Overloaded),
        _ => disputing(asked),
    }
}

/// Patches that are tried, some of the same words.
pub(crate) fn patched() -> Inputs {
    let mut inputs = on(Question::Patch, &["a", "b", "c", "d"]);
    inputs.members.push(Member { nature: Nature::Trial, ..check("trial") });
    inputs
}

pub(crate) fn patching(asked: &Asked) -> Does {
    let diff = |word: &str| {
        format!(
            "I changed it.\n\n```diff\n--- a/src/main.rs\n+++ b/src/main.rs\n@@ -1 +1 @@\n-fn main() {{\n+{word}\n```\n"
        )
    };
    match asked.member.id.as_str() {
        "trial" => tried(asked.prompt.contains("+broken")),
        "c" => Does::Says(diff("broken")),
        _ => Does::Says(diff("fine")),
    }
}

fn tried(fails: bool) -> Does {
    let result = if fails { CheckResult::Failed } else { CheckResult::Passed };
    let one = TrialCheck { check: id("tests"), result: result.clone(), command: "t".into(), summary: "s".into() };
    let trial = Some(Trial { fit: Fit::Yes, checks: vec![one], probes: vec![] });
    let mut turn = Turn::failed(Outcome::Ok, "");
    turn.text = Some("the diff as git writes it".into());
    turn.evidence = Some(Evidence { result, command: "t".into(), places: vec![], summary: "s".into(), trial });
    Does::Returns(Box::new(turn))
}

/// A finding that is denied, put to a test by a member that argues on no side.
pub(crate) fn reproduced() -> Inputs {
    let mut inputs = on(Question::Findings, &["a", "b", "c", "d", "e"]);
    inputs.members.push(Member { nature: Nature::Reproduction, ..seat("runner") });
    inputs
}

pub(crate) fn reproducing(asked: &Asked) -> Does {
    let finding = |stance: &str| {
        format!(
            "{{\"file\":\"src/main.rs\",\"line\":2,\"severity\":\"high\",\"claim\":\"it never ends\",\"stance\":\"{stance}\"}}"
        )
    };
    if let Some(at) = asked.prompt.find("reproduces_").filter(|_| asked.prompt.starts_with("REPRODUCE")) {
        let mark = &asked.prompt[at..at + "reproduces_01234567".len()];
        return Does::Says(format!(
            "A test.\n\n```diff\n--- /dev/null\n+++ b/tests/t.rs\n@@ -0,0 +1 @@\n+{mark}\n```\n"
        ));
    }
    match asked.member.id.as_str() {
        "runner" => Does::Finds(CheckResult::Failed, "the test fails"),
        _ if is_dispute(asked) => side("B"),
        "a" | "b" => verdict("See the list.", "reject", &finding("holds")),
        "c" => verdict("See the list.", "approve", &finding("does_not_hold")),
        _ => verdict("Fine.", "approve", ""),
    }
}
