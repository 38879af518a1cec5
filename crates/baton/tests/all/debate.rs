//! Debate, for those who ask for it: the same members, having read each other without names.

use baton_script::{Answer, Rule};

use crate::table::{Seat, THREE, Table, model, says};

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

/// `fir` is not seated: nobody asks it for an opinion.
const FOUR: &[Seat] = &[THREE[0], THREE[1], THREE[2], Seat { id: "fir", tier: 4, vendor: "fir-co" }];

/// `beech` rejects and stays with it through both rounds.
fn split() -> Vec<Rule> {
    let stays = |id: &str, verdict: &str| model(id, [says(verdict), says(verdict), says(verdict)]);
    vec![stays("ash", "approve"), stays("beech", "reject"), stays("cork", "approve")]
}

fn rules_for(label: &str) -> Answer {
    Answer::text(format!("I looked.\n\n```json\n{{\"choice\": \"{label}\"}}\n```")).usage(100, 10, 0)
}

#[test]
fn what_no_round_of_debate_settles_goes_to_an_arbiter_that_gave_no_opinion() {
    let order = |shown: &str, label: &str| {
        Rule::named(format!("fir-{label}")).model("fir").body(shown).answer(rules_for(label))
    };
    let arbiter = [order("Side A says that the claim holds", "A"), order("Side B says that the claim holds", "B")];
    let table = Table::lay(FOUR, split().into_iter().chain(arbiter));
    let (code, decision) = table.ask(&["Review this change", "--workflow", "debate"]);
    assert_eq!((code, decision["hasConflict"].as_bool()), (Some(0), Some(false)), "{decision:#}");
    assert_eq!(decision["conflicts"][0]["settledBy"], "fir, of another family, said the same in both orders");
    let asked = table.upstream.asked_models();
    assert_eq!(asked.iter().filter(|model| *model == "fir").count(), 2, "{asked:?}");
    assert_eq!(asked.len(), 11, "three rounds of three, and both orders: no side is asked once more");
}

#[test]
fn without_an_arbiter_a_debate_waits_for_a_person_and_says_so() {
    let table = Table::lay(THREE, split());
    let (code, decision) = table.ask(&["Review this change", "--workflow", "debate"]);
    assert_eq!((code, decision["status"].as_str()), (Some(12), Some("waiting")), "{decision:#}");
    let because = decision["conflicts"][0]["openBecause"].as_str().unwrap();
    assert_eq!(
        because,
        "there is no check that could settle it; nobody of another family than the sides could be asked"
    );
}
