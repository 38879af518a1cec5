//! Members that refuse, cannot be read or fail: others are asked while too few have answered, and the plan says who.

use baton_script::{Answer, Fault};

use crate::table::{Seat, Table, fault, model, says};

const FIVE: &[Seat] = &[
    Seat { id: "alpha", tier: 1, vendor: "alpha-co" },
    Seat { id: "bravo", tier: 1, vendor: "bravo-co" },
    Seat { id: "charlie", tier: 1, vendor: "charlie-co" },
    Seat { id: "delta", tier: 2, vendor: "delta-co" },
    Seat { id: "echo", tier: 3, vendor: "echo-co" },
];

fn refuses() -> Answer {
    Answer::text("I'm sorry, but I can't help with that.").usage(1_000, 10, 0)
}

#[test]
fn a_refusal_an_unreadable_answer_and_a_rate_limit_leave_the_quorum_to_others() {
    let table = Table::lay(
        FIVE,
        [
            model("alpha", [fault(Fault::RateLimited)]),
            model("bravo", [refuses()]),
            model("charlie", [Answer::text("%PDF-1.4 \u{fffd}\u{fffd}").usage(1_000, 10, 0)]),
            model("delta", [says("approve")]),
            model("echo", [says("approve")]),
        ],
    );
    let (_, decision) = table.ask(&["Review this change", "--complexity", "standard"]);
    let mut asked = table.upstream.asked_models();
    asked.sort();
    asked.dedup();
    assert_eq!(asked, ["alpha", "bravo", "charlie", "delta", "echo"]);
    assert_eq!(decision["modelCount"], 2, "{decision:#}");
    assert!(!decision["blockers"].as_array().unwrap().contains(&"no_quorum".into()), "{decision:#}");
    let told = |line: &&serde_json::Value| line.as_str().unwrap().starts_with("echo was asked in place of");
    assert!(decision["reasoning"].as_array().unwrap().iter().find(told).is_some(), "{decision:#}");
    assert_eq!(table.run(&["verify"]).code, Some(0));
}

#[test]
fn a_quick_task_that_two_refuse_is_answered_by_a_third() {
    let answers = |id| if matches!(id, "alpha" | "bravo") { refuses() } else { says("approve") };
    let table = Table::lay(FIVE, FIVE.iter().map(|seat| model(seat.id, [answers(seat.id)])));
    let (_, decision) = table.ask(&["Is this change safe?", "--complexity", "quick"]);
    assert_eq!((table.upstream.asked_models().len(), &decision["modelCount"]), (3, &1.into()), "{decision:#}");
}

#[test]
fn the_plan_tells_programs_who_is_asked_who_steps_in_and_why() {
    let table = Table::lay(FIVE, []);
    let ran = table.run(&["ask", "Review this change", "--complexity", "standard", "--dry-run", "--json"]);
    let plan = ran.json().unwrap();
    assert_eq!((&plan["schema"], &plan["plan"]["vendorsNeeded"]), (&"baton.plan/1".into(), &2.into()));
    assert_eq!(
        plan["plan"]["seats"][0],
        serde_json::json!({ "member": "alpha", "role": "primary", "because": "tier 1" })
    );
    let because = &plan["plan"]["held"][0];
    assert_eq!((&because["member"], &because["because"]), (&"delta".into(), &"tier 2".into()));
    let steps_in: Vec<&str> =
        plan["plan"]["standIns"].as_array().unwrap().iter().map(|one| one["member"].as_str().unwrap()).collect();
    assert_eq!(steps_in, ["delta", "echo"]);
    assert!(plan["estimateUsd"].as_f64().unwrap() > 0.0 && plan["prompts"].as_array().unwrap().len() == 3);
    assert!(table.upstream.requests().is_empty());
}

#[test]
fn what_was_saved_is_told_in_dollars() {
    let table = Table::lay(FIVE, FIVE.iter().map(|seat| model(seat.id, [says("approve")])));
    let (_, decision) = table.ask(&["Review this change", "--complexity", "standard", "--priority", "low"]);
    assert_eq!((&decision["notAsked"][0], decision.get("saved")), (&"delta".into(), None), "{decision:#}");
    let saved = decision["savedUsd"].as_f64().unwrap();
    assert!(saved > 0.0 && saved < 1.0, "{saved}");
    assert_eq!(decision["plan"]["held"][0]["member"], "delta");
}

#[test]
fn nothing_is_sent_to_a_seat_that_is_held_back_before_its_vendor_was_agreed_to() {
    let table = Table::lay(FIVE, []);
    let refused = table.run(&["ask", "Is this change safe?", "--complexity", "quick"]);
    assert!(refused.stderr.contains("bravo-co"), "it is held back, and may be asked: {}", refused.stderr);
}
