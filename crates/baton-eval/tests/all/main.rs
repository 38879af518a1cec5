//! What recorded cases are read as, and what is measured on them.

#![allow(clippy::unwrap_used, reason = "a test may stop where something is not as it must be")]

#[cfg(test)]
mod choosing;
#[cfg(test)]
mod conflicts;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod tables;

use baton_eval::{Case, read_line};

#[test]
fn each_kind_of_case_is_read() {
    let lines = [
        r#"{"id":"q","kind":"choice","options":["A","B"],"opinions":[{"member":"M","tier":1,"position":null}]}"#,
        r#"{"id":"f","kind":"findings","opinions":[{"member":"M","tier":3,"findings":[{"id":"1","claim":"c"}]}]}"#,
        r#"{"id":"t","kind":"task","prompt":"why is it slow"}"#,
        r#"{"id":"c","kind":"conflict","opinions":[{"member":"M","tier":1,"text":"yes"}]}"#,
    ];
    let ids: Vec<String> = lines.iter().map(|line| read_line(line).unwrap().id().to_owned()).collect();
    assert_eq!(ids, ["q", "f", "t", "c"]);
    assert!(matches!(read_line(lines[2]).unwrap(), Case::Task(_)));
}

#[test]
fn an_unknown_kind_is_refused_by_name() {
    let refused = read_line(r#"{"id":"q","kind":"riddle"}"#).unwrap_err().to_string();
    assert!(refused.contains("riddle"), "{refused}");
}
