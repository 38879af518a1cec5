//! Keeps the scripted server true: the vendors' own packages are run against it.

use std::path::Path;

use crate::run;

const CHECK: &str = "crates/baton-script/tests/vendors/check.py";

/// Installs the pinned packages into a folder that git ignores, and runs the check.
pub(crate) fn check(root: &Path) -> Result<String, String> {
    let folder = root.join("target/vendors");
    let python = folder.join("bin/python");
    let python = python.to_string_lossy();
    if !folder.join("bin/python").exists() {
        run("python3", &["-m", "venv", &folder.to_string_lossy()], &[], root)?;
    }
    run(
        &python,
        &["-m", "pip", "install", "--quiet", "-r", "crates/baton-script/tests/vendors/requirements.txt"],
        &[],
        root,
    )?;
    run(&python, &[CHECK], &[], root)?;
    Ok("vendors: ok".to_owned())
}
