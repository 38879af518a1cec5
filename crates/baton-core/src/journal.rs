//! The form in which events are kept, and the hash chain over them.
//!
//! The chain covers each row's header and the hash of its body. So it verifies without the bodies: a body can be
//! dropped, a row never.

use serde::{Deserialize, Serialize};

use crate::hash::{FieldHasher, Hash};
use crate::ids::{MemberId, RunId, SessionName};
use crate::units::Timestamp;

/// Which ordered log an event belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    Run(RunId),
    Session(MemberId, SessionName),
    /// What the user has agreed to: vendors that may be sent text, projects whose commands may run.
    Trust,
    /// What became of decisions.
    Feedback,
}

impl Stream {
    /// Reads the text form; `None` for a stream of a newer version.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "trust" {
            return Some(Self::Trust);
        }
        if text == "feedback" {
            return Some(Self::Feedback);
        }
        let (kind, rest) = text.split_once(':')?;
        match kind {
            "run" => RunId::parse(rest).ok().map(Self::Run),
            "session" => {
                let (member, name) = rest.split_once('/')?;
                Some(Self::Session(MemberId::parse(member).ok()?, SessionName::parse(name).ok()?))
            }
            _ => None,
        }
    }
}

impl std::fmt::Display for Stream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Run(run) => write!(formatter, "run:{run}"),
            Self::Session(member, name) => write!(formatter, "session:{member}/{name}"),
            Self::Trust => formatter.write_str("trust"),
            Self::Feedback => formatter.write_str("feedback"),
        }
    }
}

/// Who made an event happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by", content = "name")]
pub enum Actor {
    /// baton itself, by its rules.
    Engine,
    /// A person at a terminal.
    Person,
    /// A program that speaks for somebody; never counted as a person.
    Client(String),
}

impl Actor {
    #[must_use]
    pub fn as_text(&self) -> String {
        match self {
            Self::Engine => "engine".into(),
            Self::Person => "person".into(),
            Self::Client(name) => format!("client {name}"),
        }
    }
}

/// An event that is about to be appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    pub kind: &'static str,
    pub version: u16,
    pub at: Timestamp,
    pub actor: Actor,
    /// Small JSON: what lists and views need.
    pub header: String,
    /// Larger JSON, kept by hash.
    pub body: Option<Vec<u8>>,
}

/// One row of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Place in the whole journal.
    pub seq: u64,
    pub stream: String,
    /// Place in its stream, from 0, without gaps.
    pub ordinal: u64,
    pub kind: String,
    pub version: u16,
    pub at: Timestamp,
    /// Fencing number of the lease under which it was written; 0 for writers without one.
    pub epoch: u64,
    pub actor: String,
    pub header: String,
    pub body_hash: Option<Hash>,
    /// `None` when the row has none, or when it was dropped.
    pub body: Option<Vec<u8>>,
    pub prev_hash: Hash,
    pub hash: Hash,
}

/// The fields that a row's hash covers.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    pub prev: Hash,
    pub stream: &'a str,
    pub ordinal: u64,
    pub kind: &'a str,
    pub version: u16,
    pub at: Timestamp,
    pub epoch: u64,
    pub actor: &'a str,
    pub header: &'a str,
    pub body_hash: Option<Hash>,
}

/// The hash of a row: SHA-256 over its fields, each led by its length, the previous row's hash first.
#[must_use]
pub fn chain(link: &Link<'_>) -> Hash {
    let body = link.body_hash.unwrap_or(Hash::ZERO);
    FieldHasher::default()
        .field(link.prev.as_bytes())
        .field(link.stream.as_bytes())
        .number(link.ordinal)
        .field(link.kind.as_bytes())
        .number(u64::from(link.version))
        .number(link.at.0.cast_unsigned())
        .number(link.epoch)
        .field(link.actor.as_bytes())
        .field(link.header.as_bytes())
        .field(body.as_bytes())
        .finish()
}

/// What is wrong with a stream's rows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    #[error("event {ordinal} is missing or out of order")]
    Gap { ordinal: u64 },
    #[error("event {ordinal} does not follow from the one before it: it was changed after it was written")]
    Broken { ordinal: u64 },
    #[error("the body of event {ordinal} was changed after it was written")]
    Body { ordinal: u64 },
}

/// Checks that rows are a whole stream from its beginning and that none was changed. A dropped body is no error.
///
/// # Errors
/// The first row at which it fails.
pub fn verify_chain(rows: &[Row]) -> Result<(), ChainError> {
    let mut prev = Hash::ZERO;
    for (expected, row) in (0..).zip(rows) {
        if row.ordinal != expected {
            return Err(ChainError::Gap { ordinal: expected });
        }
        if row.prev_hash != prev || row.hash != row.computed_hash() {
            return Err(ChainError::Broken { ordinal: row.ordinal });
        }
        if let Some(body) = &row.body
            && row.body_hash != Some(Hash::of(body))
        {
            return Err(ChainError::Body { ordinal: row.ordinal });
        }
        prev = row.hash;
    }
    Ok(())
}

impl Row {
    #[must_use]
    pub fn computed_hash(&self) -> Hash {
        chain(&Link {
            prev: self.prev_hash,
            stream: &self.stream,
            ordinal: self.ordinal,
            kind: &self.kind,
            version: self.version,
            at: self.at,
            epoch: self.epoch,
            actor: &self.actor,
            header: &self.header,
            body_hash: self.body_hash,
        })
    }

    /// Its body was there once and is not any more.
    #[must_use]
    pub const fn body_dropped(&self) -> bool {
        self.body_hash.is_some() && self.body.is_none()
    }

    /// The row that follows `previous` in a stream: numbered and chained. `seq` is given by the store.
    #[must_use]
    pub fn next(previous: Option<(u64, Hash)>, stream: &str, epoch: u64, event: NewEvent) -> Self {
        let (ordinal, prev_hash) = previous.map_or((0, Hash::ZERO), |(ordinal, hash)| (ordinal + 1, hash));
        let mut row = Self {
            seq: 0,
            stream: stream.to_owned(),
            ordinal,
            kind: event.kind.to_owned(),
            version: event.version,
            at: event.at,
            epoch,
            actor: event.actor.as_text(),
            header: event.header,
            body_hash: event.body.as_deref().map(Hash::of),
            body: event.body,
            prev_hash,
            hash: Hash::ZERO,
        };
        row.hash = row.computed_hash();
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::new();
        for number in 0..3 {
            let event = NewEvent {
                kind: "test",
                version: 1,
                at: Timestamp(number),
                actor: Actor::Engine,
                header: format!("{{\"n\":{number}}}"),
                body: Some(vec![0; 3]),
            };
            let previous = rows.last().map(|row| (row.ordinal, row.hash));
            rows.push(Row::next(previous, "run:a", 1, event));
        }
        rows
    }

    #[test]
    fn every_change_is_seen_and_named() {
        assert_eq!(verify_chain(&rows()), Ok(()));
        type Change = (fn(&mut Vec<Row>), ChainError);
        let changes: Vec<Change> = vec![
            (|rows| rows[1].header.push(' '), ChainError::Broken { ordinal: 1 }),
            (|rows| rows[1].at = Timestamp(9), ChainError::Broken { ordinal: 1 }),
            (|rows| rows[1].actor = "person".into(), ChainError::Broken { ordinal: 1 }),
            (|rows| drop(rows.remove(1)), ChainError::Gap { ordinal: 1 }),
            (|rows| drop(rows.remove(0)), ChainError::Gap { ordinal: 0 }),
            (|rows| rows.swap(1, 2), ChainError::Gap { ordinal: 1 }),
            (|rows| rows[2].body = Some(vec![1]), ChainError::Body { ordinal: 2 }),
        ];
        for (change, error) in changes {
            let mut broken = rows();
            change(&mut broken);
            assert_eq!(verify_chain(&broken), Err(error));
        }
    }

    #[test]
    fn a_row_rewritten_with_its_own_hash_breaks_the_next() {
        let mut rows = rows();
        rows[1].header = "{}".into();
        rows[1].hash = rows[1].computed_hash();
        assert_eq!(verify_chain(&rows), Err(ChainError::Broken { ordinal: 2 }));
    }

    #[test]
    fn a_dropped_body_is_no_break() {
        let mut rows = rows();
        rows[1].body = None;
        assert_eq!(verify_chain(&rows), Ok(()));
        assert!(rows[1].body_dropped());
    }

    #[test]
    fn streams_round_trip_as_text() {
        for text in ["run:0192", "session:claude/auth", "trust"] {
            assert_eq!(Stream::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Stream::parse("fleet:x"), None);
    }
}
