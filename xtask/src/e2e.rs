//! The true agent programs, at pinned versions, against the scripted server: `cargo xtask e2e [--record] [ROW..]`.
//!
//! They are installed into a folder that git ignores. Then the table of `crates/baton/tests/true_programs` is made, or
//! the rows of it that are named; without names the channels' own tests (`_true::`) run as well. All have private
//! homes, dummy keys and a cleared environment. Where the system allows it they see no network but loopback, and the
//! table is made in namespaces of its own: it sees each process that is left, and each file that is written anywhere.

use std::path::{Path, PathBuf};

use crate::{output, run};

/// What is installed. Node comes first: with an older one the package manager picks older agents without a word.
const PACKAGES: &[(&str, &str)] = &[
    ("node", "24.21.0"),
    ("@anthropic-ai/claude-code", "2.1.329"),
    ("@openai/codex", "0.169.0"),
    ("@google/gemini-cli", "0.61.0"),
    ("@github/copilot", "1.0.102"),
    ("@xai-official/grok", "1.0.41"),
    ("@qwen-code/qwen-code", "0.24.4"),
    ("opencode-ai", "1.18.33"),
    ("codex-mcp-server", "1.4.10"),
    ("gemini-mcp-tool", "1.1.8"),
    ("@modelcontextprotocol/server-everything", "2026.8.31"),
    ("@modelcontextprotocol/server-sequential-thinking", "2026.8.31"),
];

/// What names the folder to the tests of each way to an agent.
const FOLDERS: [&str; 3] = ["BATON_TRUE_AGENTS", "BATON_TRUE_ACP_AGENTS", "BATON_TRUE_MCP_SERVERS"];

/// Installs the programs, asserts their versions, makes the table, and runs the channels' tests against them.
pub(crate) fn check(root: &Path, arguments: &[String]) -> Result<String, String> {
    let folder = root.join(".e2e");
    install(root, &folder)?;
    let rows: Vec<&str> = arguments.iter().map(String::as_str).filter(|name| !name.starts_with('-')).collect();
    if arguments.iter().any(|argument| argument == "--record") {
        return record(root, &folder, &rows);
    }
    table(root, &folder, &rows, Keep::Nothing)?;
    if rows.is_empty() {
        channels(root, &folder)?;
    }
    let versions: Vec<String> = PACKAGES.iter().map(|(name, version)| format!("{name} {version}")).collect();
    Ok(format!("e2e: ok with {}; the table is in target/e2e", versions.join(", ")))
}

/// Mounts a layer over the root file system that takes every change, with the other file systems and the stage in their
/// places, and runs the program in there. The stage has no repository above it, which programs would look for.
const ALONE: &str = r#"
set -e
ip link set lo up
layers=$(mktemp -d)
mount -t tmpfs tmpfs "$layers"
mkdir "$layers/changes" "$layers/work" "$layers/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$layers/changes,workdir=$layers/work" "$layers/root"
cut -d ' ' -f 5 /proc/self/mountinfo | while read -r place; do
    case $place in
        / | "$layers"*) ;;
        *) [ ! -e "$layers/root$place" ] || mount --bind "$place" "$layers/root$place" ;;
    esac
done
mkdir "$layers/root/stage" "$layers/root/changes"
mount --bind "$BATON_TRUE_STAGE" "$layers/root/stage"
mount --bind "$layers/changes" "$layers/root/changes"
exec chroot "$layers/root" env BATON_TRUE_LAYER=/changes BATON_TRUE_STAGE=/stage "$@"
"#;

/// What of a run is kept beside the table.
#[derive(PartialEq)]
enum Keep {
    Nothing,
    Transcripts,
}

/// Takes transcripts again and has their turns written. Differences of the table do not matter then: they are what
/// the new transcripts show.
fn record(root: &Path, agents: &Path, rows: &[&str]) -> Result<String, String> {
    let differs = table(root, agents, rows, Keep::Transcripts).err();
    let members = root.join("crates/baton-members/tests");
    run("cp", &["-r", "target/e2e/golden", &members.to_string_lossy()], &[], root)?;
    let write = [("BATON_WRITE_GOLDEN", "1".to_owned())];
    run("cargo", &["test", "--locked", "-p", "baton-members", "--test", "all", "golden::transcripts"], &write, root)?;
    Ok(differs.map_or("e2e: recorded".to_owned(), |error| format!("e2e: recorded, although {error}")))
}

fn table(root: &Path, agents: &Path, rows: &[&str], keep: Keep) -> Result<(), String> {
    let stage = root.join("target/e2e");
    let _ = std::fs::remove_dir_all(&stage);
    std::fs::create_dir_all(&stage).map_err(|error| format!("{}: {error}", stage.display()))?;
    let stage = std::fs::canonicalize(&stage).map_err(|error| format!("{}: {error}", stage.display()))?;
    let agents = std::fs::canonicalize(agents).map_err(|error| format!("{}: {error}", agents.display()))?;
    let program = built(root)?.to_string_lossy().into_owned();
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let mut environment = vec![("BATON_TRUE_PROGRAMS", text(&agents)), ("BATON_TRUE_STAGE", text(&stage))];
    if keep == Keep::Transcripts {
        environment.push(("BATON_TRUE_RECORD", "1".to_owned()));
    }
    let alone = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", ALONE, "sh"];
    let asked = |last: &[&str]| run("unshare", &[&alone, last].concat(), &environment, root);
    if asked(&["true"]).is_ok() {
        return asked(&[&[program.as_str()], rows].concat());
    }
    run(&program, rows, &environment, root)
}

/// Builds the program that makes the table, and says where it is.
fn built(root: &Path) -> Result<PathBuf, String> {
    let arguments = ["test", "--locked", "-p", "baton", "--test", "true_programs", "--no-run", "--message-format=json"];
    let said = output("cargo", &arguments, root)?;
    let messages = said.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut ours = messages.filter(|message| message["target"]["name"] == "true_programs");
    let found = ours.find_map(|message| message["executable"].as_str().map(PathBuf::from));
    found.ok_or_else(|| "cargo did not say where it put `true_programs`".to_owned())
}

fn channels(root: &Path, agents: &Path) -> Result<(), String> {
    let agents = agents.to_string_lossy().into_owned();
    run("cargo", &["test", "--locked", "-p", "baton-members", "--test", "all", "--no-run"], &[], root)?;
    let test = "cargo test --locked -p baton-members --test all _true:: -- --nocapture --test-threads=2";
    let mut environment: Vec<(&str, String)> = FOLDERS.iter().map(|name| (*name, agents.clone())).collect();
    environment.push(("CARGO_NET_OFFLINE", "true".to_owned()));
    let alone = format!("ip link set lo up && {test}");
    if run("unshare", &["-n", "sh", "-c", "ip link set lo up"], &[], root).is_ok() {
        run("unshare", &["-n", "sh", "-c", &alone], &environment, root)
    } else {
        run("sh", &["-c", test], &environment, root)
    }
}

fn install(root: &Path, folder: &Path) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    if PACKAGES.iter().all(|(name, version)| installed(folder, name).as_deref() == Some(version)) {
        return Ok(());
    }
    let packages: Vec<String> = PACKAGES.iter().map(|(name, version)| format!("{name}@{version}")).collect();
    let mut arguments = vec!["install", "--no-audit", "--no-fund", "--no-save", "--loglevel=error", "--prefix"];
    let prefix = folder.to_string_lossy().into_owned();
    arguments.push(&prefix);
    arguments.extend(packages.iter().map(String::as_str));
    // A download that broke off is tried once more; a second failure is one.
    run("npm", &arguments, &[], root).or_else(|_| run("npm", &arguments, &[], root))?;
    for (name, version) in PACKAGES {
        let found = installed(folder, name);
        if found.as_deref() != Some(version) {
            return Err(format!("{name} is at {found:?}, and {version} is what the tests are for"));
        }
    }
    Ok(())
}

fn installed(folder: &Path, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(folder.join("node_modules").join(name).join("package.json")).ok()?;
    let manifest: serde_json::Value = serde_json::from_str(&text).ok()?;
    Some(manifest.get("version")?.as_str()?.to_owned())
}
