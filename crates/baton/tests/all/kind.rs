//! Where the words do not tell what kind of task it is, and the user allows it, one member is asked in one small call.

use baton_script::{Answer, Fault, Rule};
use serde_json::Value;

use crate::mcp::{call, open};
use crate::table::{THREE, Table, fault, says};

const VAGUE: &str = "please have a go at this thing";
const ALLOWED: &str = "allow = [\"ash-co\", \"beech-co\", \"cork-co\"]\n[rules]\nask_kind = true";
const SECURITY: &str = r#"{"kind":"security_review","complexity":"standard"}"#;

/// The small question is answered so, and every other one with a verdict.
fn rules(small: Answer) -> Vec<Rule> {
    let mut rules = vec![Rule::named("kind").body("What kind of task is this?").answer(small)];
    rules.extend(THREE.iter().map(|seat| Rule::named(seat.id).model(seat.id).answer(says("approve"))));
    rules
}

fn table(small: Answer, more: &str) -> Table {
    Table::lay_with(THREE, rules(small), more)
}

fn kind_was_asked(table: &Table) -> Vec<String> {
    let requests = table.upstream.requests();
    let small = requests.iter().filter(|recorded| recorded.rule.as_deref() == Some("kind"));
    let model = |body: &str| serde_json::from_str::<Value>(body).unwrap()["model"].as_str().unwrap().to_owned();
    small.map(|recorded| model(&recorded.body)).collect()
}

#[test]
fn one_member_says_the_kind_before_the_run_and_the_reasons_name_it() {
    let table = table(Answer::text(SECURITY).usage(300, 10, 0), "");
    let ran = table.run(&["ask", "--yes", "--ask-kind", VAGUE]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(kind_was_asked(&table), ["beech"], "the weakest of those that cost the same");
    assert!(ran.stderr.contains("beech is asked what kind of task this is"), "{}", ran.stderr);
    assert!(ran.stderr.contains("beech says security_review; $0.0003 by key, run "), "what it cost: {}", ran.stderr);
    assert!(ran.stderr.contains("kind security_review: beech was asked"), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("  asks for ").count(), 1, "one reason for one question: {}", ran.stderr);
    assert!(ran.stderr.contains("standard security_review task"), "{}", ran.stderr);
    let runs = table.run(&["runs"]).stdout;
    assert_eq!(runs.lines().count(), 2, "{runs}");
    assert!(runs.lines().nth(1).unwrap().contains("What kind of task is this?"), "{runs}");
    assert_eq!(table.run(&["verify"]).code, Some(0), "what was said is frozen into the run");
}

#[test]
fn nobody_is_asked_unless_it_is_allowed_and_needed() {
    let plain = table(Answer::text(SECURITY), "");
    plain.ask(&[VAGUE]);
    assert_eq!(kind_was_asked(&plain), [""; 0], "it is off unless set");
    let set = table(Answer::text(SECURITY), ALLOWED);
    set.ask(&["Review this code for injection attacks", "--kind", "security_review"]);
    set.ask(&["Is there an SQL injection vulnerability an attacker could exploit in this login form?"]);
    assert_eq!(kind_was_asked(&set), [""; 0], "the kind is known");
    set.ask(&[VAGUE, "--member", "ash"]);
    assert_eq!(kind_was_asked(&set), ["ash"], "of the members that the user named");
}

#[test]
fn without_consent_nobody_is_sent_the_question() {
    let table = table(Answer::text(SECURITY), "allow = [\"cork-co\"]\n[rules]\nask_kind = true");
    let ran = table.run(&["ask", VAGUE]);
    assert_eq!(kind_was_asked(&table), ["cork"], "{ran:?}");
    let strict = Table::lay_with(THREE, rules(Answer::text(SECURITY)), "[rules]\nask_kind = true");
    assert_ne!(strict.run(&["ask", VAGUE]).code, Some(0));
    assert!(strict.upstream.requests().is_empty());
}

#[test]
fn who_asked_for_it_learns_that_nobody_may_be_asked() {
    let table = table(Answer::text(SECURITY), "");
    let line = "nobody is asked what kind of task this is: no vendor has been allowed yet";
    assert!(table.run(&["ask", "--ask-kind", VAGUE]).stderr.contains(line));
    assert!(table.run(&["ask", "--ask-kind", "--dry-run", VAGUE]).stderr.contains(line));
    assert!(!table.run(&["ask", "--ask-kind", "--dry-run", "--kind", "refactoring", VAGUE]).stderr.contains(line));
    assert!(table.upstream.requests().is_empty());
}

#[test]
fn the_small_question_is_no_correction_of_the_users() {
    let table = table(Answer::text(r#"{"kind":"performance"}"#), ALLOWED);
    let plan =
        |table: &Table| table.run(&["ask", "--dry-run", "--member", "ash", "Which one stands out to you?"]).stdout;
    let before = plan(&table);
    for _ in 0..6 {
        table.ask(&[VAGUE]);
    }
    assert_eq!(kind_was_asked(&table).len(), 6);
    assert_eq!(plan(&table), before, "nothing was learned of what baton itself asked");
    table.ask(&["--kind", "performance", "Which one stands out to you?"]);
    assert_ne!(plan(&table), before, "what the user says is learned from");
}

#[test]
fn a_failure_or_an_unreadable_answer_changes_nothing_and_is_said_in_one_line() {
    let cases = [
        (fault(Fault::Unauthorized), "stays open: beech: login or key refused"),
        (fault(Fault::Unavailable), "stays open: beech: overloaded"),
        (Answer::text("I would rather not say."), "stays open: beech: its answer names no kind"),
    ];
    for (small, line) in cases {
        let table = table(small, ALLOWED);
        let ran = table.run(&["ask", VAGUE]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(kind_was_asked(&table).len(), 1, "asked once");
        assert!(ran.stderr.contains(line), "{line}: {}", ran.stderr);
        assert!(ran.stderr.contains("general task"), "{}", ran.stderr);
    }
}

#[test]
fn what_the_small_call_cost_is_taken_from_the_cap() {
    // At a dollar a million tokens the small call takes all of thirty cents.
    let dear = || table(Answer::text(SECURITY).usage(300_000, 0, 0), ALLOWED);
    assert_eq!(dear().run(&["ask", "--max-cost", "0.30", "--kind", "security_review", VAGUE]).code, Some(0));
    let spent = dear();
    assert_eq!(spent.run(&["ask", "--max-cost", "0.30", VAGUE]).code, Some(7));
    assert_eq!(spent.upstream.requests().len(), kind_was_asked(&spent).len(), "nothing but the small call");
}

#[test]
fn a_dry_run_says_whom_it_would_ask_and_asks_nobody() {
    let table = table(Answer::text(SECURITY), ALLOWED);
    let ran = table.run(&["ask", "--dry-run", VAGUE]);
    assert!(ran.stdout.starts_with("beech would be asked first, in one small call, what kind of task this is\n"));
    let sure = table.run(&["ask", "--dry-run", "--kind", "refactoring", VAGUE]);
    assert!(!sure.stdout.contains("would be asked first"), "{}", sure.stdout);
    assert!(table.upstream.requests().is_empty());
}

#[test]
fn a_member_on_this_machine_goes_first_then_the_cheapest() {
    let mine = |id: &str, payer: &str, price: u32| {
        format!("[[member]]\nid = \"{id}\"\npayer = \"{payer}\"\nprice = {{ input = {price}, output = {price} }}\n")
    };
    let seats = |more: &str| {
        let table = table(Answer::text(SECURITY), ALLOWED);
        let path = table.home.home().join("baton.toml");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        table.home.configure(&format!("{text}{more}")).unwrap();
        assert_eq!(table.run(&["ask", VAGUE]).code, Some(0));
        kind_was_asked(&table)
    };
    assert_eq!(seats(&mine("ash", "key", 1_000)), ["ash"]);
    assert_eq!(seats(&(mine("ash", "key", 1_000) + &mine("cork", "local", 9_000))), ["cork"]);
}

#[test]
fn a_program_that_uses_baton_as_a_tool_is_heard_too() {
    let table = table(Answer::text(SECURITY), ALLOWED);
    let mut session = open(table.home.converse(&["mcp"]).unwrap());
    let result = call(&mut session, &serde_json::json!({"task": VAGUE}));
    assert_ne!(result["isError"], true, "{result:#}");
    assert_eq!(kind_was_asked(&table), ["beech"]);
    assert_eq!(session.close().unwrap(), Some(0));
}
