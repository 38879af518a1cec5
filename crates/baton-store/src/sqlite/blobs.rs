//! Where bytes are kept by their hash: small ones in the database, large ones as files of their own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use baton_core::hash::Hash;
use baton_port::StoreError;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::error::{At, damaged};
use super::files;
use super::number::Number;

/// Larger blobs are files: a row of many pages would pass through the log twice.
pub(crate) const INLINE_LIMIT: usize = 64 << 10;

/// The files, and which of their directories have still to be synced before the commit that refers to them.
pub(crate) struct BlobFiles {
    root: PathBuf,
    unsynced: BTreeSet<PathBuf>,
}

impl BlobFiles {
    pub(crate) fn new(directory: &Path) -> Self {
        Self { root: directory.to_owned(), unsynced: BTreeSet::new() }
    }

    fn path(&self, hash: &Hash) -> PathBuf {
        let name = hash.to_string();
        let (first, rest) = name.split_at(2);
        self.root.join("blobs").join(first).join(rest)
    }

    fn write(&mut self, hash: &Hash, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.path(hash);
        let directory = path.parent().unwrap_or(&self.root);
        files::make_directory(directory).at(directory)?;
        files::write_whole(&path, bytes).at(&path)?;
        self.unsynced.insert(directory.to_owned());
        Ok(())
    }

    /// After this every file that was written is found after a power loss too.
    pub(crate) fn sync(&mut self) -> Result<(), StoreError> {
        while let Some(directory) = self.unsynced.pop_first() {
            files::sync_directory(&directory).at(&directory)?;
        }
        Ok(())
    }

    pub(crate) fn read(&self, hash: &Hash) -> Result<Vec<u8>, StoreError> {
        let path = self.path(hash);
        std::fs::read(&path).map_err(|error| damaged(&path, error))
    }

    /// Whether the file is there with this size. Says nothing of its bytes.
    pub(crate) fn has(&self, hash: &Hash, size: u64) -> bool {
        std::fs::metadata(self.path(hash)).is_ok_and(|found| found.is_file() && found.len() == size)
    }
}

/// Keeps bytes under a hash, within the writer's transaction. Bytes that are there already are not written again.
pub(crate) fn store(
    connection: &Connection,
    blobs: &mut BlobFiles,
    database: &Path,
    hash: &Hash,
    bytes: &[u8],
) -> Result<(), StoreError> {
    let inline = bytes.len() <= INLINE_LIMIT;
    let there = inline || (is_kept(connection, hash).at(database)? && blobs.has(hash, bytes.len() as u64));
    if !there {
        blobs.write(hash, bytes)?;
    }
    connection
        .prepare_cached("INSERT INTO blob (hash, size, bytes) VALUES (?1, ?2, ?3) ON CONFLICT (hash) DO NOTHING")
        .and_then(|mut insert| {
            insert.execute(params![hash.as_bytes(), Number(bytes.len() as u64), inline.then_some(bytes)])
        })
        .at(database)
        .map(drop)
}

fn is_kept(connection: &Connection, hash: &Hash) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM blob WHERE hash = ?1")?.exists([hash.as_bytes()])
}

/// The bytes as they are kept, not compared with their hash. `None` when they are not kept here.
pub(crate) fn load(
    connection: &Connection,
    blobs: &BlobFiles,
    database: &Path,
    hash: &Hash,
) -> Result<Option<Vec<u8>>, StoreError> {
    let found = connection
        .prepare_cached("SELECT bytes FROM blob WHERE hash = ?1")
        .and_then(|mut select| select.query_row([hash.as_bytes()], |row| inline_bytes(row.get_ref(0)?)).optional())
        .at(database)?;
    match found {
        None => Ok(None),
        Some(Some(bytes)) => Ok(Some(bytes)),
        Some(None) => blobs.read(hash).map(Some),
    }
}

/// `None` for a blob that is a file.
fn inline_bytes(value: ValueRef<'_>) -> rusqlite::Result<Option<Vec<u8>>> {
    value
        .as_blob_or_null()
        .map(|bytes| bytes.map(<[u8]>::to_vec))
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, value.data_type(), error.into()))
}
