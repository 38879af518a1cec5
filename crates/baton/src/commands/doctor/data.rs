//! What the doctor looks at, as data of the catalogue.

use serde::Deserialize;

use super::troubles::Trouble;
use crate::failure::Failure;

/// A program that is no seat's own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tool {
    pub(super) program: String,
    pub(super) why: String,
    #[serde(default)]
    pub(super) install: String,
    /// Shown only where it is found.
    #[serde(default)]
    pub(super) agent: bool,
}

/// A file in which another program keeps its MCP servers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Client {
    pub(super) name: String,
    pub(super) file: String,
    pub(super) folder_env: Option<String>,
    pub(super) key: String,
    #[serde(default)]
    pub(super) by_project: bool,
    #[serde(default)]
    pub(super) project: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Subjects {
    tool: Vec<Tool>,
    client: Vec<Client>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Troubles {
    trouble: Vec<Trouble>,
}

/// All of it.
pub(super) struct Data {
    pub(super) tools: Vec<Tool>,
    pub(super) clients: Vec<Client>,
    pub(super) troubles: Vec<Trouble>,
}

const SUBJECTS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../catalog/doctor.toml"));
const TROUBLES: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../catalog/troubles.toml"));

impl Data {
    /// As shipped.
    pub(super) fn built_in() -> Result<Self, Failure> {
        let Subjects { tool, client } = parse("doctor.toml", SUBJECTS)?;
        let Troubles { trouble } = parse("troubles.toml", TROUBLES)?;
        Ok(Self { tools: tool, clients: client, troubles: trouble })
    }
}

fn parse<T: serde::de::DeserializeOwned>(name: &str, text: &str) -> Result<T, Failure> {
    toml::from_str(text).map_err(|error| Failure::configuration(format!("catalog {name}: {error}")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_known_trouble_is_whole() {
        let data = Data::built_in().unwrap();
        let mut ids = BTreeSet::new();
        for trouble in &data.troubles {
            assert!(ids.insert(&trouble.id), "{} stands twice", trouble.id);
            assert_eq!(trouble.problem(), None, "{}", trouble.id);
        }
        assert!(ids.len() >= 15);
    }

    #[test]
    fn every_tool_can_be_named_and_had() {
        let data = Data::built_in().unwrap();
        for tool in &data.tools {
            assert!(!tool.why.is_empty(), "{}", tool.program);
            assert!(tool.agent || tool.install.ends_with('.'), "{}: how to get it", tool.program);
        }
        for client in &data.clients {
            assert!(client.file.ends_with(".json") || client.file.ends_with(".toml"), "{}", client.file);
            assert!(!client.file.starts_with('/') && !client.file.contains(".."), "{}", client.file);
        }
    }
}
