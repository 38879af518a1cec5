//! The part of baton's own environment that a child may see.

use std::collections::BTreeMap;
use std::ffi::OsString;

/// What nearly every program needs to find its files, speak the user's language and reach the network.
pub const BASE: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TMPDIR",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TZ",
    "XDG_*",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
];

/// The variables of this process whose names are allowed. A name that ends in `*` allows every name with that
/// beginning; a lone `*` allows nothing, so that a slip of the pen cannot hand out every secret.
#[must_use]
pub fn inherited(allow: &[&str]) -> BTreeMap<OsString, OsString> {
    select(std::env::vars_os(), allow)
}

/// The same choice from any set of variables.
pub fn select(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    allow: &[&str],
) -> BTreeMap<OsString, OsString> {
    let allowed = |name: &str| allow.iter().any(|pattern| matches(pattern, name));
    variables.into_iter().filter(|(name, _)| name.to_str().is_some_and(allowed)).collect()
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => !beginning.is_empty() && name.starts_with(beginning),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(allow: &[&str]) -> Vec<OsString> {
        let all = ["PATH", "LC_ALL", "LC_TIME", "LCX", "API_KEY"];
        let variables = all.iter().map(|name| (OsString::from(name), OsString::from("value")));
        select(variables, allow).into_keys().collect()
    }

    #[test]
    fn only_listed_names_pass() {
        assert_eq!(names(&["PATH", "HOME"]), ["PATH"]);
        assert!(names(&[]).is_empty());
    }

    #[test]
    fn a_star_stands_for_an_ending() {
        assert_eq!(names(&["LC_*"]), ["LC_ALL", "LC_TIME"]);
    }

    #[test]
    fn a_lone_star_allows_nothing() {
        assert!(names(&["*"]).is_empty());
    }

    #[test]
    fn the_base_names_no_secret() {
        assert!(BASE.iter().all(|name| !name.contains("KEY") && !name.contains("TOKEN")));
    }
}
