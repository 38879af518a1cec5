//! Members that answer in plain words: what they find and decide counts, and a text ends before its block.

use baton_script::Answer;

use crate::table::{Seat, THREE, Table, model};

fn written(text: &str) -> Answer {
    Answer::text(text.to_owned()).usage(1_000, 100, 0)
}

#[test]
fn a_critical_finding_in_plain_words_is_not_outvoted() {
    let rules = [
        model("ash", [written("APPROVE")]),
        model("beech", [written("LGTM")]),
        model("cork", [written("REJECT. Critical: lib.rs:2 divides by zero when size is 0, so pages(1, 0) panics.")]),
    ];
    let table = Table::lay(THREE, rules);
    let file = table.home.home().join("lib.rs");
    std::fs::write(&file, "fn pages(all: u32, size: u32) -> u32 {\n    all / size\n}\n").unwrap();
    let file = file.display().to_string();
    let asked = ["Review this code", "-f", &file, "--question", "findings", "--complexity", "standard"];
    let (_, decision) = table.ask(&asked);
    assert_eq!(decision["abstained"].as_array().map(Vec::len), Some(0), "{decision:#}");
    let issue = &decision["issues"][0];
    assert_eq!((issue["severity"].as_str(), issue["line"].as_u64()), (Some("critical"), Some(2)), "{decision:#}");
    assert_ne!(decision["verdict"], "approve");
    assert_ne!(decision["recommendation"], "proceed");
}

#[test]
fn a_text_ends_before_its_block_and_who_says_otherwise_is_named() {
    let block = "\n\n```json\n{\"confidence\": 0.8, \"findings\": []}\n```\n";
    let seats = [
        THREE[0],
        THREE[1],
        THREE[2],
        Seat { id: "date", tier: 4, vendor: "date-co" },
        Seat { id: "elm", tier: 5, vendor: "elm-co" },
    ];
    let yes = || written(&format!("Yes. Use a queue.{block}"));
    let no = || written(&format!("No. A queue would lose orders here.{block}"));
    let rules = [
        model("ash", [yes()]),
        model("beech", [yes()]),
        model("cork", [yes()]),
        model("date", [no()]),
        model("elm", [no()]),
    ];
    let table = Table::lay(&seats, rules);
    let asked = [
        "Should we put a queue between the shop and the warehouse?",
        "--question",
        "text",
        "--priority",
        "medium",
        "-m",
        "ash,beech,cork,date,elm",
    ];
    let (_, decision) = table.ask(&asked);
    assert_eq!(decision["answer"]["text"], "Yes. Use a queue.", "{decision:#}");
    assert_eq!((decision["hasConflict"].as_bool(), decision["priority"].as_str()), (Some(false), Some("normal")));
    let dissenters: Vec<&str> =
        decision["dissenters"].as_array().unwrap().iter().filter_map(|one| one["member"].as_str()).collect();
    assert_eq!(dissenters, ["date", "elm"]);
    let shown = table.run(&["show"]).stdout;
    assert!(shown.contains("Against it\n  date says against: put a queue"), "{shown}");
    assert!(shown.contains("ash's text: the most reliable of the 5") && !shown.contains("```json"), "{shown}");
}
