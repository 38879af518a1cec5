//! The MCP servers in the settings of other programs. Files are only read, and nothing that they name is started.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::data::Client;
use super::launch::{self, Package};

/// A settings file larger than this is left unread.
const LARGEST: u64 = 32 << 20;

/// One settings file that is there.
pub(super) struct Settings {
    /// The client's name, and where the settings hold when that is not everywhere.
    pub(super) place: String,
    pub(super) path: PathBuf,
    /// Why it could not be read.
    pub(super) unreadable: Option<String>,
    pub(super) servers: Vec<Server>,
}

/// One server of one client. Values of its variables and headers are compared and never shown, so it has no `Debug`.
pub(super) struct Server {
    pub(super) place: String,
    pub(super) name: String,
    pub(super) enabled: bool,
    /// The settings came with the project: anybody may have written them.
    pub(super) of_project: bool,
    pub(super) command: Option<String>,
    pub(super) arguments: Vec<String>,
    pub(super) address: Option<String>,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) headers: BTreeMap<String, String>,
}

impl Server {
    pub(super) fn package(&self) -> Option<Package> {
        launch::package(self.command.as_deref()?, &self.arguments)
    }

    pub(super) fn plain_variables(&self) -> BTreeMap<String, String> {
        texts(&self.variables)
    }

    pub(super) fn plain_headers(&self) -> BTreeMap<String, String> {
        texts(&self.headers)
    }

    /// The same for servers that are started or reached in the same way.
    pub(super) fn identity(&self) -> String {
        format!("{:?}", (&self.command, &self.arguments, &self.address, &self.variables, &self.headers))
    }

    /// The words that start it, for matching only.
    pub(super) fn words(&self) -> Option<String> {
        let (command, arguments) = launch::unwrapped(self.command.as_deref()?, &self.arguments);
        let words = std::iter::once(launch::program_name(command)).chain(arguments.iter().map(String::as_str));
        Some(words.collect::<Vec<_>>().join(" "))
    }

    /// What starts it, as far as it can be shown: a program, a package, a host.
    pub(super) fn shown(&self) -> String {
        match (&self.command, &self.address) {
            (Some(command), _) => {
                let (command, _) = launch::unwrapped(command, &self.arguments);
                let program = launch::shown_program(command);
                self.package().map_or(program.clone(), |package| format!("{program} {}", package.name))
            }
            (None, Some(address)) => launch::host_of(address),
            (None, None) => "nothing".to_owned(),
        }
    }
}

/// Where settings are looked for.
pub(super) struct Places<'a> {
    pub(super) home: Option<PathBuf>,
    /// The root of the workspace.
    pub(super) workspace: &'a Path,
    pub(super) variable: &'a dyn Fn(&str) -> Option<PathBuf>,
}

/// The settings files that are there, each once.
pub(super) fn scan(clients: &[Client], places: &Places<'_>) -> Vec<Settings> {
    let mut found: Vec<Settings> = Vec::new();
    for client in clients {
        let Some(path) = path_of(client, places) else { continue };
        if !found.iter().any(|known| known.path == path) {
            found.extend(read(client, path, places.workspace));
        }
    }
    found
}

fn path_of(client: &Client, places: &Places<'_>) -> Option<PathBuf> {
    if client.project {
        return Some(places.workspace.join(&client.file));
    }
    let moved = client.folder_env.as_deref().and_then(places.variable);
    match moved {
        Some(folder) => Some(folder.join(Path::new(&client.file).file_name()?)),
        None => Some(places.home.as_ref()?.join(&client.file)),
    }
}

fn read(client: &Client, path: PathBuf, workspace: &Path) -> Option<Settings> {
    let place = if client.project { format!("{} (project)", client.name) } else { client.name.clone() };
    let mut settings = Settings { place, path, unreadable: None, servers: Vec::new() };
    match text_of(&settings.path).and_then(|text| text.map(|text| parse(&settings.path, &text)).transpose()) {
        Ok(None) => return None,
        Ok(Some(value)) => {
            settings.servers = servers(client, &settings.place, &value, workspace);
            settings.servers.iter_mut().for_each(|server| server.of_project = client.project);
        }
        Err(because) => settings.unreadable = Some(because),
    }
    Some(settings)
}

/// `None` where there is no such file.
fn text_of(path: &Path) -> Result<Option<String>, String> {
    let gone = |error: &std::io::Error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
    // A pipe in the place of a file would be waited for without end.
    match std::fs::metadata(path) {
        Err(error) if gone(&error) => return Ok(None),
        Err(error) => return Err(error.to_string()),
        Ok(kind) if !kind.is_file() => return Err("it is no file".to_owned()),
        Ok(kind) if kind.len() > LARGEST => return Err("it is too large".to_owned()),
        Ok(_) => {}
    }
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    file.take(LARGEST).read_to_string(&mut text).map_err(|error| error.to_string())?;
    Ok(Some(text))
}

/// Errors tell the place and not the content, which may be secret.
fn parse(path: &Path, text: &str) -> Result<Value, String> {
    if path.extension().is_some_and(|extension| extension == "toml") {
        return toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start.min(text.len()));
            format!(
                "it is no TOML: line {}",
                text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count() + 1
            )
        });
    }
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    let text = text.trim_start_matches('\u{feff}');
    serde_json::from_str(text).map_err(|error| format!("it is no JSON: line {}", error.line()))
}

fn servers(client: &Client, place: &str, settings: &Value, workspace: &Path) -> Vec<Server> {
    let mut found = table(place, settings.get(&client.key));
    let folders = settings.get("projects").and_then(Value::as_object).filter(|_| client.by_project);
    for (folder, own) in folders.into_iter().flatten().filter(|(folder, _)| workspace == Path::new(folder)) {
        let _ = folder;
        found.extend(table(&format!("{place} (this folder)"), own.get(&client.key)));
    }
    found
}

fn table(place: &str, servers: Option<&Value>) -> Vec<Server> {
    let entries = servers.and_then(Value::as_object).into_iter().flatten();
    entries.filter_map(|(name, entry)| server(place, name, entry.as_object()?)).collect()
}

/// One entry, in the words of any of the clients.
fn server(place: &str, name: &str, entry: &Map<String, Value>) -> Option<Server> {
    let text = |keys: &[&str]| keys.iter().find_map(|key| Some(entry.get(*key)?.as_str()?.to_owned()));
    let mut command: Vec<String> = match entry.get("command") {
        Some(Value::String(command)) => vec![command.clone()],
        Some(Value::Array(words)) => strings(words),
        _ => Vec::new(),
    };
    command.extend(strings(entry.get("args").and_then(Value::as_array).into_iter().flatten()));
    let mut command = command.into_iter();
    let off = entry.get("disabled") == Some(&Value::Bool(true)) || entry.get("enabled") == Some(&Value::Bool(false));
    Some(Server {
        place: place.to_owned(),
        name: printable(name),
        enabled: !off,
        of_project: false,
        command: command.next(),
        arguments: command.collect(),
        address: text(&["url", "httpUrl", "serverUrl"]),
        variables: values(entry, &["env"]),
        headers: values(entry, &["headers", "http_headers"]),
    })
}

/// A project's file may be anybody's: nothing in it may steer the terminal.
fn printable(name: &str) -> String {
    name.chars().filter(|letter| !letter.is_control()).take(80).collect()
}

fn strings<'a>(words: impl IntoIterator<Item = &'a Value>) -> Vec<String> {
    words.into_iter().filter_map(|word| Some(word.as_str()?.to_owned())).collect()
}

/// The values that are texts, as they stand in the settings.
fn texts(values: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    values.iter().filter_map(|(name, value)| Some((name.clone(), serde_json::from_str(value).ok()?))).collect()
}

/// Every value as JSON.
fn values(entry: &Map<String, Value>, keys: &[&str]) -> BTreeMap<String, String> {
    let tables = keys.iter().filter_map(|key| entry.get(*key)?.as_object()).flatten();
    tables.map(|(name, value)| (printable(name), value.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::data::Data;

    fn scanned(home: &Path, workspace: &Path) -> Vec<Settings> {
        let places = Places { home: Some(home.to_owned()), workspace, variable: &|_| None };
        scan(&Data::built_in().unwrap().clients, &places)
    }

    fn write(path: PathBuf, text: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn each_clients_own_words_are_read() {
        let root = tempfile::tempdir().unwrap();
        let (home, work) = (root.path().join("home"), root.path().join("work"));
        let mine = format!(
            "{{\"mcpServers\":{{\"b\":{{\"url\":\"https://h/p\"}}}},\"projects\":{{{:?}:{{\"mcpServers\":{{\"c\":{{\"command\":\"x\"}}}}}},\"/other\":{{\"mcpServers\":{{\"d\":{{}}}}}}}}}}",
            work
        );
        write(home.join(".claude.json"), &mine);
        write(
            home.join(".codex/config.toml"),
            "model = \"m\"\n[mcp_servers.a]\ncommand = \"npx\"\nargs = [\"-y\", \"p\"]\nenabled = false\n[mcp_servers.a.env]\nTOKEN = \"t\"\n",
        );
        write(
            work.join(".mcp.json"),
            "{\"mcpServers\":{\"e\":{\"command\":[\"uvx\",\"q\"],\"headers\":{\"H\":\"v\"}}}}",
        );
        let settings = scanned(&home, &work);
        let all: Vec<(&str, &str, String, bool)> = settings
            .iter()
            .flat_map(|settings| &settings.servers)
            .map(|server| (server.place.as_str(), server.name.as_str(), server.shown(), server.enabled))
            .collect();
        assert_eq!(
            all,
            [
                ("Claude Code", "b", "https://h".to_owned(), true),
                ("Claude Code (this folder)", "c", "x".to_owned(), true),
                ("Codex", "a", "npx p".to_owned(), false),
                ("Claude Code (project)", "e", "uvx q".to_owned(), true),
            ]
        );
        assert!(settings[1].servers[0].variables.contains_key("TOKEN"));
    }

    #[test]
    fn what_cannot_be_read_says_so_without_its_content() {
        let root = tempfile::tempdir().unwrap();
        write(root.path().join(".claude.json"), "{\n\"token\": sk-canary }");
        write(root.path().join(".codex/config.toml"), "a = 1\nkey = sk-canary\n");
        write(root.path().join(".cursor/mcp.json"), "[1, 2]");
        write(
            root.path().join(".copilot/mcp-config.json"),
            "{\"mcpServers\": {\"x\": 7, \"\\u001b[2Jy\": {\"command\": 3, \"args\": \"z\"}}}",
        );
        std::fs::create_dir_all(root.path().join(".gemini/settings.json")).unwrap();
        let settings = scanned(root.path(), &root.path().join("nowhere"));
        let told: Vec<Option<&str>> = settings.iter().map(|settings| settings.unreadable.as_deref()).collect();
        assert_eq!(
            told,
            [Some("it is no JSON: line 2"), Some("it is no TOML: line 2"), Some("it is no file"), None, None]
        );
        let odd = &settings[3].servers[0];
        assert_eq!((odd.shown().as_str(), odd.name.as_str()), ("nothing", "[2Jy"));
    }

    #[test]
    fn a_moved_folder_is_followed_and_one_file_counts_once() {
        let root = tempfile::tempdir().unwrap();
        write(root.path().join("moved/config.toml"), "[mcp_servers.a]\ncommand = \"x\"\n");
        write(root.path().join(".cursor/mcp.json"), "{\"mcpServers\":{\"b\":{\"command\":\"y\"}}}");
        let moved = root.path().join("moved");
        let variable = |name: &str| (name == "CODEX_HOME").then(|| moved.clone());
        let places = Places { home: Some(root.path().to_owned()), workspace: root.path(), variable: &variable };
        let settings = scan(&Data::built_in().unwrap().clients, &places);
        let all: Vec<&str> =
            settings.iter().flat_map(|settings| &settings.servers).map(|server| server.name.as_str()).collect();
        assert_eq!(all, ["a", "b"]);
    }
}
