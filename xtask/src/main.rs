//! Repository tasks: `cargo xtask tidy`, `vendors`, `e2e`, `panels`, `findings`, `properties`, `train-classifier`, `train-conflicts`.

mod classifier;
mod conflicts;
mod e2e;
mod findings;
mod panels;
mod tidy;
mod vendors;

use std::path::PathBuf;
use std::process::ExitCode;

#[expect(clippy::print_stderr, reason = "a developer's tool speaks to the terminal")]
fn main() -> ExitCode {
    let task = std::env::args().nth(1).unwrap_or_default();
    let result = match task.as_str() {
        "tidy" => tidy::check(&root()).map(|()| "tidy: ok".to_owned()),
        "vendors" => vendors::check(&root()),
        "e2e" => e2e::check(&root(), &std::env::args().skip(2).collect::<Vec<_>>()),
        "properties" => properties(&root()),
        "panels" => panels::measure(&std::env::args().skip(2).collect::<Vec<_>>()),
        "findings" => findings::table(),
        "train-classifier" => classifier::run(&root(), &std::env::args().skip(2).collect::<Vec<_>>()),
        "train-conflicts" => conflicts::run(&root(), &std::env::args().skip(2).collect::<Vec<_>>()),
        _ => Err("tasks: tidy (rules of the house), vendors (the vendors' packages against the scripted server), \
                  e2e (the true agent programs against it), panels [FIRST COUNT] (the figures of choice panels), \
                  findings (merged findings, leaving one repository out), properties (those of the core on a hundred \
                  times as many cases), train-classifier (the coefficients from the prompts), train-conflicts (the weights from the cases)"
            .to_owned()),
    };
    match result {
        Ok(message) => {
            eprintln!("{message}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// The tests run each property on some thousand generated cases; here it is a hundred times that, over a million.
fn properties(root: &std::path::Path) -> Result<String, String> {
    let arguments = ["test", "--release", "--package", "baton-core", "--test", "all"];
    run("cargo", &arguments, &[("BATON_PROPERTY_FACTOR", "100".to_owned())], root)?;
    Ok("properties: ok".to_owned())
}

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Runs a program to its end with its output passed through.
#[expect(clippy::disallowed_methods, reason = "a developer's tool; nothing of it is shipped")]
pub(crate) fn run(
    program: &str,
    arguments: &[&str],
    environment: &[(&str, String)],
    root: &std::path::Path,
) -> Result<(), String> {
    let mut command = std::process::Command::new(program);
    command.args(arguments).envs(environment.iter().map(|(name, value)| (*name, value))).current_dir(root);
    as_if_first(&mut command);
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{program} {}` ended with {status}", arguments.join(" "))),
        Err(error) => Err(format!("`{program}` cannot be started: {error}")),
    }
}

/// Runs a program to its end and gives what it wrote to standard output; the rest is passed through.
#[expect(clippy::disallowed_methods, reason = "a developer's tool; nothing of it is shipped")]
pub(crate) fn output(program: &str, arguments: &[&str], root: &std::path::Path) -> Result<String, String> {
    let mut command = std::process::Command::new(program);
    command.args(arguments).current_dir(root).stderr(std::process::Stdio::inherit());
    as_if_first(&mut command);
    let output = command.output().map_err(|error| format!("`{program}` cannot be started: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("`{program} {}` ended with {}", arguments.join(" "), output.status)),
    }
}

/// Hides that cargo started this program: what cargo says about it would have some dependencies built anew.
fn as_if_first(command: &mut std::process::Command) {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in names.filter(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
        command.env_remove(name);
    }
}
