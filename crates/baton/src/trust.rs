//! What the user has agreed to, as the `trust` stream of the journal: vendors that may be sent text, and projects whose
//! commands may be run, pinned by content.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use baton_core::hash::Hash;
use baton_core::journal::{Actor, NewEvent, Row, Stream};
use baton_core::units::Timestamp;
use baton_port::{Append, Journal};
use serde::{Deserialize, Serialize};

use crate::failure::{Exit, Failure};

/// What holds now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trust {
    vendors: BTreeSet<String>,
    projects: BTreeMap<String, Hash>,
}

/// One agreement, or its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub(crate) enum Agreement {
    Vendor { vendor: String },
    Project { root: String, content: Hash },
    Revoked { root: String },
}

const KIND: &str = "agreed";

impl Trust {
    pub(crate) async fn read(journal: &dyn Journal) -> Result<Self, Failure> {
        let rows = journal.read(&Stream::Trust, 0).await?;
        // Agreements are what makes spending and running safe: a changed row must not count.
        baton_core::journal::verify_chain(&rows).map_err(|error| {
            Failure::new(Exit::Store, format!("the record of what you agreed to was changed: {error}"))
        })?;
        Self::fold(&rows)
    }

    fn fold(rows: &[Row]) -> Result<Self, Failure> {
        let mut trust = Self::default();
        for row in rows.iter().filter(|row| row.kind == KIND) {
            let agreement =
                serde_json::from_str(&row.header).map_err(|error| Failure::new(Exit::Store, error.to_string()))?;
            match agreement {
                Agreement::Vendor { vendor } => drop(trust.vendors.insert(vendor)),
                Agreement::Project { root, content } => drop(trust.projects.insert(root, content)),
                Agreement::Revoked { root } => drop(trust.projects.remove(&root)),
            }
        }
        Ok(trust)
    }

    pub(crate) fn allows(&self, vendor: &str) -> bool {
        self.vendors.contains(vendor)
    }

    /// Whether this very content of the project's file was trusted.
    pub(crate) fn covers(&self, root: &Path, content: Hash) -> bool {
        self.projects.get(&*root.to_string_lossy()) == Some(&content)
    }

    /// Whether the project was trusted with another content than it has now.
    pub(crate) fn is_outdated(&self, root: &Path, content: Hash) -> bool {
        self.projects.get(&*root.to_string_lossy()).is_some_and(|trusted| *trusted != content)
    }
}

/// Records an agreement; on disk when this returns. Only ever called for a person's own word.
pub(crate) async fn agree(journal: &dyn Journal, at: Timestamp, agreements: &[Agreement]) -> Result<(), Failure> {
    let event = |agreement: &Agreement| {
        let header = serde_json::to_string(agreement)
            .map_err(|error| Failure::new(Exit::Store, format!("an agreement cannot be written: {error}")))?;
        Ok(NewEvent { kind: KIND, version: 1, at, actor: Actor::Person, header, body: None })
    };
    let events = agreements.iter().map(event).collect::<Result<Vec<_>, Failure>>()?;
    let append = Append { stream: Stream::Trust, expected: None, epoch: None, events, blobs: Vec::new() };
    journal.append(append).await?;
    Ok(())
}
