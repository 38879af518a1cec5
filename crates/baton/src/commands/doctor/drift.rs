//! The same server in the settings of several programs, and where they have drifted apart.

use std::collections::{BTreeMap, BTreeSet};

use super::servers::Server;

/// A server that is not the same everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Drift {
    pub(super) server: String,
    pub(super) differences: Vec<Difference>,
}

/// One part that differs: who agrees with whom. Values are never in here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) what: String,
    pub(super) camps: Vec<Vec<String>>,
    /// Those that lack it.
    pub(super) missing: Vec<String>,
}

/// Compares servers of one name. Those that are switched off are compared too: they come back.
pub(super) fn find<'a>(servers: impl IntoIterator<Item = &'a Server>) -> Vec<Drift> {
    let mut by_name: BTreeMap<String, Vec<&Server>> = BTreeMap::new();
    for server in servers {
        by_name.entry(server.name.to_lowercase()).or_default().push(server);
    }
    let several = by_name.into_values().filter(|same| same.len() > 1);
    let compared = several.map(|same| Drift { server: same[0].name.clone(), differences: differences(&same) });
    compared.filter(|drift| !drift.differences.is_empty()).collect()
}

fn differences(same: &[&Server]) -> Vec<Difference> {
    let enabled = |server: &Server| Some(if server.enabled { "on" } else { "off" }.to_owned());
    let arguments = |server: &Server| Some(format!("{:?}", server.arguments));
    let mut found = vec![
        compare("on or off", same, enabled),
        compare("program", same, |server| server.command.clone()),
        compare("arguments", same, arguments),
        compare("address", same, |server| server.address.clone()),
    ];
    found.extend(named("variable", same, |server| &server.variables));
    found.extend(named("header", same, |server| &server.headers));
    found.into_iter().flatten().collect()
}

/// Each name that any of them has.
fn named(
    what: &str,
    same: &[&Server],
    values: impl Fn(&Server) -> &BTreeMap<String, String>,
) -> Vec<Option<Difference>> {
    let names: BTreeSet<&String> = same.iter().flat_map(|server| values(server).keys()).collect();
    let one = |name: &&String| compare(&format!("{what} {name}"), same, |server| values(server).get(*name).cloned());
    names.iter().map(one).collect()
}

fn compare(what: &str, same: &[&Server], part: impl Fn(&Server) -> Option<String>) -> Option<Difference> {
    let mut camps: BTreeMap<Option<String>, Vec<String>> = BTreeMap::new();
    for server in same {
        camps.entry(part(server)).or_default().push(server.place.clone());
    }
    if camps.len() < 2 {
        return None;
    }
    let missing = camps.remove(&None).unwrap_or_default();
    // By the places and not by the values, whose order would tell of them.
    let mut camps: Vec<Vec<String>> = camps.into_values().collect();
    camps.sort();
    Some(Difference { what: what.to_owned(), camps, missing })
}

impl Difference {
    /// `arguments: Claude Code / Codex, Cursor`, `variable TOKEN: not in Codex`.
    pub(super) fn words(&self) -> String {
        let camps: Vec<String> = self.camps.iter().map(|camp| camp.join(", ")).collect();
        let missing = format!("not in {}", self.missing.join(", "));
        match (camps.as_slice(), self.missing.is_empty()) {
            (_, true) => format!("{}: {}", self.what, camps.join(" / ")),
            ([_], false) => format!("{}: {missing}", self.what),
            (_, false) => format!("{}: {} / {missing}", self.what, camps.join(" / ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(place: &str, name: &str, line: &str) -> Server {
        let mut words = line.split(' ').map(str::to_owned);
        Server {
            place: place.into(),
            name: name.into(),
            enabled: true,
            of_project: false,
            command: words.next(),
            arguments: words.collect(),
            address: None,
            variables: BTreeMap::new(),
            headers: BTreeMap::new(),
        }
    }

    fn words(servers: &[Server]) -> Vec<String> {
        find(servers).iter().flat_map(|drift| drift.differences.iter().map(Difference::words)).collect()
    }

    #[test]
    fn equal_or_different_servers_do_not_drift() {
        let equal = [server("A", "x", "npx p"), server("B", "X", "npx p"), server("C", "y", "uvx q")];
        assert_eq!(find(&equal), []);
    }

    #[test]
    fn each_difference_names_who_agrees_with_whom() {
        let mut servers = [server("A", "x", "npx p"), server("B", "x", "npx p@1"), server("C", "x", "npx p")];
        servers[2].enabled = false;
        assert_eq!(words(&servers), ["on or off: A, B / C", "arguments: A, C / B"]);
        servers[1].command = None;
        servers[1].address = Some("https://h".into());
        assert_eq!(words(&servers)[1..], ["program: not in B", "arguments: A, C / B", "address: not in A, C"]);
    }

    #[test]
    fn values_are_compared_and_never_shown() {
        let mut servers = [server("A", "x", "npx p"), server("B", "x", "npx p"), server("C", "x", "npx p")];
        servers[0].variables.insert("TOKEN".into(), "sk-canary-1".into());
        servers[1].variables.insert("TOKEN".into(), "sk-canary-2".into());
        servers[0].headers.insert("Auth".into(), "sk-canary-3".into());
        let found = words(&servers);
        assert_eq!(found, ["variable TOKEN: A / B / not in C", "header Auth: not in B, C"]);
        assert!(!format!("{:?}", find(&servers)).contains("canary"));
    }
}
