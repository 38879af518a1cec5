//! Wrong inputs: each has its own message, its own way out and its own exit code, and nothing is lost.

use crate::table::{THREE, Table, all, home};

fn refused(table: &Table, arguments: &[&str], code: i32, parts: &[&str]) {
    let ran = table.run(arguments);
    assert_eq!(ran.code, Some(code), "{arguments:?}: {}", ran.stderr);
    for part in parts {
        assert!(ran.stderr.contains(part), "{arguments:?}: {part}: {}", ran.stderr);
    }
    assert_eq!(ran.stdout, "", "nothing on standard output");
}

#[test]
fn each_wrong_input_is_told_with_a_way_out() {
    let table = Table::lay(THREE, all(THREE, "approve"));
    table.home.write("picture.png", [0x89, b'P', 0, 0]).unwrap();
    table.home.write("huge.log", vec![b'x'; (2 << 20) + 1]).unwrap();
    let cases: &[(&[&str], &[&str])] = &[
        (&["ask", ""], &["the task is empty"]),
        (&["ask", "  "], &["the task is empty"]),
        (&["ask", "x", "-f", "absent.rs"], &["there is no file `absent.rs`"]),
        (&["ask", "x", "-f", "."], &["is a directory"]),
        (&["ask", "x", "-f", "picture.png"], &["no text"]),
        (&["ask", "x", "-f", "huge.log"], &["too large", "cut out"]),
        (&["ask", "x", "--priority", "urgent"], &["'urgent' for '--priority", "low, normal, high, critical"]),
        (&["ask", "x", "--kind", "magic"], &["'magic' for '--kind", "code_review"]),
        (&["ask", "x", "--question", "choice"], &["verdict, findings, patch, text"]),
        (&["show", "--json", "--transcripts"], &["cannot be used with"]),
        (&["ask", "x", "--workflow", "magic"], &["there is no workflow `magic`", "refine"]),
        (&["ask", "x", "--choose", "one"], &["two options"]),
        (&["ask", "x", "--choose", "one, ,"], &["two options"]),
        (&["ask", "x", "--choose", "one,two, one"], &["names `one` twice"]),
        (&["ask", "x", "-f", "/dev/zero"], &["no regular file"]),
        (&["runs", "--limit", "0"], &["0 is not in"]),
        (&["ask", "x", "--max-cost", "-1"], &["-1"]),
        (&["ask", "x", "-m", "nobody-here"], &["there is no member `nobody-here`", "baton members"]),
        (&["ask", "x", "-m", "cheetah"], &["retired", "instead"]),
        (&["consult", "nobody-here", "x"], &["there is no member"]),
        (&["consult", "ash", "x", "--session", "../up"], &["is no session name"]),
        (&["show", "0000"], &["there is no run `0000`", "baton runs"]),
        (&["verify"], &["there are no runs yet"]),
        (&["respond", "0000", "approve"], &["there is no run"]),
        (&["trust"], &["there is no baton.toml"]),
        (&["frobnicate"], &["unrecognized subcommand"]),
    ];
    for (arguments, parts) in cases {
        refused(&table, arguments, 2, parts);
    }
    assert!(table.upstream.requests().is_empty(), "nobody was asked");
}

#[test]
fn a_member_that_is_not_usable_is_another_code() {
    let table = Table::lay(THREE, []);
    refused(&table, &["ask", "x", "-m", "claude"], 4, &["cannot be asked", "npm install"]);
}

#[test]
fn a_task_too_long_for_everybody_is_told_before_anything_is_recorded() {
    let table = Table::lay(THREE, all(THREE, "approve"));
    let long = vec![b'x'; 1 << 20];
    let ran = table.home.run_with_input(&["ask", "-", "--yes"], &long).unwrap();
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    assert!(ran.stderr.contains("does not fit its context window"), "{}", ran.stderr);
    let too_long = table.home.run_with_input(&["ask", "-", "--yes"], &vec![b'x'; 3 << 20]).unwrap();
    assert_eq!(too_long.code, Some(2), "{}", too_long.stderr);
    assert!(too_long.stderr.contains("more than 2.0 MiB"), "{}", too_long.stderr);
    assert_eq!(table.run(&["runs"]).stdout, "");
}

#[test]
fn no_member_at_all_tells_how_to_get_one() {
    let home = home();
    home.configure("local_servers = false\n").unwrap();
    let ran = home.run(&["ask", "Is this fine?"]).unwrap();
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    for part in ["no member can be asked", "npm install", "Ollama", "baton demo"] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
}

#[test]
fn a_malformed_configuration_names_file_line_and_key() {
    let home = home();
    home.configure("allow = []\nspend_cap = 3\n").unwrap();
    let ran = home.run(&["members"]).unwrap();
    assert_eq!(ran.code, Some(3));
    assert!(ran.stderr.contains("baton.toml:2: ") && ran.stderr.contains("spend_cap"), "{}", ran.stderr);
}

#[test]
fn a_check_that_depends_on_the_directory_is_refused_before_anybody_is_asked() {
    let check = "[[check]]\nid = \"tests\"\ncommand = [\"./run-tests\", \"all\"]\n";
    let parts = ["baton.toml", "check `tests`", "`./run-tests`", "command = [\"sh\", \"./run-tests\"]"];
    refused(&Table::lay_with(THREE, all(THREE, "approve"), check), &["ask", "x", "--yes"], 3, &parts);
    let table = Table::lay(THREE, all(THREE, "approve"));
    table.home.write("baton.toml", check).unwrap();
    refused(&table, &["ask", "x", "--yes"], 3, &parts);
    assert!(table.upstream.requests().is_empty());
}

#[test]
fn a_task_may_begin_with_a_dash() {
    let table = Table::lay(THREE, all(THREE, "approve"));
    for task in ["- the loop ends early", "-5 is taken as a count", "- one\n- two", "-- what is this?"] {
        let ran = table.run(&["ask", task, "--dry-run"]);
        assert_eq!(ran.code, Some(0), "{task}: {}", ran.stderr);
        assert!(ran.stdout.contains(&format!("# Task\n\n{task}\n")), "{task}: {}", ran.stdout);
    }
    refused(&table, &["ask", "- the loop ends early", "--bogus"], 2, &["unexpected argument '--bogus'"]);
    refused(&table, &["ask", "--bogus", "x"], 2, &["unexpected argument '--bogus'"]);
}

#[test]
fn a_store_that_is_none_or_newer_is_left_as_it_is() {
    for bytes in [b"this is no database, but a poem of some length".repeat(40), newer_store()] {
        let home = home();
        let path = home.home().join("baton.db");
        std::fs::write(&path, &bytes).unwrap();
        let ran = home.run(&["runs"]).unwrap();
        assert_eq!(ran.code, Some(5), "{}", ran.stderr);
        assert!(ran.stderr.contains("  try: ") || ran.stderr.contains("try"), "{}", ran.stderr);
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "not a byte was changed");
    }
}

/// A database that says that it is of schema 4000: the header of an empty SQLite file with another user version.
fn newer_store() -> Vec<u8> {
    let home = home();
    assert_eq!(home.run(&["runs"]).unwrap().code, Some(0));
    let mut bytes = std::fs::read(home.home().join("baton.db")).unwrap();
    bytes[60..64].copy_from_slice(&4000_u32.to_be_bytes());
    bytes
}

#[test]
fn a_home_that_cannot_be_written_is_a_store_error() {
    let mut home = home();
    let file = home.write("a-file", "x").unwrap();
    home.set("BATON_HOME", file.join("home"));
    let ran = home.run(&["runs"]).unwrap();
    assert_eq!(ran.code, Some(5), "{}", ran.stderr);
    assert!(ran.stderr.contains("BATON_HOME"), "{}", ran.stderr);
}

#[test]
fn a_project_that_widens_is_refused() {
    let table = Table::lay(THREE, all(THREE, "approve"));
    table.home.write("baton.toml", "allow = [\"ash-co\"]\n").unwrap();
    refused(&table, &["ask", "x"], 3, &["baton.toml:1: ", "only narrow"]);
}

#[test]
fn a_projects_commands_do_not_run_unless_trusted() {
    let table = Table::lay(THREE, all(THREE, "approve"));
    let project = "[[check]]\nid = \"evil\"\ncommand = [\"/bin/sh\", \"-c\", \"touch pwned\"]\n";
    table.home.write("baton.toml", project).unwrap();
    let ran = table.run(&["ask", "Is this fine?", "--yes"]);
    assert!(ran.stderr.contains("checks of this project's baton.toml are off"), "{}", ran.stderr);
    assert!(!table.home.work().join("pwned").exists());
    let trust = table.run(&["trust"]);
    assert_eq!(trust.code, Some(2), "trust needs a terminal");
    assert!(trust.stderr.contains("evil") && trust.stderr.contains("touch pwned"), "{}", trust.stderr);
}
