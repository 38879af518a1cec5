//! Debate, for those who ask for it: the same members, having read each other without names.

use crate::table::{THREE, Table, model, says};

#[test]
fn who_changes_its_mind_after_reading_the_others_ends_the_debate() {
    let twice = |first: &str, then: &str| [says(first), says(then)];
    let rules = [
        model("ash", twice("approve", "approve")),
        model("beech", twice("reject", "approve")),
        model("cork", twice("approve", "approve")),
    ];
    let table = Table::lay(THREE, rules);
    let (code, decision) = table.ask(&["Review this change", "--workflow", "debate"]);
    assert_eq!((code, decision["hasConflict"].as_bool()), (Some(0), Some(false)), "{decision:#}");
    let asked = table.upstream.asked_models();
    assert_eq!(asked.len(), 6, "one round of debate is enough: {asked:?}");
    let requests = table.upstream.requests();
    let second = &requests.last().unwrap().body;
    assert!(second.contains("I looked at it.") && !second.contains("beech-co"), "quoted without names");
}

#[test]
fn members_that_agree_are_not_made_to_debate() {
    let table = Table::lay(THREE, THREE.iter().map(|seat| model(seat.id, [says("approve")])));
    let (code, _) = table.ask(&["Review this change", "--workflow", "debate"]);
    assert_eq!((code, table.upstream.asked_models().len()), (Some(0), 3));
}
