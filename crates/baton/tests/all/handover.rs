//! What happens when an account is used up, and who is told what: one process after the other on the same store.

use baton_script::{Answer, Fault};

use crate::table::{Seat, Table, all, fault, model, says};

const FOUR: &[Seat] = &[
    Seat { id: "ash", tier: 1, vendor: "ash-co" },
    Seat { id: "beech", tier: 2, vendor: "beech-co" },
    Seat { id: "cork", tier: 2, vendor: "cork-co" },
    Seat { id: "dogwood-low", tier: 3, vendor: "dogwood-co" },
];

/// `ash` has no quota; everybody else approves.
fn spent(more: &str) -> Table {
    let mut rules = all(&FOUR[1..], "approve");
    rules.push(model("ash", [fault(Fault::InsufficientQuota)]));
    Table::lay_with(FOUR, rules, more)
}

#[test]
fn a_later_run_goes_round_a_used_up_account_and_says_so() {
    let table = spent("[handover]\nash = [\"dogwood\"]\n");
    let first = table.run(&["ask", "Review this change", "--yes"]);
    assert!(first.stderr.contains("quota used up after"), "{}", first.stderr);
    assert!(first.stderr.contains("; dogwood-low takes over"), "{}", first.stderr);
    let asked = table.upstream.asked_models().len();
    let second = table.run(&["ask", "Review this change", "--yes"]);
    assert!(second.stderr.contains("ash is out of quota until "), "{}", second.stderr);
    assert!(second.stderr.contains("; dogwood-low takes over"), "{}", second.stderr);
    assert!(!table.upstream.asked_models()[asked..].contains(&"ash".to_owned()));
    assert_eq!(table.run(&["verify"]).code, Some(0), "what was known then is in the journal");
    let members = table.run(&["members", "--usable"]);
    assert!(members.stdout.contains("yes, but is out of quota until "), "{}", members.stdout);
    let plan = table.run(&["ask", "Review this change", "--dry-run"]);
    assert!(plan.stdout.contains("ash is out of quota until "), "{}", plan.stdout);
}

#[test]
fn every_turn_tells_who_pays() {
    let table = spent("");
    let (_, decision) = table.ask(&["Review this change"]);
    let turns = decision["turns"].as_array().unwrap();
    assert_eq!(turns.len(), 4);
    assert!(turns.iter().all(|turn| turn["payer"] == "key"));
    let of = |member: &str| turns.iter().find(|turn| turn["member"] == member).unwrap();
    assert_eq!((&of("ash")["outcome"], &of("ash")["costUsd"]), (&"quota used up".into(), &0.0.into()));
    assert_eq!((&of("beech")["costUsd"], &of("beech")["tokens"]["in"]), (&0.0012.into(), &1_000.into()));
    assert!(table.run(&["show"]).stdout.contains("$0.0012 (key)"));
    let runs = table.run(&["runs", "--json"]).json().unwrap();
    assert_eq!((&runs[0]["paidBy"], &runs[0]["costUnknown"]), (&"key".into(), &false.into()));
}

#[test]
fn a_rule_hands_a_conversation_over_and_the_new_one_is_said_to_be_new() {
    let ash = model("ash", [Answer::text("Use a queue."), fault(Fault::InsufficientQuota)]);
    let beech = model("beech", [Answer::text("It still holds."), Answer::text("So it does.")]);
    let table = Table::lay_with(FOUR, [ash, beech], "[handover]\nash = [\"beech\"]\n");
    let consult = |text: &str, more: &[&str]| {
        table.run(&[&["consult", "ash", text, "--session", "auth", "--yes"][..], more].concat())
    };
    assert!(consult("How should I retry?", &[]).stdout.contains("Use a queue."));
    let over = consult("Does it hold under load?", &[]);
    assert!(over.stdout.contains("It still holds."), "{over:?}");
    let said = "beech: the conversation is new: it was held with ash; 1 earlier turn was handed on";
    assert!(over.stderr.contains(said), "{}", over.stderr);
    let sent = table.upstream.requests().pop().unwrap().body;
    assert!(sent.contains("How should I retry?") && sent.contains("Use a queue.") && sent.contains("as data"));
    // While it is used up, the follower is asked at once and goes on with what is its own conversation by now.
    let on = consult("And now?", &["--json"]).json().unwrap();
    assert_eq!(on["turns"][0]["member"], "beech");
    assert_eq!(on["turns"][0]["session"]["state"], "resumed");
    assert!(table.run(&["show"]).stdout.contains("ash is out of quota until "));
}

#[test]
fn nobody_steps_in_for_a_named_member_without_a_rule() {
    let table = spent("");
    table.ask(&["Review this change"]);
    let asked = table.upstream.asked_models().len();
    let ran = table.run(&["consult", "ash", "Why?", "--yes"]);
    assert!(ran.stderr.contains("it is asked all the same, as you named it"), "{}", ran.stderr);
    assert_eq!(table.upstream.asked_models()[asked..], ["ash"]);
}

#[test]
fn who_would_take_over_is_asked_about_before_it_could_be_sent_anything() {
    let table = Table::lay_with(FOUR, [], "[handover]\nash = [\"beech\"]\n");
    let refused = table.run(&["consult", "ash", "Why?"]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.stderr.contains("ash-co") && refused.stderr.contains("beech-co"), "{}", refused.stderr);
    assert!(table.upstream.requests().is_empty());
}

#[test]
fn a_rule_about_nobody_is_refused() {
    let table = Table::lay_with(FOUR, [], "[handover]\nash = [\"nobody-here\"]\n");
    let ran = table.run(&["members"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("handover: there is no member `nobody-here`"), "{}", ran.stderr);
}

#[test]
fn a_prompt_of_200_kb_arrives_whole_or_the_member_is_not_chosen_and_that_is_said() {
    let table = Table::lay(FOUR, FOUR.iter().map(|seat| model(seat.id, [says("approve")])));
    let path = table.home.home().join("baton.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let windows = "context_window = 200000";
    let text = text.replace("tier = ", &format!("{windows}\ntier = "));
    let narrow = "[[member]]\nid = \"ash\"\nlimits = { prompt_bytes = 128000 }\n";
    table.home.configure(&format!("{text}{narrow}")).unwrap();
    let large: String = (0..10_000).map(|line| format!("line {line}: häßlich\n")).collect();
    assert!(large.len() > 200_000);
    table.home.write("large.txt", &large).unwrap();
    let ran = table.run(&["ask", "Review this change", "-f", "large.txt", "--yes"]);
    assert!(ran.stderr.contains("ash is left out: the task has 2"), "{}", ran.stderr);
    assert!(ran.stderr.contains("it takes at most 128 KB"), "{}", ran.stderr);
    let requests = table.upstream.requests();
    assert_eq!(requests.len(), 3);
    for request in requests {
        let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
        let prompt = body["messages"].as_array().unwrap().last().unwrap()["content"].as_str().unwrap().to_owned();
        let lines: String =
            prompt.lines().filter_map(|line| line.split_once(" | ")).map(|(_, rest)| format!("{rest}\n")).collect();
        assert_eq!(lines, large, "every line, numbered");
    }
}
