//! A member whose API is held to the form of the answer counts like one that writes the block itself.

use baton_script::{Answer, Fault};
use serde_json::json;

use crate::table::{THREE, Table, fault, model, says};

/// The table with the API of `ash` held to the form.
fn table(ash: Answer) -> Table {
    let rules = [model("ash", [ash]), model("beech", [says("reject")]), model("cork", [says("reject")])];
    let table = Table::lay(THREE, rules);
    let path = table.home.home().join("baton.toml");
    let text = std::fs::read_to_string(path).unwrap();
    table.home.configure(&format!("{text}[[member]]\nid = \"ash\"\nsettings = {{ structured = \"on\" }}\n")).unwrap();
    table
}

#[test]
fn its_answer_is_counted_and_shown_as_text() {
    let said = json!({
        "answer": "It `leaks` on every retry.", "verdict": "reject", "confidence": 0.9, "abstain": null,
        "findings": [{"file": null, "line": null, "severity": "high", "claim": "a socket leaks", "evidence": null,
                      "quote": null, "stance": "holds"}],
    });
    let table = table(Answer::text(said.to_string()).usage(1_000, 100, 0));
    let (_, decision) = table.ask(&["Is this right as it is?", "--question", "verdict", "--complexity", "standard"]);
    assert_eq!((decision["modelCount"].as_u64(), decision["verdict"].as_str()), (Some(3), Some("reject")));
    let sent = table.upstream.requests();
    let held = sent.iter().filter(|recorded| recorded.body.contains("\"response_format\"")).count();
    assert_eq!((sent.len(), held), (3, 1), "only the seat that is set so");
    let shown = table.run(&["show"]).stdout;
    assert!(shown.contains("a socket leaks"), "{shown}");
    assert!(table.run(&["show", "--transcripts"]).stdout.contains("It `leaks` on every retry.\n"));
}

#[test]
fn an_api_that_refuses_the_form_is_asked_once_and_the_setting_is_named() {
    let table = table(fault(Fault::SchemaRefused));
    table.ask(&["Is this right as it is?", "--question", "verdict", "--complexity", "standard"]);
    let asked = table.upstream.asked_models();
    assert_eq!(asked.iter().filter(|model| *model == "ash").count(), 1, "{asked:?}");
    let shown = table.run(&["show"]).stdout;
    assert!(shown.contains("set `structured = \"off\"` for this seat"), "{shown}");
}
