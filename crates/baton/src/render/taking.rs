//! The command that takes a diff over into the user's files.

use std::path::Path;

use baton_core::run::RunState;

/// `git apply`, as it works from the current directory. Called anywhere below the root of the repository git passes over
/// files outside of that directory without an error, so there it is told the place.
pub(crate) fn command(state: &RunState) -> String {
    let workspace = state.inputs.as_ref().and_then(|inputs| inputs.task.workspace.as_deref());
    let here = std::env::current_dir().ok();
    from(workspace, here.as_deref())
}

/// Whether `git apply` alone would not do from here.
pub(crate) fn needs_place(state: &RunState) -> bool {
    command(state) != PLAIN
}

const PLAIN: &str = "git apply";

fn from(workspace: Option<&str>, here: Option<&Path>) -> String {
    match workspace {
        Some(root) if here != Some(Path::new(root)) => format!("git -C {} apply", quoted(root)),
        _ => PLAIN.to_owned(),
    }
}

/// As a shell takes it for one word.
fn quoted(path: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "/._-+@".contains(character);
    if path.chars().all(is_plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_told_where_git_would_pass_over_the_files() {
        let here = Some(Path::new("/work/tree"));
        assert_eq!(from(Some("/work/tree"), here), "git apply");
        assert_eq!(from(None, here), "git apply");
        assert_eq!(from(Some("/work"), here), "git -C /work apply");
        assert_eq!(from(Some("/my work/it's"), None), r"git -C '/my work/it'\''s' apply");
    }
}
