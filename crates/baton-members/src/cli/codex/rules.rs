//! Whether the program would find rules, which can allow commands.

use std::path::Path;

/// In the program's home, or in a `.codex` folder of `directory` or above it. A folder that cannot be read counts as
/// one with rules.
pub(super) fn are_there(home: Option<&Path>, directory: &Path) -> bool {
    let projects = directory.ancestors().map(|folder| folder.join(".codex"));
    home.map(Path::to_owned).into_iter().chain(projects).any(|folder| has_rules(&folder.join("rules")))
}

fn has_rules(folder: &Path) -> bool {
    match std::fs::read_dir(folder) {
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
        Ok(entries) => entries.into_iter().any(|entry| {
            entry.map_or(true, |entry| Path::new(&entry.file_name()).extension().is_some_and(|end| end == "rules"))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_seen_at_home_and_above_the_directory() {
        let root = tempfile::tempdir().unwrap();
        let (home, project) = (root.path().join("home"), root.path().join("project/deep"));
        std::fs::create_dir_all(home.join("rules")).unwrap();
        std::fs::create_dir_all(&project).unwrap();
        std::fs::write(home.join("rules/notes.txt"), "").unwrap();
        assert!(!are_there(Some(&home), &project) && !are_there(None, &project));
        std::fs::write(home.join("rules/default.rules"), "").unwrap();
        assert!(are_there(Some(&home), &project) && !are_there(None, &project));
        std::fs::create_dir_all(root.path().join("project/.codex/rules")).unwrap();
        std::fs::write(root.path().join("project/.codex/rules/a.rules"), "").unwrap();
        assert!(are_there(None, &project));
    }
}
