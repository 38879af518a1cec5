//! The true agent programs, at pinned versions, against the scripted server: `cargo xtask e2e`.
//!
//! They are installed into a folder that git ignores and started with private homes, dummy keys and a cleared
//! environment. Where the system allows it, the tests run in a network namespace that has nothing but loopback.

use std::path::Path;

use crate::run;

/// What is installed. Node comes first: with an older one the package manager picks older agents without a word.
const PACKAGES: &[(&str, &str)] = &[
    ("node", "24.21.0"),
    ("@anthropic-ai/claude-code", "2.1.329"),
    ("@openai/codex", "0.169.0"),
    ("@github/copilot", "1.0.102"),
    ("@qwen-code/qwen-code", "0.24.4"),
    ("opencode-ai", "1.18.33"),
    ("codex-mcp-server", "1.4.10"),
    ("gemini-mcp-tool", "1.1.8"),
    ("@modelcontextprotocol/server-everything", "2026.8.31"),
    ("@modelcontextprotocol/server-sequential-thinking", "2026.8.31"),
];

/// What names the folder to the tests of each way to an agent.
const FOLDERS: [&str; 3] = ["BATON_TRUE_AGENTS", "BATON_TRUE_ACP_AGENTS", "BATON_TRUE_MCP_SERVERS"];

/// Installs the programs, asserts their versions, and runs the channels' tests against them.
pub(crate) fn check(root: &Path) -> Result<String, String> {
    let folder = root.join(".e2e");
    install(root, &folder)?;
    let agents = folder.to_string_lossy().into_owned();
    run("cargo", &["test", "--locked", "-p", "baton-members", "--test", "all", "--no-run"], &[], root)?;
    let test = "cargo test --locked -p baton-members --test all _true:: -- --nocapture --test-threads=2";
    let mut environment: Vec<(&str, String)> = FOLDERS.iter().map(|name| (*name, agents.clone())).collect();
    environment.push(("CARGO_NET_OFFLINE", "true".to_owned()));
    let alone = format!("ip link set lo up && {test}");
    if run("unshare", &["-n", "sh", "-c", "ip link set lo up"], &[], root).is_ok() {
        run("unshare", &["-n", "sh", "-c", &alone], &environment, root)?;
    } else {
        run("sh", &["-c", test], &environment, root)?;
    }
    let versions: Vec<String> = PACKAGES.iter().map(|(name, version)| format!("{name} {version}")).collect();
    Ok(format!("e2e: ok with {}", versions.join(", ")))
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
