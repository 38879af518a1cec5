//! `baton eval`: recorded cases in, figures out; nobody is asked.

use crate::table::{THREE, Table};

fn case(id: usize, right: &str) -> String {
    format!(
        r#"{{"id":"q{id}","kind":"choice","category":"law","options":["A","B"],"opinions":[{{"member":"ann","family":"x","tier":2,"position":"A"}},{{"member":"bob","family":"y","tier":3,"position":"B"}}],"truth":"{right}"}}"#
    )
}

#[test]
fn figures_are_printed_and_the_decisions_are_written() {
    let table = Table::lay(THREE, []);
    let lines: Vec<String> = (0..4).map(|id| case(id, if id == 3 { "B" } else { "A" })).collect();
    table.home.write("cases.jsonl", lines.join("\n")).unwrap();
    table.home.write("train.jsonl", lines.join("\n")).unwrap();
    let ran = table.run(&["eval", "cases.jsonl", "--train", "train.jsonl", "--json", "--cases", "out.jsonl"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let figures: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&figures["schema"], &figures["choice"]["cases"]), (&"baton.eval/1".into(), &4.into()));
    assert_eq!(figures["choice"]["accuracy"], 0.75);
    assert!(ran.stderr.contains("4 cases are both learned from and measured on"), "{}", ran.stderr);
    let ran = table.run(&["eval", "cases.jsonl", "--members", "bob"]);
    assert_eq!(ran.stderr, "", "nothing is learned from");
    assert!(ran.stdout.contains("best single (bob)") && !ran.stdout.contains("ann"), "{}", ran.stdout);
    assert!(table.upstream.requests().is_empty(), "nobody was asked");
}

#[test]
fn what_is_wrong_with_the_files_is_told_by_file_and_line() {
    let table = Table::lay(THREE, []);
    table.home.write("good.jsonl", case(1, "A")).unwrap();
    table
        .home
        .write("bad.jsonl", format!("{}\n\n{{\"id\":\"r\",\"kind\":\"riddle\"}}\nno json", case(1, "A")))
        .unwrap();
    table.home.write("empty.jsonl", "\n").unwrap();
    table.home.write("picture.jsonl", [b'\n', 0xff]).unwrap();
    let cases: &[(&[&str], &[&str])] = &[
        (&["eval", "bad.jsonl"], &["bad.jsonl:3", "riddle", ", column ", "bad.jsonl:4"]),
        (&["eval", "good.jsonl", "--train", "bad.jsonl"], &["bad.jsonl:3"]),
        (&["eval", "good.jsonl", "--members", "ann,eve"], &["`eve`", "ann, bob"]),
        (&["eval", "absent.jsonl"], &["`absent.jsonl` cannot be read"]),
        (&["eval", "empty.jsonl"], &["no case"]),
        (&["eval", "picture.jsonl"], &["picture.jsonl:2", "UTF-8"]),
        (&["eval"], &["FILE"]),
    ];
    for (arguments, parts) in cases {
        let ran = table.run(arguments);
        assert_eq!((ran.code, &*ran.stdout), (Some(2), ""), "{arguments:?}: {}", ran.stderr);
        for part in *parts {
            assert!(ran.stderr.contains(part), "{arguments:?}: {part}: {}", ran.stderr);
        }
    }
}
