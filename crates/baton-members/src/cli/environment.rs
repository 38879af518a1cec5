//! The outside as the programs may see it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

use baton_process::environment::{BASE, select};

/// Counts how deep a baton runs inside members of another one.
pub const DEPTH: &str = "BATON_DEPTH";

/// The variables of the calling process, from which each program gets the few that it may see. The channels read no
/// other source. `Debug` shows names only.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
}

impl Environment {
    /// Usually from `std::env::vars_os()`.
    #[must_use]
    pub fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self { variables: variables.into_iter().collect() }
    }

    /// Where programs are searched.
    #[must_use]
    pub fn path(&self) -> &OsStr {
        self.get("PATH")
    }

    /// Where private folders are made.
    pub(crate) fn temporary(&self) -> PathBuf {
        match self.get("TMPDIR") {
            directory if directory.is_empty() => PathBuf::from("/tmp"),
            directory => PathBuf::from(directory),
        }
    }

    /// The base variables, those that `allow` names, and the depth, one higher.
    #[must_use]
    pub fn for_child(&self, allow: &[&str]) -> BTreeMap<OsString, OsString> {
        let allowed: Vec<&str> = BASE.iter().chain(allow).copied().collect();
        let mut variables = select(self.variables.clone(), &allowed);
        let depth: u32 = self.get(DEPTH).to_str().and_then(|depth| depth.parse().ok()).unwrap_or(0);
        variables.insert(DEPTH.into(), depth.saturating_add(1).to_string().into());
        variables
    }

    fn get(&self, name: &str) -> &OsStr {
        self.variables.get(OsStr::new(name)).map_or(OsStr::new(""), OsString::as_os_str)
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.variables.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        Environment::new(pairs.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))))
    }

    #[test]
    fn only_what_is_allowed_passes_and_the_depth_grows() {
        let all = environment(&[("PATH", "/bin"), ("CLAUDECODE", "1"), ("MY_KEY", "secret"), (DEPTH, "2")]);
        let names: Vec<OsString> = all.for_child(&[]).into_keys().collect();
        assert_eq!(names, [DEPTH, "PATH"]);
        assert_eq!(all.for_child(&[])[OsStr::new(DEPTH)], "3");
        assert!(all.for_child(&["MY_KEY"]).contains_key(OsStr::new("MY_KEY")));
    }

    #[test]
    fn a_depth_that_is_no_number_counts_as_none() {
        for depth in ["", "-1", "many"] {
            assert_eq!(environment(&[(DEPTH, depth)]).for_child(&[])[OsStr::new(DEPTH)], "1");
        }
    }

    #[test]
    fn values_are_not_shown() {
        assert_eq!(format!("{:?}", environment(&[("MY_KEY", "secret")])), r#"{"MY_KEY"}"#);
    }
}
