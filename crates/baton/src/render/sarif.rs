//! The findings of a decision as SARIF 2.1.0, for code hosts and editors.
//!
//! Each merged finding is a result, with its number in the decision; refused ones are left out. Severity is the rule:
//! critical and high are errors, medium is a warning, low is a note. What is not confirmed is a note, whatever its
//! severity. `partialFingerprints` depend on the file and the words of the claim alone, so that a result stays the same
//! when lines move. A run in which nobody answered is told as an unsuccessful execution: an empty list of it must not be
//! read as clean.

use std::collections::BTreeMap;
use std::fmt::Write;

use baton_core::consensus::{Decision, MergedFinding, ReproductionReport, Standing};
use baton_core::hash::Hash;
use baton_core::ids::RunId;
use baton_core::opinion::Severity;
use baton_core::text::{one_line, words as claim_words};
use serde_json::{Value, json};

use super::words;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
const LONGEST: usize = 1_000;
/// What paths are relative to.
const ROOT: &str = "%SRCROOT%";
/// Where a finding stands that names no file: code hosts turn a log down of which one result has no location.
const NOWHERE: &str = "no file associated with this finding";

struct Rule {
    severity: Severity,
    id: &'static str,
    level: &'static str,
    about: &'static str,
}

/// In the order in which `ruleIndex` counts them.
const RULES: [Rule; 4] = [
    Rule {
        severity: Severity::Critical,
        id: "finding/critical",
        level: "error",
        about: "A problem that must not go through",
    },
    Rule { severity: Severity::High, id: "finding/high", level: "error", about: "A problem to be mended first" },
    Rule { severity: Severity::Medium, id: "finding/medium", level: "warning", about: "A problem worth mending" },
    Rule { severity: Severity::Low, id: "finding/low", level: "note", about: "A remark" },
];

/// The whole log: one run with one result a finding.
pub(crate) fn log(run: &RunId, decision: &Decision) -> Value {
    let (recommendation, meaning) = words::recommendation(decision);
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "baton", "version": env!("CARGO_PKG_VERSION"), "rules": RULES.iter().map(rule).collect::<Vec<_>>(),
            } },
            "automationDetails": { "id": format!("baton/{run}") },
            "invocations": [{ "executionSuccessful": !words::is_empty(decision) }],
            "columnKind": "unicodeCodePoints",
            // Which folder that is on this machine concerns nobody who reads the log elsewhere.
            "originalUriBaseIds": { ROOT: { "description": { "text": "The root of the repository" } } },
            "results": results(decision),
            "properties": {
                "recommendation": decision.recommendation, "verdict": decision.verdict,
                "summary": format!("{recommendation}: {meaning}"),
                "overallConfidence": decision.overall_confidence.as_f64(), "threshold": decision.threshold.as_f64(),
                "scripted": decision.scripted,
            },
        }],
    })
}

fn rule(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": { "text": rule.about },
        "defaultConfiguration": { "level": rule.level },
        "properties": { "severity": rule.severity },
    })
}

fn results(decision: &Decision) -> Vec<Value> {
    let mut seen: BTreeMap<Hash, u64> = BTreeMap::new();
    let numbered = (1_usize..).zip(&decision.issues);
    numbered
        .map(|(number, issue)| {
            let same = seen.entry(fingerprint(issue)).or_default();
            *same += 1;
            let mut result = result(number, issue, *same);
            if let Some(test) = decision.reproductions.iter().find(|test| is_of(test, issue)) {
                result["properties"]["reproduction"] = json!({
                    "result": test.result, "by": test.by, "test": test.test, "command": test.command, "because": test.because,
                });
            }
            result
        })
        .collect()
}

/// The test was asked for of this very finding.
fn is_of(test: &ReproductionReport, issue: &MergedFinding) -> bool {
    (&test.claim, &test.file, test.line) == (&issue.claim, &issue.file, issue.line)
}

/// `same` counts the results of one fingerprint, from 1.
fn result(number: usize, issue: &MergedFinding, same: u64) -> Value {
    let (index, rule) = rule_of(issue.severity);
    let confirmed = issue.standing == Standing::Confirmed;
    let standing = match confirmed {
        true if issue.is_not_to_be_outvoted() => "not to be outvoted",
        true => "confirmed",
        false => "unconfirmed",
    };
    let grounds: String =
        issue.evidence.iter().filter_map(|one| words::ground(one, LONGEST)).map(|one| format!("\n\n{one}")).collect();
    let claim = one_line(&issue.claim, LONGEST);
    let mut result = json!({
        "ruleId": rule.id,
        "ruleIndex": index,
        "level": if confirmed { rule.level } else { "note" },
        "message": { "text": format!("{claim} ({standing}: {}){grounds}", words::behind(issue)) },
        "rank": issue.confidence.as_f64() * 100.0,
        "partialFingerprints": { "batonFinding/v1": format!("{}:{same}", fingerprint(issue)) },
        "properties": {
            "number": number, "standing": issue.standing, "severity": issue.severity,
            "reportedBy": issue.reported_by, "deniedBy": issue.denied_by, "because": issue.because,
            "confidence": issue.confidence.as_f64(), "evidence": issue.evidence,
        },
    });
    // A path that leads out of the repository is none that a host could show.
    let within = |file: &&str| !file.is_empty() && !file.split('/').any(|part| part == "..");
    let physical = match issue.file.as_deref().filter(within) {
        Some(file) => location(file, issue.line),
        None => location(NOWHERE, Some(1)),
    };
    result["locations"] = json!([{ "physicalLocation": physical }]);
    result
}

fn rule_of(severity: Severity) -> (usize, &'static Rule) {
    let found = RULES.iter().enumerate().find(|(_, rule)| rule.severity == severity);
    found.unwrap_or((RULES.len() - 1, &RULES[RULES.len() - 1]))
}

/// Lines count from 1 there as here; a finding about a whole file has no region.
fn location(file: &str, line: Option<u32>) -> Value {
    let artifact = match file.strip_prefix('/') {
        Some(_) => json!({ "uri": format!("file://{}", encoded(file)) }),
        None => json!({ "uri": encoded(file.trim_start_matches("./")), "uriBaseId": ROOT }),
    };
    let mut location = json!({ "artifactLocation": artifact });
    if let Some(line) = line.filter(|line| *line > 0) {
        location["region"] = json!({ "startLine": line });
    }
    location
}

/// A path as a URI's path (RFC 3986): what is neither unreserved nor `/` is percent-encoded.
fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn fingerprint(issue: &MergedFinding) -> Hash {
    let file = issue.file.as_deref().unwrap_or_default();
    Hash::of(format!("{file}\n{}", claim_words(&issue.claim).join(" ")).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    /// The properties that the 2.1.0 schema requires of what is written here, and the values that it allows.
    fn check(log: &Value) {
        assert_eq!(log["version"], "2.1.0");
        assert!(log["$schema"].as_str().unwrap().ends_with("sarif-2.1.0.json"));
        for run in log["runs"].as_array().unwrap() {
            let driver = &run["tool"]["driver"];
            assert!(!driver["name"].as_str().unwrap().is_empty());
            let rules = driver["rules"].as_array().unwrap();
            assert!(rules.iter().all(|rule| rule["id"].is_string() && rule["shortDescription"]["text"].is_string()));
            assert!(run["invocations"].as_array().unwrap().iter().all(|one| one["executionSuccessful"].is_boolean()));
            assert!(["utf16CodeUnits", "unicodeCodePoints"].contains(&run["columnKind"].as_str().unwrap()));
            run["results"].as_array().unwrap().iter().for_each(|result| check_result(result, rules));
        }
    }

    fn check_result(result: &Value, rules: &[Value]) {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"], "the index and the id name the same rule");
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        assert!(["none", "note", "warning", "error"].contains(&result["level"].as_str().unwrap()));
        assert!((0.0..=100.0).contains(&result["rank"].as_f64().unwrap()));
        assert!(result["partialFingerprints"].as_object().unwrap().values().all(Value::is_string));
        let locations = result["locations"].as_array().unwrap();
        assert!(!locations.is_empty(), "GitHub turns down the whole log otherwise");
        for location in locations {
            let physical = &location["physicalLocation"];
            let uri = physical["artifactLocation"]["uri"].as_str().unwrap();
            assert!(!uri.is_empty() && !uri.contains([' ', '\\', '<']), "{uri}");
            assert!(physical["region"].is_null() || physical["region"]["startLine"].as_u64().unwrap() >= 1);
        }
    }

    fn sample_log() -> Value {
        let (run, _, decision) = sample::decided();
        log(&run, &decision)
    }

    #[test]
    fn what_the_schema_requires_is_there() {
        let log = sample_log();
        check(&log);
        assert_eq!(log["runs"][0]["tool"]["driver"]["name"], "baton");
        assert_eq!(log["runs"][0]["results"].as_array().unwrap().len(), 4, "the refused one is left out");
    }

    #[test]
    fn what_paths_are_relative_to_is_declared_without_a_folder_of_this_machine() {
        let log = sample_log();
        let bases = log["runs"][0]["originalUriBaseIds"].as_object().unwrap();
        let used = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uriBaseId"];
        assert!(bases[used.as_str().unwrap()]["uri"].is_null());
    }

    #[test]
    fn the_evidence_is_in_the_message_and_in_the_properties() {
        let log = sample_log();
        let first = &log["runs"][0]["results"][0];
        let message = first["message"]["text"].as_str().unwrap();
        assert!(
            message.ends_with(
                "\n\nalder: 1 << 64 is no number\n\ncedar quotes what does not stand there: let `x` = 1 << retry;"
            ),
            "{message}"
        );
        assert_eq!(first["properties"]["evidence"][0]["quote"], "1 << retry");
    }

    #[test]
    fn a_finding_tells_where_it_is_and_who_stands_behind_it() {
        let log = sample_log();
        let first = &log["runs"][0]["results"][0];
        assert_eq!((&first["ruleId"], &first["level"]), (&json!("finding/critical"), &json!("error")));
        let physical = &first["locations"][0]["physicalLocation"];
        assert_eq!(physical["artifactLocation"]["uri"], "src/a%20b.rs");
        assert_eq!(physical["region"]["startLine"], 29);
        let told = &first["properties"];
        assert_eq!((&told["standing"], &told["confidence"]), (&json!("confirmed"), &json!(0.93)));
        assert_eq!((&told["reportedBy"], &told["deniedBy"]), (&json!(["alder", "cedar"]), &json!(["birch"])));
    }

    #[test]
    fn what_is_not_confirmed_is_a_note_whatever_its_severity() {
        let log = sample_log();
        let high = &log["runs"][0]["results"][2];
        assert_eq!((&high["ruleId"], &high["level"]), (&json!("finding/high"), &json!("note")));
        assert_eq!(high["properties"]["standing"], "unconfirmed");
    }

    #[test]
    fn every_result_has_a_location_and_one_without_a_line_no_region() {
        let log = sample_log();
        let results = &log["runs"][0]["results"];
        let nowhere = &results[3]["locations"][0]["physicalLocation"];
        assert_eq!(nowhere["artifactLocation"]["uri"], "no%20file%20associated%20with%20this%20finding");
        assert_eq!(nowhere["region"]["startLine"], 1);
        let (run, _, mut decision) = sample::decided();
        decision.issues[0].file = Some("../../etc/passwd".into());
        assert_eq!(&super::log(&run, &decision)["runs"][0]["results"][0]["locations"], &results[3]["locations"]);
        let whole_file = &results[1]["locations"][0]["physicalLocation"];
        assert_eq!(
            (&whole_file["region"], whole_file["artifactLocation"]["uri"].as_str()),
            (&Value::Null, Some("src/b.rs"))
        );
    }

    #[test]
    fn fingerprints_outlive_moved_lines_and_differ_among_equal_claims() {
        let (run, _, mut decision) = sample::decided();
        let prints = |decision: &Decision| -> Vec<Value> {
            let log = log(&run, decision);
            log["runs"][0]["results"].as_array().unwrap().iter().map(|one| one["partialFingerprints"].clone()).collect()
        };
        let before = prints(&decision);
        decision.issues[0].line = Some(31);
        assert_eq!(prints(&decision), before);
        let twin = decision.issues[0].clone();
        decision.issues.push(twin);
        let after = prints(&decision);
        assert_eq!(after[..4], before);
        assert_ne!(after[4], after[0]);
    }

    #[test]
    fn a_run_without_an_opinion_is_no_clean_one() {
        let (run, _, mut decision) = sample::decided();
        decision.blockers.push(baton_core::consensus::Blocker::AllFailed);
        decision.issues.clear();
        let log = log(&run, &decision);
        check(&log);
        assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], false);
        assert_eq!(log["runs"][0]["results"], json!([]));
    }

    #[test]
    fn paths_become_uris() {
        assert_eq!(encoded("src/ä:b%.rs"), "src/%C3%A4%3Ab%25.rs");
        assert_eq!(location("/tmp/x.rs", Some(0)), json!({ "artifactLocation": { "uri": "file:///tmp/x.rs" } }));
        assert_eq!(location("./x.rs", None)["artifactLocation"]["uri"], "x.rs");
    }
}
