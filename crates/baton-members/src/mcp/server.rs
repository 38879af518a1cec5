//! A server as a configuration names it: handed to members' sessions, each in its program's own way, or looked at.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::http::settings::checked_url;
use crate::http::{Secret, redact};

/// A server that the user trusts. `Debug` shows names of variables and headers, and no value of either.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    pub name: String,
    pub way: Way,
    /// How long its greeting may take; a first start that downloads packages takes long.
    pub start: Option<Duration>,
}

/// How a server is reached.
#[derive(Clone, PartialEq, Eq)]
pub enum Way {
    Program {
        /// A name on the `PATH` or an absolute path.
        program: String,
        arguments: Vec<String>,
        variables: BTreeMap<String, String>,
        /// Names of variables to hand on.
        inherit: Vec<String>,
    },
    Url {
        url: String,
        /// The variable that holds its key.
        key_env: Option<String>,
        headers: BTreeMap<String, String>,
    },
}

impl Server {
    /// What keeps it from being used, as a sentence after its name: its own name is put into arguments and files of
    /// programs, and all users of the machine can read arguments.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let letter = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
        if self.name.is_empty() || self.name.len() > 40 || !self.name.chars().all(letter) {
            return Some("has a name with other letters than a-z, 0-9, `-` and `_`".to_owned());
        }
        match &self.way {
            Way::Program { program, .. } if program.is_empty() => Some("has no `command`".to_owned()),
            Way::Program { program, arguments, .. } => {
                let mut words = std::iter::once(program).chain(arguments);
                let is_secret = |word: &String| redact(word, None) != *word;
                words.any(is_secret).then(|| {
                    "has what looks like a key among its arguments, which every user of the machine can read; put it \
                     into a variable, and name that in `inherit`"
                        .to_owned()
                })
            }
            Way::Url { url, .. } => checked_url(url).err().map(|because| format!("has a `url` that {because}")),
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Server");
        shown.field("name", &self.name);
        match &self.way {
            Way::Program { program, arguments, variables, inherit } => shown
                .field("program", program)
                .field("arguments", &arguments.len())
                .field("variables", &variables.keys().collect::<Vec<_>>())
                .field("inherit", inherit),
            Way::Url { key_env, headers, .. } => {
                shown.field("key_env", key_env).field("headers", &headers.keys().collect::<Vec<_>>())
            }
        };
        shown.finish_non_exhaustive()
    }
}

/// A server with all that a program needs to start or reach it. Holds secrets, so it has no `Debug` of its own values.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Handed {
    pub(crate) name: String,
    pub(crate) reach: HandedBy,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum HandedBy {
    Program {
        program: String,
        arguments: Vec<String>,
        variables: BTreeMap<String, String>,
    },
    Url {
        url: String,
        headers: BTreeMap<String, String>,
        /// The variable of the key, for programs that read it themselves.
        key: Option<(String, String)>,
    },
}

impl fmt::Debug for Handed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Handed").field(&self.name).finish()
    }
}

impl Handed {
    /// # Errors
    /// A program or a key that is not there.
    pub(crate) fn of(
        server: &Server,
        find: impl Fn(&str) -> Option<std::path::PathBuf>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let name = server.name.clone();
        let lacks = |what: String| format!("the MCP server `{name}` {what}");
        let reach = match &server.way {
            Way::Program { program, arguments, variables, inherit } => {
                let found =
                    find(program).ok_or_else(|| lacks(format!("is started by `{program}`, which is not there")))?;
                let mut variables = variables.clone();
                variables.extend(inherit.iter().filter_map(|name| Some((name.clone(), variable(name)?))));
                let program = found.to_string_lossy().into_owned();
                HandedBy::Program { program, arguments: arguments.clone(), variables }
            }
            Way::Url { url, key_env, headers } => {
                let key = match key_env {
                    Some(name) => {
                        let key = variable(name).ok_or_else(|| lacks(format!("needs {name}, which is not set")))?;
                        Some((name.clone(), Secret::new(key).expose().to_owned()))
                    }
                    None => None,
                };
                HandedBy::Url { url: url.clone(), headers: headers.clone(), key }
            }
        };
        Ok(Self { name, reach })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Values that must stand in nothing that is kept.
    pub(crate) fn secrets(&self) -> Vec<Vec<u8>> {
        match &self.reach {
            HandedBy::Program { variables, .. } => {
                let variables =
                    variables.iter().map(|(name, value)| (OsStr::new(name).into(), OsStr::new(value).into()));
                crate::cli::oneshot::secrets(&variables.collect())
            }
            HandedBy::Url { headers, key, .. } => {
                let keys = key.iter().map(|(_, key)| key).chain(headers.values());
                keys.filter(|key| key.len() >= 8).map(|key| key.clone().into_bytes()).collect()
            }
        }
    }

    fn headers(&self) -> BTreeMap<String, String> {
        match &self.reach {
            HandedBy::Url { headers, key, .. } => {
                let bearer = key.iter().map(|(_, key)| ("Authorization".to_owned(), format!("Bearer {key}")));
                headers.clone().into_iter().chain(bearer).collect()
            }
            HandedBy::Program { .. } => BTreeMap::new(),
        }
    }
}

/// As the Agent Client Protocol lists them in `session/new`.
pub(crate) fn for_acp(servers: &[Handed]) -> Value {
    let pairs = |map: &BTreeMap<String, String>| -> Value {
        map.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
    };
    let one = |server: &Handed| match &server.reach {
        HandedBy::Program { program, arguments, variables } => {
            json!({ "name": server.name, "command": program, "args": arguments, "env": pairs(variables) })
        }
        HandedBy::Url { url, .. } => {
            json!({ "type": "http", "name": server.name, "url": url, "headers": pairs(&server.headers()) })
        }
    };
    servers.iter().map(one).collect()
}

/// The `mcpServers` file of Claude Code and of many others. For a private file: it holds the secrets.
pub(crate) fn as_file(servers: &[Handed]) -> Value {
    let one = |server: &Handed| match &server.reach {
        HandedBy::Program { program, arguments, variables } => {
            json!({ "type": "stdio", "command": program, "args": arguments, "env": variables })
        }
        HandedBy::Url { url, .. } => json!({ "type": "http", "url": url, "headers": server.headers() }),
    };
    let all: Map<String, Value> = servers.iter().map(|server| (server.name.clone(), one(server))).collect();
    json!({ "mcpServers": all })
}

type Named = BTreeMap<String, String>;

/// As Codex takes them: its settings by key, without a secret, and the variables that these name. A header of the caller's own has
/// no such way.
///
/// # Errors
/// A server with headers.
pub(crate) fn for_codex(servers: &[Handed]) -> Result<(Named, Named), String> {
    let (mut settings, mut environment) = (Named::new(), Named::new());
    for server in servers {
        let mut set =
            |key: &str, value: Value| settings.insert(format!("mcp_servers.{}.{key}", server.name), value.to_string());
        match &server.reach {
            HandedBy::Program { program, arguments, variables } => {
                set("command", json!(program));
                set("args", json!(arguments));
                set("env_vars", json!(variables.keys().collect::<Vec<_>>()));
                environment.extend(variables.clone());
            }
            HandedBy::Url { headers, .. } if !headers.is_empty() => {
                return Err(format!(
                    "the MCP server `{}` has headers, which Codex cannot be handed in private",
                    server.name
                ));
            }
            HandedBy::Url { url, key, .. } => {
                set("url", json!(url));
                if let Some((name, key)) = key {
                    set("bearer_token_env_var", json!(name));
                    environment.insert(name.clone(), key.clone());
                }
            }
        }
    }
    Ok((settings, environment))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program() -> Server {
        Server {
            name: "notes".into(),
            way: Way::Program {
                program: "server".into(),
                arguments: vec!["--quiet".into(), "a \"b\"".into()],
                variables: BTreeMap::from([("PLAIN".into(), "1".into())]),
                inherit: vec!["NOTES_TOKEN".into(), "ABSENT".into()],
            },
            start: None,
        }
    }

    fn remote() -> Server {
        let way = Way::Url {
            url: "https://example.com/mcp".into(),
            key_env: Some("REMOTE_KEY".into()),
            headers: BTreeMap::new(),
        };
        Server { name: "far".into(), way, start: None }
    }

    fn handed(server: &Server) -> Handed {
        let variable = |name: &str| match name {
            "NOTES_TOKEN" => Some("secret-token-1".to_owned()),
            "REMOTE_KEY" => Some("secret-key-2\n".to_owned()),
            _ => None,
        };
        Handed::of(server, |name| Some(format!("/bin/{name}").into()), variable).unwrap()
    }

    #[test]
    fn each_program_gets_its_own_form() {
        let servers = [handed(&program()), handed(&remote())];
        let env = json!([{ "name": "NOTES_TOKEN", "value": "secret-token-1" }, { "name": "PLAIN", "value": "1" }]);
        let bearer = json!([{ "name": "Authorization", "value": "Bearer secret-key-2" }]);
        let acp = for_acp(&servers);
        assert_eq!(
            acp[0],
            json!({ "name": "notes", "command": "/bin/server", "args": ["--quiet", "a \"b\""], "env": env })
        );
        assert_eq!(acp[1]["headers"], bearer);
        let file = as_file(&servers);
        assert_eq!(file["mcpServers"]["notes"]["env"]["NOTES_TOKEN"], "secret-token-1");
        assert_eq!(file["mcpServers"]["far"]["headers"]["Authorization"], "Bearer secret-key-2");
    }

    #[test]
    fn no_secret_is_among_what_codex_is_told_by_arguments() {
        let (settings, environment) = for_codex(&[handed(&program()), handed(&remote())]).unwrap();
        let told: Vec<String> = settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(
            told,
            [
                r#"mcp_servers.far.bearer_token_env_var="REMOTE_KEY""#,
                r#"mcp_servers.far.url="https://example.com/mcp""#,
                r#"mcp_servers.notes.args=["--quiet","a \"b\""]"#,
                r#"mcp_servers.notes.command="/bin/server""#,
                r#"mcp_servers.notes.env_vars=["NOTES_TOKEN","PLAIN"]"#,
            ]
        );
        assert!(!told.concat().contains("secret"));
        assert_eq!(
            (environment["NOTES_TOKEN"].as_str(), environment["REMOTE_KEY"].as_str()),
            ("secret-token-1", "secret-key-2")
        );
        let mut server = handed(&remote());
        if let HandedBy::Url { headers, .. } = &mut server.reach {
            headers.insert("X-Key".into(), "v".into());
        }
        assert!(for_codex(&[server]).is_err());
    }

    #[test]
    fn secrets_are_known_and_not_shown() {
        assert_eq!(handed(&program()).secrets(), [b"secret-token-1".to_vec()]);
        assert_eq!(handed(&remote()).secrets(), [b"secret-key-2".to_vec()]);
        let shown = format!("{:?} {:?}", program(), handed(&program()));
        assert!(!shown.contains("secret") && !shown.contains("\"1\"") && shown.contains("PLAIN"), "{shown}");
    }

    #[test]
    fn what_is_not_there_is_told() {
        let missing = Handed::of(&program(), |_| None, |_| None).unwrap_err();
        assert_eq!(missing, "the MCP server `notes` is started by `server`, which is not there");
        let missing = Handed::of(&remote(), |_| None, |_| None).unwrap_err();
        assert!(missing.contains("REMOTE_KEY"), "{missing}");
    }

    #[test]
    fn what_cannot_be_used_safely_is_a_problem() {
        assert_eq!(program().problem(), None);
        assert_eq!(remote().problem(), None);
        let with = |change: &dyn Fn(&mut Server)| {
            let mut server = program();
            change(&mut server);
            server.problem().unwrap_or_default()
        };
        for name in ["", "a.b", "a b", "ä", "a=b"] {
            assert!(with(&|server| server.name = name.into()).contains("name"), "{name:?}");
        }
        let key = |server: &mut Server| {
            if let Way::Program { arguments, .. } = &mut server.way {
                arguments.push("--key=sk-proj-Abc123DEF456".into());
            }
        };
        assert!(with(&key).contains("key"));
        let plain = Way::Url { url: "http://example.com/mcp".into(), key_env: None, headers: BTreeMap::new() };
        assert!(with(&|server| server.way = plain.clone()).contains("plain http"));
    }
}
