//! Whether there is a sandbox for what models wrote.

use std::path::{Path, PathBuf};
use std::time::Instant;

use baton_process::Launcher;
use baton_workspace::{Maker, Refusal, Workshop};

use super::attention::Attention;
use super::millis_since;

/// What was seen of it.
pub(super) struct ShelterReport {
    pub(super) found: Result<Made, Refusal>,
    /// Whether the user's own checks are to run in it; without any, nothing needs it.
    pub(super) is_needed: bool,
    pub(super) ms: u64,
}

/// A sandbox that held.
pub(super) struct Made {
    pub(super) maker: Maker,
    pub(super) program: PathBuf,
}

impl ShelterReport {
    /// Where it is missing and can be had.
    pub(super) fn attention(&self) -> Option<Attention> {
        let refusal = self.found.as_ref().err().filter(|_| self.is_needed && cfg!(target_os = "linux"))?;
        let because = format!("there is none, so your checks are not run with what models write: {}", refusal.because);
        Some(Attention { what: "the sandbox".to_owned(), because, mend: refusal.mend.clone() })
    }
}

/// Builds one, tries to break out of it, and removes it. `home` is not made where it is missing.
pub(super) async fn look(home: &Path, launcher: &Launcher, is_needed: bool) -> ShelterReport {
    let begun = Instant::now();
    let found = match place(home) {
        Ok((_held, folder)) => {
            let workshop = Workshop::new(folder, launcher.clone(), std::env::vars_os());
            let made = |sandbox: &baton_workspace::Sandbox| Made {
                maker: sandbox.maker(),
                program: sandbox.program().to_owned(),
            };
            workshop.sandbox().await.map(made).map_err(Clone::clone)
        }
        Err(error) => Err(Refusal {
            because: format!("there is no room to try one: {error}"),
            mend: "Make room in the folder for temporary files.".to_owned(),
        }),
    };
    ShelterReport { found, is_needed, ms: millis_since(begun) }
}

/// Where copies are made, or a folder that goes away with what is held.
fn place(home: &Path) -> std::io::Result<(Option<tempfile::TempDir>, PathBuf)> {
    if home.is_dir() {
        return Ok((None, home.join("worktrees")));
    }
    let private = tempfile::Builder::new().prefix("baton-").tempdir()?;
    let folder = private.path().join("worktrees");
    Ok((Some(private), folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(is_needed: bool) -> ShelterReport {
        let found = Err(Refusal { because: "unshare: no".into(), mend: "Allow it.".into() });
        ShelterReport { found, is_needed, ms: 1 }
    }

    #[test]
    fn who_has_no_checks_needs_no_sandbox() {
        assert_eq!(missing(false).attention(), None);
        let told = missing(true).attention();
        assert_eq!(told.is_some(), cfg!(target_os = "linux"), "elsewhere nothing can be mended");
        assert!(told.is_none_or(|told| told.because.contains("unshare: no") && told.mend == "Allow it."));
    }

    #[test]
    fn looking_makes_no_home() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        let (held, place) = place(&home).unwrap();
        assert!(held.is_some() && !place.starts_with(&home) && !home.exists());
    }
}
