//! Whole screens, kept under `snapshots/`. A change of a screen is a change of these files, to be read in review.
//!
//! `INSTA_UPDATE=always cargo test -p baton screens` writes them anew.

use baton_script::{Answer, Fault};
use baton_testkit::{Environment, Ran};

use crate::table::{Seat, THREE, Table, all, fault, home, model, says};

/// What went to standard output, and the exit code.
fn data(home: &Environment, ran: &Ran) -> String {
    format!("{}-- exit {}\n", calm(&home.screen(&ran.stdout)), ran.code.unwrap_or(-1))
}

/// Standard output, and the end of standard error after its last empty line: what a waiting run asks for. The lines
/// before it tell of the seats in the order in which they happened to answer.
fn data_and_question(home: &Environment, ran: &Ran) -> String {
    let stderr = calm(&home.screen(&ran.stderr));
    let question = stderr.rsplit_once("\n\n").map_or("", |(_, question)| question);
    format!("{}-- standard error ends with\n{question}", data(home, ran))
}

/// Standard error, with nothing on standard output.
fn told(home: &Environment, ran: &Ran) -> String {
    assert_eq!(ran.stdout, "", "an error is no data");
    format!("{}-- exit {}\n", calm(&home.screen(&ran.stderr)), ran.code.unwrap_or(-1))
}

/// Replaces what is left after [`Environment::screen`]: a list's leading run ids and times of day.
fn calm(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let listed = line.get(..10).is_some_and(|lead| {
            lead.ends_with("  ")
                && lead[..8].bytes().all(|byte| byte.is_ascii_hexdigit())
                && line[10..].contains("[DATE]")
        });
        if listed { format!("[RUN]  {}", line[10..].replacen(&line[17..22], "[TIME]", 1)) } else { line.to_owned() }
    });
    lines.map(|line| line + "\n").collect()
}

/// An answer with a finding in `net.rs`.
fn finds(verdict: &str, severity: &str, line: u32, claim: &str) -> Answer {
    let finding = format!(
        "{{\"severity\": \"{severity}\", \"file\": \"net.rs\", \"line\": {line}, \"claim\": \"{claim}\", \
         \"evidence\": \"read\", \"confidence\": 0.8}}"
    );
    let trailer = format!("{{\"verdict\": \"{verdict}\", \"confidence\": 0.8, \"findings\": [{finding}]}}");
    Answer::text(format!("I read it line by line.\n\n```json\n{trailer}\n```")).usage(1_000, 100, 0)
}

fn with_net_rs(table: &Table) {
    table.home.write("net.rs", "fn retry() {\n    loop {}\n}\n").unwrap();
}

#[test]
fn the_demo_without_cargo() {
    let home = home();
    let ran = home.run(&["demo"]).unwrap();
    insta::assert_snapshot!(data(&home, &ran));
}

#[test]
fn a_decision_with_one_dissenter() {
    let seats = [Seat { tier: 1, ..THREE[0] }, Seat { tier: 1, ..THREE[1] }, Seat { tier: 4, ..THREE[2] }];
    let claim = "The loop never ends";
    let rules = [
        model("ash", [finds("approve", "low", 2, claim)]),
        model("beech", [finds("approve", "low", 2, claim)]),
        model("cork", [says("reject")]),
    ];
    let table = Table::lay(&seats, rules);
    with_net_rs(&table);
    let ran = table.run(&["ask", "Is this retry loop safe?", "-f", "net.rs", "--yes", "-m", "ash,beech,cork"]);
    insta::assert_snapshot!(data(&table.home, &ran));
}

#[test]
fn a_conflict() {
    let mut rules = all(THREE, "approve");
    rules[1] = model("beech", [finds("reject", "high", 2, "The loop never ends")]);
    let table = Table::lay(THREE, rules);
    with_net_rs(&table);
    let ran = table.run(&["ask", "Is this retry loop safe?", "-f", "net.rs", "--yes"]);
    insta::assert_snapshot!(data(&table.home, &ran));
}

#[test]
fn all_failed() {
    let faults = [Fault::Unauthorized, Fault::RateLimited, Fault::Unauthorized];
    let rules = THREE.iter().zip(faults).map(|(seat, kind)| model(seat.id, [fault(kind)]));
    let table = Table::lay(THREE, rules);
    let ran = table.run(&["ask", "Review this change", "--yes"]);
    insta::assert_snapshot!(data(&table.home, &ran));
}

#[test]
fn over_budget() {
    let table = Table::lay(THREE, all(THREE, "approve"));
    let ran = table.run(&["ask", "Review this change", "--yes", "--max-cost", "0.000001"]);
    insta::assert_snapshot!(data(&table.home, &ran));
}

#[test]
fn a_critical_task_waits() {
    let table = Table::lay(THREE, all(THREE, "approve"));
    let ran = table.run(&["ask", "Review security of auth code", "--priority", "critical", "--yes"]);
    insta::assert_snapshot!(data_and_question(&table.home, &ran));
}

#[test]
fn a_choice() {
    let chooses = |option: &str| {
        let trailer = format!("{{\"choice\": \"{option}\", \"confidence\": 0.8, \"findings\": []}}");
        Answer::text(format!("I would take {option}.\n\n```json\n{trailer}\n```")).usage(1_000, 100, 0)
    };
    let rules = [
        model("ash", [chooses("postgres")]),
        model("beech", [chooses("postgres")]),
        model("cork", [chooses("postgres")]),
    ];
    let table = Table::lay(THREE, rules);
    let ran = table.run(&["ask", "Which store?", "--choose", "postgres,sqlite,redis", "--yes"]);
    insta::assert_snapshot!(data(&table.home, &ran));
}

#[test]
fn a_consultation() {
    let answer = Answer::text("Use a queue.\n\n- It is simple.\n- It is enough.").usage(1_000, 100, 0);
    let table = Table::lay(THREE, [model("beech", [answer])]);
    let ran = table.run(&["consult", "beech", "How should I retry?", "--yes"]);
    assert!(!ran.stderr.contains("panel") && !ran.stderr.contains("decided"), "no rounds: {}", ran.stderr);
    insta::assert_snapshot!(data(&table.home, &ran));
}

#[test]
fn a_run_shown_listed_and_verified() {
    let mut rules = all(THREE, "approve");
    rules[2] = model("cork", [fault(Fault::Unauthorized)]);
    let table = Table::lay(THREE, rules);
    with_net_rs(&table);
    let _ = table.run(&["ask", "Is this retry loop safe?", "-f", "net.rs", "--yes"]);
    insta::assert_snapshot!("show", data(&table.home, &table.run(&["show"])));
    insta::assert_snapshot!("runs", data(&table.home, &table.run(&["runs"])));
    insta::assert_snapshot!("verify", data(&table.home, &table.run(&["verify"])));
}

/// Two report, one denies with a verdict of its own, and one cannot be reached.
fn contested() -> Table {
    let claim = "The loop never ends, since nothing in it counts how often the request was sent before";
    let seats = [THREE[0], THREE[1], THREE[2], Seat { id: "date", tier: 3, vendor: "date-co" }];
    let rules = [
        model("ash", [finds("reject", "high", 2, claim)]),
        model("beech", [finds("reject", "medium", 2, claim)]),
        model("cork", [finds("approve", "low", 30, "The name `retry` says too little")]),
        model("date", [fault(Fault::RateLimited)]),
    ];
    let table = Table::lay(&seats, rules);
    table.home.write("net.rs", format!("fn retry() {{\n    loop {{}}\n}}\n{}", "// more\n".repeat(40))).unwrap();
    table
}

/// A document, in which ids do not stand as words of their own.
fn handed_on(table: &Table, arguments: &[&str]) -> String {
    let run = table.run(&["runs", "--json"]).json().unwrap()[0]["run"].as_str().unwrap().to_owned();
    let ran = table.run(arguments);
    data(&table.home, &ran).replace(&run, "[RUN]").replace(&run[run.len() - 8..], "[RUN]")
}

const CONTESTED: &[&str] =
    &["ask", "Is this retry loop safe?", "-f", "net.rs", "--yes", "--complexity", "complex", "--kind", "code_review"];

#[test]
fn a_narrow_terminal() {
    let mut table = contested();
    table.home.set("COLUMNS", "50");
    let ran = table.run(CONTESTED);
    let shown = table.run(&["show"]);
    for line in ran.stdout.lines().chain(shown.stdout.lines()) {
        assert!(line.chars().count() <= 50, "{line}");
    }
    insta::assert_snapshot!(data(&table.home, &ran));
}

#[test]
fn the_live_view_tells_the_rounds_and_how_it_stands_after_each() {
    let ran = contested().run(CONTESTED);
    let told: Vec<&str> = ran.stderr.lines().filter(|line| !line.starts_with(' ')).collect();
    let from = told.iter().position(|line| *line == "panel").unwrap();
    let parts =
        ["panel", "so far conflict: verdict reject", "argument, claim 1: the verdict is reject", "so far conflict"];
    assert!(told[from..].iter().zip(parts).all(|(line, part)| line.starts_with(part)), "{}", ran.stderr);
    assert!(ran.stderr.contains("cork           claim 1    answered"), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("! waits for a person").count(), 1, "once: {}", ran.stderr);
}

#[test]
fn a_decision_to_hand_on() {
    let table = contested();
    let _ = table.run(CONTESTED);
    insta::assert_snapshot!("markdown", handed_on(&table, &["show", "--format", "markdown"]));
    insta::assert_snapshot!("sarif", handed_on(&table, &["show", "--format", "sarif"]));
    let told = table.run(&[CONTESTED, &["--format", "sarif", "--quiet"]].concat());
    assert_eq!((told.code, told.json().unwrap()["version"].as_str()), (Some(12), Some("2.1.0")));
    let several = table.run(&["resume", "--format", "sarif"]);
    assert_eq!((several.code, several.stdout.as_str()), (Some(2), ""), "one document cannot be about several runs");
    let json = |arguments: &[&str]| table.run(arguments).stdout;
    assert_eq!(json(&["show", "--format", "json"]), json(&["show", "--json"]));
}

#[test]
fn no_colour_goes_where_no_terminal_is() {
    let table = contested();
    let ran = table.run(CONTESTED);
    let shown = [table.run(&["show"]), table.run(&["show", "--format", "markdown"])];
    assert!(shown.iter().chain([&ran]).all(|ran| !ran.stdout.contains('\u{1b}') && !ran.stderr.contains('\u{1b}')));
}

#[test]
fn the_members_that_can_be_asked() {
    let table = Table::lay(THREE, []);
    insta::assert_snapshot!(data(&table.home, &table.run(&["members", "--usable"])));
}

#[test]
fn a_dry_run() {
    let table = Table::lay(THREE, []);
    insta::assert_snapshot!(data(&table.home, &table.run(&["ask", "Fix the typo", "--dry-run"])));
}

#[test]
fn consent_that_is_missing() {
    let table = Table::lay(THREE, []);
    with_net_rs(&table);
    insta::assert_snapshot!(told(&table.home, &table.run(&["ask", "Is this safe?", "-f", "net.rs"])));
}

#[test]
fn bad_inputs() {
    let table = Table::lay(THREE, []);
    let cases: &[&[&str]] = &[
        &["ask", ""],
        &["ask", "x", "-f", "absent.rs"],
        &["ask", "x", "--priority", "urgent"],
        &["ask", "x", "-m", "nobody-here"],
        &["ask", "x", "-m", "claude"],
        &["ask", "x", "--choose", "one"],
        &["show", "0000"],
        &["show", "--format", "pdf"],
        &["show", "--format", "sarif", "--json"],
        &["frobnicate"],
    ];
    let tell = |arguments: &&[&str]| {
        format!("$ baton {}\n{}\n", arguments.join(" "), told(&table.home, &table.run(arguments)))
    };
    insta::assert_snapshot!(cases.iter().map(tell).collect::<String>());
}

#[test]
fn help() {
    let home = home();
    insta::assert_snapshot!("help", data(&home, &home.run(&["--help"]).unwrap()));
    insta::assert_snapshot!("help_ask", data(&home, &home.run(&["ask", "--help"]).unwrap()));
}

#[test]
fn completions_know_the_names_that_a_task_is_described_with() {
    let home = home();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = home.run(&["completions", shell]).unwrap().stdout;
        assert!(shell == "elvish" || shell == "powershell" || script.contains("security_review"), "{shell}");
        assert!(script.contains("ask-kind"), "{shell}");
    }
}
