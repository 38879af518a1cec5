//! Files as strangers write them: what is passed over, what is remarked, what is refused, and in what order it comes back.

use baton_eval::{Recorded, Report};

const CHOICE: &str =
    r#"{"id":"q","kind":"choice","options":["A","B"],"opinions":[{"member":"m","tier":1,"position":"A"}],"truth":"A"}"#;
const FINDINGS: &str =
    r#"{"id":"f","kind":"findings","opinions":[{"member":"m","tier":3,"findings":[{"id":"1","claim":"c"}]}]}"#;
const TASK: &str = r#"{"id":"t","kind":"task","prompt":"why is it slow"}"#;
const CONFLICT: &str = r#"{"id":"c","kind":"conflict","opinions":[{"member":"m","tier":1,"text":"yes"}]}"#;

/// The remarks on one line.
fn remarks(line: &str) -> Vec<String> {
    Recorded::default().read(line).unwrap().into_iter().map(|remark| remark.what).collect()
}

fn broken(bytes: &[u8]) -> Vec<(usize, String)> {
    let lines = Recorded::default().read_bytes(bytes).unwrap_err();
    lines.into_iter().map(|broken| (broken.line, broken.because)).collect()
}

#[test]
fn what_is_decided_comes_back_in_the_order_in_which_it_was_read() {
    let mut cases = Recorded::default();
    cases.read(&[TASK, CHOICE, CONFLICT].join("\n")).unwrap();
    cases.read(&[FINDINGS, &CHOICE.replace("\"q\"", "\"r\"")].join("\n")).unwrap();
    let lines = Report::of(&cases, &Recorded::default()).lines.json().unwrap();
    let ids: Vec<String> =
        lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].to_string()).collect();
    assert_eq!(ids, ["\"t\"", "\"q\"", "\"c\"", "\"f\"", "\"r\""]);
    assert_eq!(lines.lines().nth(3).unwrap(), r#"{"id":"f","confirmed":[],"unconfirmed":[["1"]]}"#);
    assert_eq!(lines.lines().nth(2).unwrap(), r#"{"id":"c","conflict":false,"disputed":[]}"#);
}

#[test]
fn a_mark_before_the_text_returns_and_empty_lines_are_passed_over() {
    let mut cases = Recorded::default();
    assert_eq!(cases.read(&format!("\u{feff}{CHOICE}\r\n\r\n  \n{TASK}")).unwrap(), []);
    assert_eq!((cases.choice.len(), cases.task.len()), (1, 1));
    assert!(Recorded::default().read("").unwrap().is_empty());
}

#[test]
fn each_broken_line_is_told_also_behind_bytes_that_are_no_text() {
    let bytes = [CHOICE.as_bytes(), b"\xff\xfe", b"\0", b"[1]", TASK.as_bytes(), b"{\"id\":"].join(&b'\n');
    let told = broken(&bytes);
    assert_eq!(told.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3, 4, 6]);
    assert_eq!(
        [&*told[0].1, &*told[1].1, &*told[2].1],
        ["is no text in UTF-8", "is no JSON object", "is no JSON object"]
    );
}

#[test]
fn null_is_as_good_as_absent_where_there_is_a_default() {
    for line in [
        CHOICE.replace("\"kind\"", "\"category\":null,\"kind\"").replace("\"tier\"", "\"family\":null,\"tier\""),
        CHOICE.replace(",\"truth\":\"A\"", ",\"truth\":null"),
        CONFLICT.replace("\"kind\"", "\"task\":null,\"truth\":{\"conflict\":true,\"sides\":null},\"kind\""),
    ] {
        assert_eq!(remarks(&line), Vec::<String>::new(), "{line}");
    }
}

#[test]
fn what_is_not_taken_as_it_stands_is_remarked() {
    let outside = CHOICE.replace("\"position\":\"A\"", "\"position\":\"Z\"");
    assert_eq!(remarks(&outside), ["`m` says `Z`, which is none of the options: taken as no opinion"]);
    let torn = CHOICE
        .replace("]}", "")
        .replace("\"position\":\"A\"}]", "\"position\":\"A\"},{\"member\":\"m\",\"tier\":1,\"position\":\"B\"}]");
    assert_eq!(remarks(&torn), ["`m` is there more than once and says different things: taken as no opinion"]);
    let twice = torn.replace("\"position\":\"B\"", "\"position\":\"A\"");
    assert_eq!(remarks(&twice), Vec::<String>::new(), "repeating oneself is nothing to tell");
    let ambiguous = FINDINGS.replace("}]}]", "},{\"id\":\"1\",\"claim\":\"d\"}]}]");
    assert_eq!(remarks(&ambiguous), ["different findings have the id `1`: the truth cannot tell them apart"]);
    let truth = ",\"truth\":{\"issues\":[{\"id\":\"g\"}],\"matches\":{\"9\":\"g\"}}}";
    let absent = FINDINGS.replace("}]}]}", &format!("}}]}}]{truth}"));
    assert_eq!(remarks(&absent), ["the truth tells of a finding `9` that nobody reports"]);
}

#[test]
fn an_id_that_is_there_twice_is_remarked_over_files_and_kinds_do_not_share_theirs() {
    let mut cases = Recorded::default();
    assert_eq!(cases.read(&[CHOICE, &TASK.replace("\"t\"", "\"q\"")].join("\n")).unwrap(), []);
    let again = cases.read(&format!("\n{CHOICE}")).unwrap();
    assert_eq!((again.len(), again[0].line), (1, 2));
    assert_eq!(again[0].what, "another choice case has the id `q` too: each counts");
    assert_eq!(cases.choice.len(), 2);
}

#[test]
fn a_truth_that_lists_an_issue_twice_is_refused() {
    let line = FINDINGS.replace("}]}]}", "}]}],\"truth\":{\"issues\":[{\"id\":\"g\"},{\"id\":\"g\"}],\"matches\":{}}}");
    assert_eq!(broken(line.as_bytes())[0].1, "case f: the truth lists the issue `g` twice");
}

/// What strangers' files may hold: nothing stops the program, and each case has its line.
#[test]
fn odd_contents_are_decided() {
    let long = "ä".repeat(20_000);
    let lines = [
        format!(
            r#"{{"id":"1","kind":"choice","options":["{long}","","日本語","1"],"opinions":[{{"member":"{long}","tier":5,"position":"日本語"}}]}}"#
        ),
        r#"{"id":"2","kind":"choice","options":[],"opinions":[{"member":"","tier":1,"position":""}]}"#.to_owned(),
        format!(
            r#"{{"id":"3","kind":"findings","opinions":[{{"member":"m","tier":1,"findings":[{{"id":"","claim":"","line":4294967295}},{{"id":"2","claim":"{long}","severity":"apocalyptic"}}]}}]}}"#
        ),
        r#"{"id":"4","kind":"findings","opinions":[],"truth":{"issues":[],"matches":{}}}"#.to_owned(),
        r#"{"id":"5","kind":"task","prompt":""}"#.to_owned(),
        format!(r#"{{"id":"6","kind":"task","prompt":"{long} \u0000"}}"#),
        r#"{"id":"7","kind":"conflict","opinions":[],"truth":{"conflict":false}}"#.to_owned(),
        format!(
            r#"{{"id":"8","kind":"conflict","opinions":[{{"member":"a","tier":1,"text":"{}"}},{{"member":"b","tier":1,"text":"```json\n{{\"confidence\": NaN}}\n```"}}]}}"#,
            "{".repeat(20_000)
        ),
    ];
    let mut cases = Recorded::default();
    cases.read(&lines.join("\n")).unwrap();
    let report = Report::of(&cases, &cases);
    assert_eq!(report.lines.json().unwrap().lines().count(), lines.len());
    assert!(report.table().lines().all(|line| line.chars().count() < 120), "{}", report.table());
}
