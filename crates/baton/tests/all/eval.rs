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
    let ran = table.home.run_with_input(&["eval", "-", "--train", "train.jsonl"], lines[3].as_bytes()).unwrap();
    assert!(ran.stdout.starts_with("choice: 1 case; learned from 4 cases\n"), "{ran:?}");
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
    let typed = [("\"tier\":2", "\"tier\":-1"), ("[\"A\",\"B\"]", "{}"), ("\"A\"}", "NaN}")];
    let typed = typed.map(|(right, wrong)| case(1, "A").replace(right, wrong));
    table.home.write("typed.jsonl", typed.join("\n")).unwrap();
    table.home.write("picture.jsonl", [b'\n', 0xff]).unwrap();
    let cases: &[(&[&str], &[&str])] = &[
        (&["eval", "bad.jsonl"], &["bad.jsonl:3", "riddle", ", column ", "bad.jsonl:4"]),
        (&["eval", "good.jsonl", "--train", "bad.jsonl"], &["bad.jsonl:3"]),
        (&["eval", "good.jsonl", "--members", "ann,eve"], &["`eve`", "ann, bob"]),
        (&["eval", "absent.jsonl"], &["`absent.jsonl` cannot be read"]),
        (
            &["eval", "typed.jsonl"],
            &["typed.jsonl:1", "a tier from 1 to 5", "object, expected a list", "typed.jsonl:3"],
        ),
        (&["eval", "empty.jsonl"], &["no case"]),
        (&["eval", "picture.jsonl", "bad.jsonl"], &["3 lines", "picture.jsonl:2", "UTF-8", "bad.jsonl:3"]),
        (&["eval", "good.jsonl", "--members", "eve,ann,zoe"], &["members `eve`, `zoe`"]),
        (&["eval", "good.jsonl", "--members", " ,"], &["names nobody"]),
        (&["eval", "-", "--train", "-"], &["read once"]),
        (&["eval", "good.jsonl", "--cases", "-"], &["standard output is for the figures"]),
        (&["eval", "good.jsonl", "--cases", "absent/out"], &["`absent/out` cannot be written"]),
        (&["eval", "good.jsonl", "--cases", "."], &["`.` cannot be written"]),
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

#[test]
fn what_is_decided_never_goes_over_what_it_was_decided_from() {
    let table = Table::lay(THREE, []);
    table.home.write("good.jsonl", case(1, "A")).unwrap();
    table.home.write("train.jsonl", case(2, "A")).unwrap();
    let place = table.home.work();
    std::fs::hard_link(place.join("good.jsonl"), place.join("linked.jsonl")).unwrap();
    std::os::unix::fs::symlink("train.jsonl", place.join("pointer.jsonl")).unwrap();
    for out in ["good.jsonl", "./good.jsonl", "linked.jsonl", "pointer.jsonl"] {
        let ran = table.run(&["eval", "good.jsonl", "--train", "train.jsonl", "--cases", out]);
        assert_eq!((ran.code, &*ran.stdout), (Some(2), ""), "{out}");
        assert!(ran.stderr.contains("would write over"), "{out}: {}", ran.stderr);
    }
    assert_eq!(std::fs::read_to_string(place.join("good.jsonl")).unwrap(), case(1, "A"));
    assert_eq!(std::fs::read_to_string(place.join("train.jsonl")).unwrap(), case(2, "A"));
    let ran = table.run(&["eval", "good.jsonl", "--cases", "out.jsonl"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let ran = table.run(&["eval", "good.jsonl", "--cases", "out.jsonl"]);
    assert_eq!(ran.code, Some(0), "its own older output is replaced: {}", ran.stderr);
}

#[test]
fn what_is_not_taken_as_it_stands_is_told_by_line_and_measured_all_the_same() {
    let table = Table::lay(THREE, []);
    let outside = case(2, "A").replace("\"position\":\"B\"", "\"position\":\"Z\"");
    table.home.write("cases.jsonl", format!("{}\n\n{outside}", case(1, "A"))).unwrap();
    let ran = table.run(&["eval", "cases.jsonl", "--json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(ran.stderr.trim(), "cases.jsonl:3: `bob` says `Z`, which is none of the options: taken as no opinion");
    let many: Vec<String> =
        (0..30).map(|id| case(id, "A").replace("\"position\":\"B\"", "\"position\":\"Z\"")).collect();
    table.home.write("many.jsonl", many.join("\n")).unwrap();
    let ran = table.run(&["eval", "many.jsonl"]);
    assert!(ran.stderr.contains("many.jsonl:10:") && ran.stderr.contains("and 20 more of these"), "{}", ran.stderr);
}
