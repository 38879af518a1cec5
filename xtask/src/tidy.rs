//! The rules of the house that a compiler does not know, checked from the manifests and the text of the sources.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Who may depend on whom inside the house. Everything not named here is a break of the layers.
const LAYERS: &[(&str, &[&str])] = &[
    ("baton-core", &[]),
    ("baton-port", &["baton-core"]),
    ("baton-process", &[]),
    ("baton-script", &[]),
    ("baton-members", &["baton-core", "baton-port", "baton-process"]),
    ("baton-workspace", &["baton-core", "baton-port", "baton-process"]),
    ("baton-store", &["baton-core", "baton-port"]),
    ("baton-engine", &["baton-core", "baton-port"]),
    ("baton-eval", &["baton-core"]),
    ("baton-serve", &["baton-core", "baton-port", "baton-engine"]),
    (
        "baton",
        &[
            "baton-core",
            "baton-port",
            "baton-process",
            "baton-members",
            "baton-workspace",
            "baton-store",
            "baton-engine",
            "baton-eval",
            "baton-serve",
            "baton-script",
        ],
    ),
    ("baton-testkit", &["baton-core", "baton-port", "baton-process", "baton-script"]),
    ("xtask", &["baton-core", "baton-eval"]),
];

/// Words that may stand in the sources of these places only.
struct Fence {
    words: &'static [&'static str],
    /// Path prefixes below the root in which they may stand.
    allowed: &'static [&'static str],
    /// Only below these prefixes are they looked for; everywhere when empty.
    within: &'static [&'static str],
    because: &'static str,
}

const FENCES: &[Fence] = &[
    Fence {
        words: &[
            "tokio",
            "reqwest",
            "std::fs",
            "std::net",
            "std::env",
            "std::process",
            "SystemTime",
            "Instant::now",
            "std::thread",
        ],
        allowed: &[],
        within: &["crates/baton-core/src"],
        because: "the core has no runtime, no I/O and no clock",
    },
    Fence {
        words: &["process::Command::new", "tokio::process"],
        allowed: &["crates/baton-process/", "crates/baton-testkit/", "xtask/"],
        within: &[],
        because: "children are started in baton-process only",
    },
    Fence {
        words: &["rusqlite"],
        allowed: &["crates/baton-store/"],
        within: &[],
        because: "only the store knows which database it is",
    },
    Fence {
        words: &["rmcp"],
        allowed: &["crates/baton-serve/", "crates/baton-members/src/mcp/"],
        within: &[],
        because: "only the MCP face and the MCP channel name their SDK",
    },
    Fence {
        words: &["reqwest"],
        allowed: &["crates/baton-members/", "crates/baton/benches/"],
        within: &[],
        because: "only channels speak HTTP as a client",
    },
    Fence {
        words: &["stdout()", "println!", "print!("],
        allowed: &["crates/baton/src/render/mod.rs", "crates/baton/src/commands/mcp.rs"],
        within: &["crates/baton/src", "crates/baton-engine/src", "crates/baton-serve/src", "crates/baton-members/src"],
        because: "standard output has one owner",
    },
    Fence { words: &["tokio::spawn("], allowed: &[], within: &[], because: "every task is tracked and joined" },
];

/// The longest a source file may be; a longer one is two rooms.
const LONGEST_FILE: usize = 600;

/// Checks all rules.
///
/// # Errors
/// All breaks, one a line.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    let mut breaks = Vec::new();
    layers(root, &mut breaks)?;
    let sources = sources(root)?;
    for (path, text) in &sources {
        fences(path, text, &mut breaks);
        length(path, text, &mut breaks);
    }
    names(root, &sources, &mut breaks)?;
    if breaks.is_empty() { Ok(()) } else { Err(breaks.join("\n")) }
}

fn layers(root: &Path, breaks: &mut Vec<String>) -> Result<(), String> {
    for (name, allowed) in LAYERS {
        let folder = if *name == "xtask" { root.join(name) } else { root.join("crates").join(name) };
        let manifest = read(&folder.join("Cargo.toml"))?;
        let own = manifest.split("[dev-dependencies]").next().unwrap_or(&manifest);
        let depends = |other: &str| {
            own.lines().any(|line| line.starts_with(&format!("{other}.")) || line.starts_with(&format!("{other} ")))
        };
        for (other, _) in LAYERS.iter().filter(|(other, _)| other != name) {
            if depends(other) && !allowed.contains(other) {
                breaks.push(format!("{name} depends on {other}: the layers do not allow it"));
            }
        }
    }
    let known = LAYERS.len() - 1;
    let found = fs::read_dir(root.join("crates")).map_err(|error| error.to_string())?.count();
    if found != known {
        breaks.push(format!("{found} crates, {known} of them with a layer: name the new one in xtask/src/tidy.rs"));
    }
    Ok(())
}

fn fences(path: &str, text: &str, breaks: &mut Vec<String>) {
    let is_test = path.contains("/tests")
        || path.contains("/benches/")
        || path.contains("/examples/")
        || path.ends_with("tests.rs");
    for fence in FENCES {
        let here = fence.within.is_empty() || fence.within.iter().any(|prefix| path.starts_with(prefix));
        if !here || is_test || path.starts_with("xtask/") || fence.allowed.iter().any(|prefix| path.starts_with(prefix))
        {
            continue;
        }
        for (number, line) in own_lines(text) {
            if let Some(word) = fence.words.iter().find(|word| line.contains(**word)) {
                breaks.push(format!("{path}:{number}: `{word}`: {}", fence.because));
            }
        }
    }
}

/// Lines of code outside of comments and of the test module, which stands last in a file.
fn own_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let code = text.lines().take_while(|line| *line != "#[cfg(test)]");
    (1..).zip(code).filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn length(path: &str, text: &str, breaks: &mut Vec<String>) {
    let lines = text.lines().count();
    if lines > LONGEST_FILE {
        breaks.push(format!("{path}: {lines} lines: more than {LONGEST_FILE} are two rooms"));
    }
}

/// Members and workflows are data: none of their names stands in code.
fn names(root: &Path, sources: &BTreeMap<String, String>, breaks: &mut Vec<String>) -> Result<(), String> {
    let members = read(&root.join("catalog/members.toml"))?;
    let ids: Vec<&str> = members.lines().filter_map(|line| line.strip_prefix("id = \"")?.strip_suffix('"')).collect();
    if ids.len() < 10 {
        breaks.push(format!("only {} ids were read from catalog/members.toml", ids.len()));
    }
    let shipped = |path: &str| path.starts_with("crates/") && path.contains("/src/") && !path.contains("/tests");
    let own = |path: &str| path.starts_with("crates/baton-members/src/") || path.starts_with("crates/baton-testkit/");
    for (path, text) in sources.iter().filter(|(path, _)| shipped(path) && !own(path)) {
        for (number, line) in own_lines(text) {
            if let Some(id) = ids.iter().find(|id| line.contains(&format!("\"{id}\""))) {
                breaks.push(format!("{path}:{number}: the member `{id}` is named in code: members are data"));
            }
        }
    }
    Ok(())
}

fn sources(root: &Path) -> Result<BTreeMap<String, String>, String> {
    let mut sources = BTreeMap::new();
    let mut folders = vec![root.join("crates"), root.join("xtask")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))? {
            let path = entry.map_err(|error| error.to_string())?.path();
            if path.is_dir() {
                let skipped = path.ends_with("target") || path.ends_with("demo/sample");
                if !skipped {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.insert(relative(root, &path), read(&path)?);
            }
        }
    }
    Ok(sources)
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned()
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_is_tidy() {
        if let Err(breaks) = check(&crate::root()) {
            panic!("{breaks}");
        }
    }

    #[test]
    fn a_break_is_seen() {
        let mut breaks = Vec::new();
        fences("crates/baton-core/src/x.rs", "use std::fs;\n// std::net in a comment\n", &mut breaks);
        fences("crates/baton/src/x.rs", "#[cfg(test)]\nprintln!()\n", &mut breaks);
        assert_eq!(breaks.len(), 1, "{breaks:?}");
        assert!(breaks[0].contains("x.rs:1"), "{breaks:?}");
        length("long.rs", &"\n".repeat(601), &mut breaks);
        assert_eq!(breaks.len(), 2);
    }
}
