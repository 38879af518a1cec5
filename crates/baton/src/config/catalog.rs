//! The catalogue: data compiled in from the `catalog/` folder. What it says, a user's file can say otherwise.

use baton_core::catalog::RoleRow;
use baton_core::member::Member;
use baton_core::workflow::Workflow;
use serde::Deserialize;

use super::Config;
use crate::failure::Failure;

/// A member of the catalogue, with what it takes to use it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Entry {
    #[serde(flatten)]
    pub(crate) member: Member,
    #[serde(default)]
    pub(crate) needs: Needs,
    /// One sentence: how to get it.
    #[serde(default)]
    pub(crate) install: String,
    /// No seat unless the user's file says `disabled = false` for it.
    #[serde(default)]
    pub(crate) off: bool,
}

/// What must be there for a seat to be usable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Needs {
    pub(crate) program: Option<String>,
    pub(crate) key_env: Option<String>,
}

/// A server that developers run on their own machine, on its usual port.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LocalServer {
    pub(crate) name: String,
    pub(crate) base_url: String,
    pub(crate) tier: u8,
    pub(crate) vendor: String,
    #[serde(default = "local_window")]
    pub(crate) context_window: u64,
}

const fn local_window() -> u64 {
    32_000
}

/// A name of the past, and who took its place.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retired {
    pub(crate) name: String,
    pub(crate) successor: String,
    pub(crate) note: String,
}

#[derive(Deserialize)]
struct MembersFile {
    member: Vec<Entry>,
    #[serde(default)]
    local: Vec<LocalServer>,
    #[serde(default)]
    retired: Vec<Retired>,
}

#[derive(Deserialize)]
struct RolesFile {
    role: Vec<RoleRow>,
}

macro_rules! catalog {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../catalog/", $name))
    };
}

const WORKFLOWS: &[(&str, &str)] = &[
    ("workflows/ask.toml", catalog!("workflows/ask.toml")),
    ("workflows/debate.toml", catalog!("workflows/debate.toml")),
    ("workflows/refine.toml", catalog!("workflows/refine.toml")),
];

/// What `baton consult` runs; no choice of `ask`.
const CONSULT: (&str, &str) = ("workflows/consult.toml", catalog!("workflows/consult.toml"));

/// Prompt templates by name.
const TEMPLATES: &[(&str, &str)] = &[
    ("opinion", catalog!("prompts/opinion.md")),
    ("consult", catalog!("prompts/consult.md")),
    ("draft", catalog!("prompts/draft.md")),
    ("debate", catalog!("prompts/debate.md")),
    ("dispute", catalog!("prompts/dispute.md")),
    ("reproduction", catalog!("prompts/reproduction.md")),
    ("review", catalog!("prompts/review.md")),
    ("revise", catalog!("prompts/revise.md")),
    ("trailer_verdict", catalog!("prompts/trailer_verdict.md")),
    ("trailer_choice", catalog!("prompts/trailer_choice.md")),
    ("trailer_findings", catalog!("prompts/trailer_findings.md")),
    ("trailer_patch", catalog!("prompts/trailer_patch.md")),
    ("trailer_test", catalog!("prompts/trailer_test.md")),
    ("trailer_text", catalog!("prompts/trailer_text.md")),
];

/// The catalogue as shipped.
pub(super) fn built_in() -> Result<Config, Failure> {
    let members: MembersFile = parse("members.toml", catalog!("members.toml"))?;
    let roles: RolesFile = parse("roles.toml", catalog!("roles.toml"))?;
    let workflows = WORKFLOWS.iter().map(|(name, text)| workflow(name, text)).collect::<Result<_, _>>()?;
    Ok(Config {
        entries: members.member,
        locals: members.local,
        retired: members.retired,
        roles: roles.role,
        rules: baton_core::catalog::Rules::default(),
        workflows,
        consult: workflow(CONSULT.0, CONSULT.1)?,
        allow: Vec::new(),
        checks: Vec::new(),
        ask_kind: false,
        reproduce: None,
        ask_patch: true,
        handover: std::collections::BTreeMap::new(),
        servers: Vec::new(),
        warm: baton_members::warm::Limits::default(),
        deny: Vec::new(),
        project: None,
    })
}

/// A workflow with the templates that it uses, and the trailers, which any question may need.
fn workflow(name: &str, text: &str) -> Result<Workflow, Failure> {
    let mut workflow: Workflow = parse(name, text)?;
    let used = |template: &str| {
        let asks = |act: &baton_core::workflow::Act| matches!(act, baton_core::workflow::Act::Ask { template: of, .. } if of == template);
        template.starts_with("trailer_") || workflow.nodes.iter().any(|node| asks(&node.act))
    };
    let wanted: Vec<_> = TEMPLATES.iter().filter(|(template, _)| used(template)).collect();
    for (template, text) in wanted {
        workflow.templates.insert((*template).to_owned(), (*text).to_owned());
    }
    workflow.validate().map_err(|error| Failure::configuration(format!("catalog {name}: {error}")))?;
    Ok(workflow)
}

fn parse<T: serde::de::DeserializeOwned>(name: &str, text: &str) -> Result<T, Failure> {
    toml::from_str(text).map_err(|error| Failure::configuration(format!("catalog {name}: {error}")))
}
