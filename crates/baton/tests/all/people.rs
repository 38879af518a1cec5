//! What people do with it: dry run, lists, sessions, verification, consent, answers, completions.

use baton_script::Answer;

use crate::table::{THREE, Table, all, home, model};

#[test]
fn a_dry_run_shows_everything_and_asks_nobody() {
    let table = Table::lay(THREE, all(THREE, "approve"));
    table.home.write("net.rs", "fn retry() {}\n").unwrap();
    let ran = table.run(&["ask", "Is this retry loop safe?", "-f", "net.rs", "--dry-run"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    for part in ["ash", "primary", "estimate: at most about $", "net.rs", "fn retry() {}", "Nobody was asked."] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
    assert!(table.upstream.requests().is_empty());
    assert_eq!(table.run(&["runs"]).stdout, "", "and nothing is recorded as a run");
}

#[test]
fn nothing_is_sent_to_a_vendor_that_was_not_allowed() {
    let table = Table::lay(THREE, all(THREE, "approve"));
    let refused = table.run(&["ask", "Fix the typo"]);
    assert_eq!(refused.code, Some(3), "{}", refused.stderr);
    for part in ["ash-co", "paid by key", "--yes", "allow = ["] {
        assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
    }
    assert!(table.upstream.requests().is_empty());
    let allowed = Table::lay_with(THREE, all(THREE, "approve"), "allow = [\"ash-co\", \"beech-co\", \"cork-co\"]");
    assert_eq!(allowed.run(&["ask", "Fix the typo"]).code, Some(0));
}

#[test]
fn runs_are_listed_shown_and_verified() {
    let table = Table::lay(THREE, all(THREE, "approve"));
    table.ask(&["Is this fine as it is?"]);
    let runs = table.run(&["runs"]);
    assert!(runs.stdout.contains("Is this fine as it is?"), "{}", runs.stdout);
    let show = table.run(&["show", "--transcripts"]);
    for part in ["Steps", "ash", "1000 tokens in, 100 out", "prompt to ash", "I looked at it."] {
        assert!(show.stdout.contains(part), "{part}: {}", show.stdout);
    }
    let verify = table.run(&["verify"]);
    assert_eq!((verify.code, verify.stdout.contains("equal")), (Some(0), true), "{verify:?}");
    let list = table.run(&["runs", "--json"]).json().unwrap();
    let id = list[0]["run"].as_str().unwrap();
    assert_eq!(table.run(&["show", &id[id.len() - 6..], "--json"]).json().unwrap()["run"], id);
}

#[test]
fn a_consultation_goes_on_in_its_session() {
    let answers = [Answer::text("Use a queue."), Answer::text("Because it is simple.")];
    let table = Table::lay(THREE, [model("beech", answers)]);
    let consult = |text: &str| table.run(&["consult", "beech", text, "--session", "auth", "--yes", "--effort", "high"]);
    let first = consult("How should I retry?");
    assert!(first.stdout.contains("Use a queue."), "{first:?}");
    let second = consult("Why?");
    assert!(second.stdout.contains("Because it is simple."), "{second:?}");
    let requests = table.upstream.requests();
    assert_eq!(table.upstream.asked_models(), ["beech", "beech"]);
    assert!(!requests[0].body.contains("Use a queue."));
    assert!(requests[1].body.contains("Use a queue."), "the second turn carries the first");
}

#[test]
fn a_program_cannot_release_what_waits_for_a_person() {
    let table = Table::lay(THREE, all(THREE, "approve"));
    let (_, decision) = table.ask(&["Review security of auth code", "--priority", "critical"]);
    let run = decision["run"].as_str().unwrap().to_owned();
    let wrong = table.run(&["respond", &run, "maybe"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("approve, reject"), "{}", wrong.stderr);
    let answered = table.run(&["respond", &run, "approve", "--json"]);
    let value = answered.json().unwrap();
    assert_eq!(answered.code, Some(11), "{value:#}");
    assert_eq!(value["decidedBy"]["by"], "client");
    assert!(value["blockers"].as_array().unwrap().contains(&"needs_person".into()));
    assert_eq!(table.run(&["verify", &run]).code, Some(0));
    let instead = table.run(&["override", &run, "reject"]);
    assert_eq!(instead.code, Some(2));
    assert!(instead.stderr.contains("only a person"), "{}", instead.stderr);
}

#[test]
fn members_say_why_they_cannot_be_asked() {
    let ran = home().run(&["members"]).unwrap();
    assert_eq!(ran.code, Some(0));
    assert!(ran.stdout.contains("is not on the PATH") && ran.stdout.contains("is not set"), "{}", ran.stdout);
    let table = Table::lay(THREE, []);
    let usable = table.run(&["members", "--usable", "--json"]).json().unwrap();
    assert_eq!(usable.as_array().unwrap().len(), 3);
    assert_eq!(usable[0]["payer"], "key");
}

#[test]
fn a_member_of_a_running_baton_cannot_start_another_round() {
    let mut table = Table::lay(THREE, all(THREE, "approve"));
    table.home.set("BATON_DEPTH", "1");
    for command in [&["ask", "x", "--yes"][..], &["consult", "ash", "x", "--yes"], &["resume"]] {
        let ran = table.run(command);
        assert_eq!(ran.code, Some(2), "{command:?}");
        assert!(ran.stderr.contains("started by a member of a running baton"), "{}", ran.stderr);
    }
    assert!(table.upstream.requests().is_empty());
}

#[test]
fn no_key_is_in_anything_that_is_kept_or_shown() {
    let table = Table::lay(THREE, all(THREE, "approve"));
    let ran = table.run(&["ask", "Is this fine?", "--yes"]);
    let show = table.run(&["show", "--transcripts"]);
    for text in [&ran.stdout, &ran.stderr, &show.stdout, &show.stderr] {
        assert!(!text.contains("sk-canary"), "{text}");
    }
    let mut folders = vec![table.home.home()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                assert!(!bytes.windows(9).any(|window| window == b"sk-canary"), "{}", path.display());
            }
        }
    }
}

#[test]
fn a_diff_on_standard_input_goes_with_the_task() {
    let table = Table::lay(THREE, all(THREE, "approve"));
    let diff = "diff --git a/x.rs b/x.rs\n--- a/x.rs\n+++ b/x.rs\n@@ -1 +1 @@\n-old\n+brand_new_line\n";
    let ran = table.home.run_with_input(&["ask", "Review this", "--yes", "--json"], diff.as_bytes()).unwrap();
    assert!(ran.json().is_ok(), "{ran:?}");
    assert!(table.upstream.requests()[0].body.contains("brand_new_line"));
}

#[test]
fn a_consultation_is_an_answer_and_no_verdict() {
    let table = Table::lay(THREE, [model("beech", [Answer::text("Use a queue.")])]);
    let ran = table.run(&["consult", "beech", "How should I retry?", "--yes"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "Use a queue.\n"), "{}", ran.stderr);
}

#[test]
fn a_cancelled_or_waiting_run_is_listed_as_what_it_is() {
    let table = Table::lay(THREE, all(THREE, "approve"));
    table.ask(&["Review security of auth code", "--priority", "critical"]);
    assert!(table.run(&["runs"]).stdout.contains("waiting"));
    let runs = table.run(&["runs", "--json"]).json().unwrap();
    let short = &runs[0]["run"].as_str().unwrap()[28..];
    assert_eq!(table.run(&["show", &short[..4]]).code, Some(0), "the beginning of the short id is enough");
    let cancelled = table.run(&["cancel"]);
    assert_eq!((cancelled.code, cancelled.stderr.contains("is cancelled")), (Some(0), true), "{cancelled:?}");
    assert!(table.run(&["runs"]).stdout.contains("cancelled"), "{}", table.run(&["runs"]).stdout);
}

#[test]
fn a_limit_holds_also_for_members_without_a_price() {
    let table = Table::lay(THREE, all(THREE, "approve"));
    let path = table.home.home().join("baton.toml");
    let unpriced = std::fs::read_to_string(&path).unwrap().replace("price =", "# price =");
    std::fs::write(&path, unpriced).unwrap();
    let ran = table.run(&["ask", "Is this fine?", "--yes", "--max-cost", "0.01"]);
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    assert!(ran.stderr.contains("its price is not known"), "{}", ran.stderr);
    assert!(table.upstream.requests().is_empty());
}

#[test]
fn completions_are_printed() {
    let ran = home().run(&["completions", "bash"]).unwrap();
    assert_eq!(ran.code, Some(0));
    assert!(ran.stdout.contains("_baton"));
}
