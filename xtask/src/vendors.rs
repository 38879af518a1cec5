//! Keeps the scripted server true: the vendors' own packages are run against it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::run;

const FOLDER: &str = "crates/baton-script/tests/vendors";

/// Installs the pinned packages into a folder that git ignores, and runs the check against a fresh server.
pub(crate) fn check(root: &Path) -> Result<String, String> {
    let folder = root.join("target/vendors");
    let python = folder.join("bin/python");
    if !python.exists() {
        run("python3", &["-m", "venv", &folder.to_string_lossy()], &[], root)?;
    }
    let python = python.to_string_lossy();
    let requirements = format!("{FOLDER}/requirements.txt");
    run(&python, &["-m", "pip", "install", "--quiet", "-r", &requirements], &[], root)?;
    run("cargo", &["build", "--quiet", "--locked", "-p", "baton-script", "--example", "serve"], &[], root)?;
    let server = Server::start(root)?;
    run(&python, &[&format!("{FOLDER}/check.py"), &server.url], &[], root)?;
    Ok("vendors: ok".to_owned())
}

/// The scripted server as a process of its own; ended when this is dropped.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    #[expect(clippy::disallowed_methods, reason = "a developer's tool; nothing of it is shipped")]
    fn start(root: &Path) -> Result<Self, String> {
        let mut child = std::process::Command::new(program()?)
            .arg(format!("{FOLDER}/script.json"))
            .current_dir(root)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("the scripted server cannot be started: {error}"))?;
        let mut url = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut url).map_err(|error| error.to_string())?;
        }
        Ok(Self { child, url: url.trim().to_owned() })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is ours, and it has nothing to tidy up.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The example stands beside this program, whichever target folder is used.
fn program() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let folder = own.parent().ok_or("this program is in no folder")?;
    Ok(folder.join("examples/serve"))
}
