//! The mission's four tests: simple routing, parallel execution, consensus on a critical task, fallback.

use baton_script::Fault;

use crate::table::{Seat, THREE, Table, all, fault, model, says};

#[test]
fn simple_routing_asks_one_member_and_needs_no_consensus() {
    let table = Table::lay(THREE, all(THREE, "approve"));
    let (code, decision) = table.ask(&["Write a hello world function", "--priority", "low"]);
    assert_eq!(code, Some(0), "{decision:#}");
    assert_eq!(decision["schema"], "baton.decision/1");
    assert_eq!(decision["complexity"], "quick");
    assert_eq!(decision["modelCount"], 1);
    assert_eq!(table.upstream.asked_models(), ["ash"], "the strongest member, and nobody else");
}

#[test]
fn a_larger_task_asks_several_members_at_the_same_time() {
    let table = Table::lay(THREE, all(THREE, "approve"));
    let ran = table.run(&["ask", "--yes", "Design and implement user authentication", "--priority", "high"]);
    let lines: Vec<&str> = ran.stderr.lines().collect();
    let last_asked = lines.iter().rposition(|line| line.contains(" asked")).unwrap();
    let first_answered = lines.iter().position(|line| line.contains(" answered")).unwrap();
    assert!(last_asked < first_answered, "all are asked before one has answered:\n{}", ran.stderr);
    let mut asked = table.upstream.asked_models();
    asked.sort();
    assert_eq!(asked, ["ash", "beech", "cork"]);
}

#[test]
fn a_critical_task_asks_everybody_and_waits_for_a_person() {
    let seats = [THREE[0], THREE[1], THREE[2], Seat { id: "date", tier: 5, vendor: "date-co" }];
    let table = Table::lay(&seats, all(&seats, "approve"));
    let (code, decision) = table.ask(&["Review security of auth code", "--priority", "critical"]);
    assert_eq!(code, Some(11), "{decision:#}");
    assert_eq!(decision["modelCount"], 4, "all available members");
    assert_eq!(decision["threshold"], 0.9);
    assert_eq!(decision["recommendation"], "review_required");
    assert_eq!(decision["status"], "waiting");
    assert!(decision["blockers"].as_array().unwrap().contains(&"needs_person".into()));
}

#[test]
fn a_member_that_is_switched_off_is_replaced_and_reported() {
    let seats = [THREE[0], THREE[1], THREE[2], Seat { id: "date", tier: 3, vendor: "date-co" }];
    let mut rules = all(&seats, "approve");
    rules[1] = model("beech", [fault(Fault::RateLimited)]);
    let table = Table::lay(&seats, rules);
    let (code, decision) = table.ask(&["Creative alternatives to OAuth", "--question", "verdict"]);
    assert_eq!(code, Some(0), "{decision:#}");
    assert_eq!(decision["modelCount"], 3);
    let failed = &decision["failedModels"][0];
    assert_eq!((failed["member"].as_str(), failed["replacedBy"].as_str()), (Some("beech"), Some("date")));
    assert_eq!(failed["class"], "rate limited");
}

#[test]
fn a_split_between_peers_is_a_conflict_with_both_sides_named() {
    let mut rules = all(THREE, "approve");
    rules[1] = model("beech", [says("reject")]);
    let table = Table::lay(THREE, rules);
    let (code, decision) = table.ask(&["Is it right to merge this today?"]);
    assert_eq!(code, Some(12), "{decision:#}");
    assert_eq!(decision["recommendation"], "conflict_resolution_needed");
    assert_eq!(decision["hasConflict"], true);
    assert_eq!(decision["conflicts"][0]["against"][0], "beech");
    assert_eq!(decision["dissenters"][0]["member"], "beech");
}

#[test]
fn when_every_seat_fails_there_is_no_decision_to_act_on() {
    let rules = THREE.iter().map(|seat| model(seat.id, [fault(Fault::Unauthorized)]));
    let table = Table::lay(THREE, rules);
    let (code, decision) = table.ask(&["Review this change"]);
    assert_eq!(code, Some(6), "{decision:#}");
    assert_eq!(decision["modelCount"], 0);
    assert_eq!(decision["failedModels"].as_array().unwrap().len(), 3);
}

#[test]
fn the_spending_cap_holds_before_anybody_is_asked() {
    let table = Table::lay(THREE, all(THREE, "approve"));
    let (code, decision) = table.ask(&["Review this change", "--max-cost", "0.000001"]);
    assert_eq!(code, Some(7), "{decision:#}");
    assert!(table.upstream.requests().is_empty());
}
