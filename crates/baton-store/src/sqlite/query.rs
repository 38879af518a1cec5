//! What the readers ask. Each query sees one consistent state.

use baton_core::hash::Hash;
use baton_core::journal::Row;
use baton_core::units::Timestamp;
use baton_port::{RunSummary, StoreError, VersionedRow};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _};

use super::blobs;
use super::error::{At, damaged};
use super::number::Number;
use super::reader::Reader;

macro_rules! select_event {
    ($rest:literal) => {
        concat!(
            "SELECT seq, stream, ordinal, kind, version, at, epoch, actor, header, body_hash, prev_hash, hash
             FROM event ",
            $rest
        )
    };
}

/// A stream's rows with their bodies, which are not compared with their hashes: `verify_chain` does that, and names
/// the row.
pub(crate) fn read(reader: &Reader, stream: &str, from: u64) -> Result<Vec<Row>, StoreError> {
    let from = i64::try_from(from).unwrap_or(i64::MAX);
    let mut rows = reader
        .connection
        .prepare_cached(select_event!("WHERE stream = ?1 AND ordinal >= ?2 ORDER BY ordinal"))
        .and_then(|mut select| select.query_map((stream, from), event)?.collect::<rusqlite::Result<Vec<Row>>>())
        .at(&reader.path)?;
    for row in &mut rows {
        if let Some(hash) = &row.body_hash {
            row.body = blobs::load(&reader.connection, &reader.files, &reader.path, hash)?;
        }
    }
    Ok(rows)
}

pub(crate) fn follow(reader: &Reader, after: u64, limit: usize) -> Result<Vec<Row>, StoreError> {
    let (after, limit) = (i64::try_from(after).unwrap_or(i64::MAX), i64::try_from(limit).unwrap_or(i64::MAX));
    reader
        .connection
        .prepare_cached(select_event!("WHERE seq > ?1 ORDER BY seq LIMIT ?2"))
        .and_then(|mut select| select.query_map((after, limit), event)?.collect())
        .at(&reader.path)
}

pub(crate) fn runs(reader: &Reader, limit: usize) -> Result<Vec<RunSummary>, StoreError> {
    // One transaction: otherwise a row could be listed that the next query does not see yet.
    let transaction = reader.connection.unchecked_transaction().at(&reader.path)?;
    let summaries = summaries(&transaction, i64::try_from(limit).unwrap_or(i64::MAX)).at(&reader.path)?;
    transaction.finish().at(&reader.path)?;
    Ok(summaries)
}

fn summaries(connection: &Connection, limit: i64) -> rusqlite::Result<Vec<RunSummary>> {
    let mut listed = connection
        .prepare_cached("SELECT stream, first_seq, last_seq, decided_seq FROM run ORDER BY first_seq DESC LIMIT ?1")?;
    let mut by_place = connection.prepare_cached(select_event!("WHERE seq = ?1"))?;
    let mut at = |place: i64| by_place.query_row([place], event);
    let mut summaries = Vec::new();
    let mut rows = listed.query([limit])?;
    while let Some(row) = rows.next()? {
        summaries.push(RunSummary {
            stream: row.get(0)?,
            first: at(row.get(1)?)?,
            last: at(row.get(2)?)?,
            decided: row.get::<_, Option<i64>>(3)?.map(&mut at).transpose()?,
        });
    }
    Ok(summaries)
}

/// Names are compared byte by byte: nothing in a prefix is a pattern.
pub(crate) fn held(reader: &Reader, prefix: &str, now: Timestamp) -> Result<u32, StoreError> {
    let sql = "SELECT count(*) FROM lease WHERE substr(name, 1, length(?1)) = ?1 AND owner IS NOT NULL AND until > ?2";
    reader.connection.query_row(sql, (prefix, now.0), |row| row.get(0)).at(&reader.path)
}

pub(crate) fn blob(reader: &Reader, hash: &Hash) -> Result<Option<Vec<u8>>, StoreError> {
    let found = blobs::load(&reader.connection, &reader.files, &reader.path, hash)?;
    match found {
        Some(bytes) if Hash::of(&bytes) != *hash => {
            Err(damaged(&reader.path, format_args!("blob {hash} was changed after it was written")))
        }
        found => Ok(found),
    }
}

pub(crate) fn row_of(connection: &Connection, table: &str, key: &str) -> rusqlite::Result<Option<VersionedRow>> {
    connection
        .prepare_cached("SELECT version, value FROM row WHERE tbl = ?1 AND key = ?2")?
        .query_row((table, key), |row| Ok(VersionedRow { version: row.get::<_, Number>(0)?.0, value: row.get(1)? }))
        .optional()
}

/// SQLite's own quick check of all pages, and whether every large blob has its file.
pub(crate) fn check(reader: &Reader) -> Result<(), StoreError> {
    let verdict: String = reader.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).at(&reader.path)?;
    if verdict != "ok" {
        return Err(damaged(&reader.path, verdict));
    }
    let mut select = reader.connection.prepare("SELECT hash, size FROM blob WHERE bytes IS NULL").at(&reader.path)?;
    let mut rows = select.query([]).at(&reader.path)?;
    while let Some(row) = rows.next().at(&reader.path)? {
        let hash = row.get(0).map(Hash::from_bytes).at(&reader.path)?;
        if !reader.files.has(&hash, row.get::<_, Number>(1).at(&reader.path)?.0) {
            return Err(damaged(&reader.path, format_args!("the file of blob {hash} is not there or was cut")));
        }
    }
    Ok(())
}

fn event(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        seq: row.get::<_, Number>(0)?.0,
        stream: row.get(1)?,
        ordinal: row.get::<_, Number>(2)?.0,
        kind: row.get(3)?,
        version: row.get(4)?,
        at: Timestamp(row.get(5)?),
        epoch: row.get::<_, Number>(6)?.0,
        actor: row.get(7)?,
        header: row.get(8)?,
        body_hash: if row.get_ref(9)?.data_type() == Type::Null { None } else { Some(Hash::from_bytes(row.get(9)?)) },
        body: None,
        prev_hash: Hash::from_bytes(row.get(10)?),
        hash: Hash::from_bytes(row.get(11)?),
    })
}
