//! Whatever a member writes: reading it is total, and what is taken can be written out and read again.

use baton_core::patch::{Patch, fence, read};
use proptest::prelude::*;

/// Texts that look like diffs here and there.
fn noise() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "```diff\n",
        "```\n",
        "--- a/x\n",
        "+++ b/x\n",
        "--- /dev/null\n",
        "+++ /dev/null\n",
        "@@ -1,3 +1,3 @@\n",
        "@@ -0,0 +1 @@\n",
        "@@ -9 +9,99 @@\n",
        "@@ -4294967295,4294967295 +1 @@\n",
        " kept\n",
        "-gone\n",
        "+come\n",
        "\\ No newline\n",
        "\n",
        "é\n",
        "-é\n",
        "-- not a header\n",
        "diff --git a/x b/x\n",
        "index 1..2 100644\n",
        "--- a/y\n+++ b/y\n",
        "\r\n",
        "+\t\n",
        "@@\n",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn again(patch: &Patch) -> Patch {
    read(&format!("```diff\n{}```\n", patch.render())).unwrap()
}

proptest! {
    #![proptest_config(crate::cases(3_000))]

    #[test]
    fn what_is_taken_is_read_again_as_the_same(text in noise()) {
        let at = fence(&text);
        prop_assert!(at.is_none_or(|at| text.is_char_boundary(at)));
        if let Ok(patch) = read(&text).or_else(|_| read(&format!("```diff\n{text}```\n"))) {
            let second = again(&patch);
            prop_assert_eq!(second.render(), patch.render());
            prop_assert_eq!(second.class(), patch.class());
            prop_assert_eq!(second.changed_lines(), patch.changed_lines());
            prop_assert!(patch.changed_lines() > 0);
        }
    }

    #[test]
    fn any_text_at_all_is_read_or_refused(text in "\\PC{0,200}", path in "[a-z./~\\\\ :é-]{0,12}") {
        let _ = read(&text);
        let diff = format!("```diff\n--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-a\n+b\n```\n");
        if let Ok(patch) = read(&diff) {
            let path = &patch.files[0].path;
            prop_assert!(!path.starts_with('/') && path.split('/').all(|part| !matches!(part, "" | "." | ".." | ".git")));
        }
    }
}
