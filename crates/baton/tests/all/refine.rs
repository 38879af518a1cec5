//! The workflow with a bounded loop, conditions and a gate, through the binary.

use baton_script::Answer;

use crate::table::{THREE, Table, model, says};

#[test]
fn a_draft_is_reviewed_revised_and_handed_to_a_person() {
    let drafts = [Answer::text("First draft."), Answer::text("Second draft, with the missing index.")];
    let objects = || [says("revise"), says("approve")];
    let table = Table::lay(THREE, [model("ash", drafts), model("beech", objects()), model("cork", objects())]);
    let (code, decision) = table.ask(&["Write the migration plan for the users table", "--workflow", "refine"]);
    assert_eq!(code, Some(11), "{decision:#}");
    assert_eq!(decision["status"], "waiting", "the last word is a person's");
    assert_eq!(decision["verdict"], "approve");
    assert_eq!(decision["answer"]["member"], "ash");
    assert_eq!(decision["answer"]["text"], "Second draft, with the missing index.");
    let requests = table.upstream.requests();
    let of = |id: &str| -> Vec<&str> {
        let model = format!("\"model\":\"{id}\"");
        requests.iter().map(|request| request.body.as_str()).filter(|body| body.contains(&model)).collect()
    };
    assert_eq!((of("ash").len(), of("beech").len(), of("cork").len()), (2, 2, 2));
    assert!(of("beech")[0].contains("First draft.") && of("beech")[1].contains("Second draft"));
    assert!(of("ash")[1].contains("I looked at it."), "the reviews are quoted to the lead");
    assert!(!of("ash")[1].contains("beech"), "without names");
    assert_eq!(table.run(&["verify"]).code, Some(0));
}

#[test]
fn the_loop_ends_also_when_reviewers_never_agree() {
    let rules =
        [model("ash", [Answer::text("A draft.")]), model("beech", [says("reject")]), model("cork", [says("reject")])];
    let table = Table::lay(THREE, rules);
    let (code, decision) = table.ask(&["Write the migration plan for the users table", "--workflow", "refine"]);
    assert_eq!(code, Some(11), "{decision:#}");
    assert_eq!(decision["verdict"], "reject");
    assert!(table.upstream.requests().len() <= 9, "three rounds at most");
}
