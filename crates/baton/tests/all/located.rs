//! Findings are held against the true files of the workspace, attached or not.

use baton_script::Answer;
use serde_json::Value;

use crate::table::{THREE, Table, all, model};

fn finds(place: &str, quote: &str) -> Answer {
    let finding = format!(
        "{{{place}, \"severity\": \"critical\", \"claim\": \"It overflows\", \"evidence\": \"I read it\"{quote}}}"
    );
    Answer::text(format!("See the list.\n\n```json\n{{\"verdict\": \"reject\", \"findings\": [{finding}]}}\n```"))
}

fn at(file: &str, line: u32) -> Answer {
    finds(&format!("\"file\": \"{file}\", \"line\": {line}"), "")
}

/// Two members report the same of a file that is not attached; the third approves.
fn reviewed(answer: &Answer) -> (Table, Value) {
    let mut rules = all(THREE, "approve");
    rules[0] = model("ash", [answer.clone()]);
    rules[1] = model("beech", [answer.clone()]);
    let table = Table::lay(THREE, rules);
    table.home.write("net.rs", "loop {}\n").unwrap();
    table.home.write("Cargo.toml", "[package]\n\nname = \"x\"\n").unwrap();
    let (_, decision) = table.ask(&["Review the retry loop", "-f", "net.rs"]);
    (table, decision)
}

#[test]
fn a_file_that_is_not_there_is_refused_and_the_run_verifies_once_it_is() {
    let (table, decision) = reviewed(&at("src/ghost.rs", 3));
    assert_eq!(decision["issues"], serde_json::json!([]));
    assert_eq!(decision["refusedIssues"][0]["because"], "there is no file src/ghost.rs");
    assert_eq!(decision["refusedIssues"][1]["number"], 2);
    table.home.write("src/ghost.rs", "1\n2\n3\n").unwrap();
    let run = decision["run"].as_str().unwrap();
    let verified = table.run(&["verify", run]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    let accepted = table.run(&["reject", run, "1"]);
    assert!(accepted.stderr.contains("wrong: ash"), "{accepted:?}");
    assert!(table.run(&["rate", run, "good", "--because", "merge"]).code == Some(0));
    let shown = table.run(&["show", run]).stdout;
    let words = "What became of it\n  finding 1 rejected\n  rated good, because it was merged\n";
    assert!(shown.contains(words) && shown.contains("Refused: 2 findings\n  1 src/ghost.rs:3\n"), "{shown}");
}

#[test]
fn a_line_that_is_not_there_and_a_quotation_that_is_not_there_count_as_in_attached_files() {
    let (_, decision) = reviewed(&at("b/Cargo.toml", 500));
    assert_eq!(decision["refusedIssues"][0]["because"], "Cargo.toml has 3 lines: there is no line 500");
    let (_, decision) = reviewed(&finds("\"file\": \"./Cargo.toml\", \"line\": 3", ", \"quote\": \"version = 1\""));
    let issue = &decision["issues"][0];
    assert_eq!((&issue["file"], &issue["standing"]), (&"Cargo.toml".into(), &"unconfirmed".into()));
    assert_eq!(issue["because"], "what it quotes does not stand there");
    let (_, decision) = reviewed(&finds("\"file\": \"Cargo.toml\", \"line\": 3", ", \"quote\": \"name = \\\"x\\\"\""));
    assert_eq!(decision["issues"][0]["standing"], "confirmed");
    assert_eq!(decision["issues"][0]["evidence"][1]["member"], "beech");
    assert_eq!(decision["issues"][0]["evidence"][1]["quote"], "name = \"x\"");
}

#[test]
fn one_member_s_critical_finding_at_an_empty_line_blocks_nobody() {
    for (line, blocks) in [(2, false), (3, true)] {
        let mut rules = all(THREE, "approve");
        rules[1] = model("beech", [at("Cargo.toml", line)]);
        let table = Table::lay(THREE, rules);
        table.home.write("Cargo.toml", "[package]\n\nname = \"x\"\n").unwrap();
        table.home.write("net.rs", "loop {}\n").unwrap();
        let (_, decision) = table.ask(&["Review the retry loop", "-f", "net.rs"]);
        let blockers = decision["blockers"].as_array().unwrap();
        assert_eq!(blockers.contains(&"critical_finding".into()), blocks, "{line}: {decision:#}");
    }
}
