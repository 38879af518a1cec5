use super::*;

const DIFF: &str = "diff --git a/src/lib.rs b/src/lib.rs\nindex 1..2 100644\n--- a/src/lib.rs\n+++ b/src/lib.rs\n\
    @@ -1,3 +1,3 @@ fn a\n fn a() {\n-    1\n+    2\n }\n";

fn answer(diff: &str) -> String {
    format!("It is off by one.\n\n```diff\n{diff}```\n")
}

fn class(diff: &str) -> Hash {
    read(&answer(diff)).unwrap().class()
}

/// A change of `path` that adds these lines.
fn adds(path: &str, lines: &[&str]) -> String {
    let added: String = lines.iter().map(|line| format!("+{line}\n")).collect();
    format!("--- a/{path}\n+++ b/{path}\n@@ -1,1 +1,{} @@\n x\n{added}", lines.len() + 1)
}

#[test]
fn a_fenced_diff_is_read_and_written_out_again() {
    let patch = read(&answer(DIFF)).unwrap();
    assert_eq!((patch.files[0].path.as_str(), patch.files[0].change), ("src/lib.rs", Change::Modify));
    assert_eq!(patch.changed_lines(), 2);
    let rendered = "--- a/src/lib.rs\t\n+++ b/src/lib.rs\t\n@@ -1,3 +1,3 @@\n fn a() {\n-    1\n+    2\n }\n";
    assert_eq!(patch.render(), rendered);
    assert_eq!(read(&answer(&patch.render())).unwrap(), patch, "what is written out is read as the same");
    assert_eq!(read(DIFF).unwrap(), patch, "a bare one too");
    assert_eq!(fence(&answer(DIFF)), Some(19));
}

#[test]
fn files_are_made_and_deleted() {
    let patch = read(&answer(
        "--- /dev/null\n+++ b/new name.txt\n@@ -0,0 +1,2 @@\n+a\n+b\n\\ No newline at end of file\n\
         --- a/old.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone\n",
    ));
    let patch = patch.unwrap();
    assert_eq!(patch.files.iter().map(|file| file.change).collect::<Vec<_>>(), [Change::Create, Change::Delete]);
    assert_eq!(
        patch.render(),
        "--- /dev/null\n+++ b/new name.txt\t\n@@ -0,0 +1,2 @@\n+a\n+b\n\\ No newline at end of file\n\
         --- a/old.txt\t\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-gone\n"
    );
}

#[test]
fn counts_that_a_model_got_wrong_are_set_right() {
    for wrong in ["@@ -1,9 +1,9 @@", "@@ -1,1 +1,1 @@", "@@ -1 +1 @@"] {
        let patch = read(&answer(&DIFF.replace("@@ -1,3 +1,3 @@", wrong))).unwrap();
        assert!(patch.render().contains("@@ -1,3 +1,3 @@\n"), "{wrong}");
    }
    let lost_space = read(&answer("--- a/x\n+++ b/x\n@@ -1,3 +1,2 @@\n a\n\n-b\n")).unwrap();
    assert!(lost_space.render().ends_with("@@ -1,3 +1,2 @@\n a\n \n-b\n"));
}

#[test]
fn two_sections_about_one_file_are_one_change() {
    let second = "--- a/src/lib.rs\n+++ b/src/lib.rs\n@@ -20,1 +20,2 @@\n x\n+y\n";
    let patch = read(&answer(&format!("{DIFF}{second}"))).unwrap();
    assert_eq!((patch.files.len(), patch.files[0].hunks.len()), (1, 2));
}

#[test]
fn a_removed_line_that_looks_like_a_header_is_a_line() {
    let patch =
        read(&answer("--- a/x.sql\n+++ b/x.sql\n@@ -1,2 +1,1 @@\n-- a comment\n-select 1\n+select 2\n")).unwrap();
    assert_eq!(patch.files.len(), 1);
    assert_eq!(patch.changed_lines(), 3);
}

#[test]
fn hostile_paths_are_refused() {
    for path in ["../x", "a/../../x", "/etc/passwd", "a//b", "./x", "c:x", "a\\..\\x", "x\u{7}", ""] {
        let refused = read(&answer(&adds(path, &["y"]))).unwrap_err();
        assert!(matches!(refused, Refusal::Path { .. }), "{path:?}: {refused}");
    }
    for path in [".git/hooks/pre-commit", ".GIT/config", "sub/.git/config", ".git./config", "git~1/x", ".g\u{200c}it/x"]
    {
        assert_eq!(read(&answer(&adds(path, &["y"]))), Err(Refusal::Git), "{path:?}");
    }
    assert!(read(&answer(&adds(".github/workflows/ci.yml", &["y"]))).is_ok());
}

#[test]
fn what_is_more_than_lines_is_refused() {
    let link = "diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc/passwd\n";
    assert_eq!(read(&answer(link)), Err(Refusal::Link));
    let sub = "diff --git a/s b/s\nindex 1..2 160000\n--- a/s\n+++ b/s\n@@ -1 +1 @@\n-a\n+b\n";
    assert_eq!(read(&answer(sub)), Err(Refusal::Link));
    for binary in ["GIT binary patch\nliteral 3\nabc\n", "Binary files a/i.png and b/i.png differ\n"] {
        assert_eq!(read(&answer(&format!("diff --git a/i.png b/i.png\n{binary}"))), Err(Refusal::Binary));
    }
    for odd in [
        "diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n",
        "diff --git a/x b/x\nold mode 100644\nnew mode 100755\n",
        "diff --git a/x b/x\nnew file mode 100644\n",
        "--- a/x\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n",
    ] {
        assert_eq!(read(&answer(odd)), Err(Refusal::NotLines), "{odd}");
    }
}

#[test]
fn what_is_no_diff_is_refused() {
    assert_eq!(read("I would rename it."), Err(Refusal::NoDiff));
    assert_eq!(read("```diff\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b"), Err(Refusal::NoDiff), "cut off");
    assert_eq!(read(&answer("")), Err(Refusal::Empty));
    assert_eq!(read(&answer("--- a/x\n+++ b/x\n@@ -1 +1 @@\n a\n")), Err(Refusal::Empty));
    assert_eq!(read(&answer("--- a/x\n+++ b/x\n@@ somewhere @@\n-a\n+b\n")), Err(Refusal::Unreadable { line: 3 }));
    assert_eq!(read(&answer("rm -rf /\n")), Err(Refusal::Unreadable { line: 1 }));
    let two = format!("{}{}", answer(DIFF), answer(&adds("x", &["y"])));
    assert_eq!(read(&two), Err(Refusal::SeveralDiffs));
    assert!(read(&answer(DIFF).repeat(2)).is_ok(), "the same one twice is one");
    let huge = adds("x", &["y".repeat(MOST_BYTES).as_str()]);
    assert!(matches!(read(&answer(&huge)), Err(Refusal::TooLong { .. })));
    let many: String = (0..=MOST_FILES).map(|number| adds(&format!("f{number}"), &["y"])).collect();
    assert_eq!(read(&answer(&many)), Err(Refusal::TooManyFiles));
}

#[test]
fn white_space_comments_and_the_order_of_imports_make_no_difference() {
    let base = class(&adds("a.rs", &["use b;", "use a;", "let x = f(1, 2);"]));
    let same = ["use a;", "use b;", "", "    // why", "let x=f( 1,2 );"];
    assert_eq!(class(&adds("a.rs", &same)), base);
    for other in [["use a;", "use b;", "let x = f(12);"], ["use a;", "use c;", "let x = f(1, 2);"]] {
        assert_ne!(class(&adds("a.rs", &other)), base);
    }
    assert_ne!(class(&adds("b.rs", &same)), base, "another file is another change");
}

#[test]
fn what_white_space_means_something_stays() {
    assert_ne!(class(&adds("a.py", &["x = 1"])), class(&adds("a.py", &["    x = 1"])));
    assert_ne!(class(&adds("a.rs", &["\"a b\""])), class(&adds("a.rs", &["\"ab\""])));
    let with = class(&adds("a.c", &["#include <a.h>", "x;"]));
    assert_ne!(with, class(&adds("a.c", &["x;"])), "no comment in C");
    assert_ne!(class(&adds("a.rs", &["f();", "g();"])), class(&adds("a.rs", &["g();", "f();"])));
}

#[test]
fn taking_something_out_of_tests_is_seen() {
    let weakens = |diff: &str| read(&answer(diff)).unwrap().weakens_tests();
    assert!(weakens("--- a/tests/all.rs\n+++ b/tests/all.rs\n@@ -1 +1 @@\n-assert(x)\n+()\n"));
    assert!(!weakens(&adds("src/lib_test.go", &["more"])));
    assert!(!weakens("--- a/src/contest.rs\n+++ b/src/contest.rs\n@@ -1 +1 @@\n-a\n+b\n"));
}

#[test]
fn a_test_makes_files_or_changes_such_as_hold_tests_and_is_called_as_asked() {
    let held = |text: &str| read(&answer(text)).unwrap().as_test("reproduces_1");
    let makes = |path: &str, lines: &[&str]| adds(path, lines).replace(&format!("--- a/{path}"), "--- /dev/null");
    let change = |path: &str, line: &str| format!("--- a/{path}\n+++ b/{path}\n@@ -1 +1,2 @@\n a\n+{line}\n");
    let marked = "fn reproduces_1() {}";
    assert_eq!(held(&makes("src/anything.rs", &[marked])), Ok(()), "a new file");
    for path in
        ["tests/net.rs", "src/net_test.go", "a.test.ts", "src/test/java/NetTest.java", "NetTest.java", "spec/a.rb"]
    {
        assert_eq!(held(&change(path, marked)), Ok(()), "{path}");
    }
    for path in ["src/lib.rs", "Cargo.toml", "contest.py", "src/latest.rs", "src/attestation.rs"] {
        assert_eq!(held(&change(path, marked)), Err(Refusal::NoTest { path: path.into() }), "{path}");
    }
    let both = format!("{}{}", makes("tests/a.rs", &[marked]), change("src/lib.rs", "b"));
    assert!(matches!(held(&both), Err(Refusal::NoTest { .. })), "all of it must be tests");
    let gone = "--- a/tests/a.rs\n+++ /dev/null\n@@ -1 +0,0 @@\n-fn reproduces_1() {}\n";
    assert!(matches!(held(gone), Err(Refusal::NoTest { .. })));
    assert!(matches!(held(&makes("tests/a.rs", &["fn other() {}"])), Err(Refusal::Unmarked { .. })));
    assert!(matches!(held(&makes("tests/reproduces_1.rs", &[marked])), Err(Refusal::MarkedPath { .. })));
}

#[test]
fn the_last_line_that_is_taken_can_be_written_and_read_again() {
    let last = "--- a/y\n+++ b/y\n@@ -1 +1,2 @@\n a\n+b\n@@ -4294967295,2 +1 @@\n kept\n-gone\n";
    let patch = read(&answer(last)).unwrap();
    assert_eq!(read(&answer(&patch.render())), Ok(patch));
    assert!(read(&answer(&last.replace("4294967295", "4294967296"))).is_err());
}

#[test]
fn lines_that_read_like_the_names_of_another_file_are_refused_before_another_hunk() {
    let last = "@@ -1,2 +1,2 @@\n-- a/y\n+++ b/y\n";
    let names = "--- a/x\n+++ b/x\n@@ -9 +9,99 @@\n--- a/y\n+++ b/y\n\n@@ -20,3 +20,3 @@\n-a\n";
    assert_eq!(read(&answer(names)), Err(Refusal::Unreadable { line: 9 }), "one file or two: nobody can tell");
    let in_the_last = format!("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n{}", last.replace("-- a", "--- a"));
    assert!(read(&answer(&in_the_last)).is_ok(), "at the end there is nothing to be told apart");
}
