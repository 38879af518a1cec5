//! `[mcp_servers.NAME]`: servers whose tools members' sessions may use.

use std::collections::BTreeMap;
use std::time::Duration;

use baton_members::mcp::{Server, Way};
use serde::Deserialize;

/// One table, as typed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServerTable {
    command: Option<String>,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    inherit: Vec<String>,
    url: Option<String>,
    key_env: Option<String>,
    start_s: Option<u64>,
}

/// The servers of these tables.
///
/// # Errors
/// A table that names no server or two, or one that cannot be used safely; with its name.
pub(super) fn servers(tables: &BTreeMap<String, ServerTable>) -> Result<Vec<Server>, String> {
    let named = |(name, table): (&String, &ServerTable)| {
        let server = table.clone().server(name).and_then(|server| match server.problem() {
            Some(problem) => Err(problem),
            None => Ok(server),
        });
        server.map_err(|because| format!("mcp_servers.{name} {because}"))
    };
    tables.iter().map(named).collect()
}

impl ServerTable {
    fn server(self, name: &str) -> Result<Server, String> {
        let has_program_parts = !(self.args.is_empty() && self.env.is_empty() && self.inherit.is_empty());
        let way = match (self.command, self.url) {
            (Some(_), Some(_)) => return Err("names a `command` and a `url`: it is one or the other".to_owned()),
            (None, None) => return Err("names neither a `command` nor a `url`".to_owned()),
            (Some(_), None) if self.key_env.is_some() => {
                return Err("has a `key_env`, which is for a `url`: name the variable in `inherit`".to_owned());
            }
            (None, Some(_)) if has_program_parts => {
                return Err("has `args`, `env` or `inherit`, which are for a `command`".to_owned());
            }
            (Some(program), None) => {
                Way::Program { program, arguments: self.args, variables: self.env, inherit: self.inherit }
            }
            (None, Some(url)) => Way::Url { url, key_env: self.key_env, headers: BTreeMap::new() },
        };
        Ok(Server { name: name.to_owned(), way, start: self.start_s.map(Duration::from_secs) })
    }
}
