//! Opening: what is there is looked at before anything of it is changed.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use baton_port::StoreError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::Options;
use super::error::{At, damaged};
use super::files;

/// Each brings the schema from its place in this list to the next. Released ones are never edited.
pub(super) const MIGRATIONS: [&str; 1] = [include_str!("schema/1.sql")];
pub(super) const FILE: &str = "baton.db";
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// The length of SQLite's own header.
const HEADER: usize = 100;
/// Marks the file as ours: "batn".
const APPLICATION: i32 = 0x6261_746e;
/// Far beyond what an autocheckpoint should ever have to do: the store checkpoints before, off the commit path.
const AUTOCHECKPOINT_PAGES: u32 = 16_384;
const BUSY_TRIES: i32 = 10_000;

/// Opens the writing connection, and makes directory, file and schema where there are none.
pub(crate) fn open(directory: &Path, options: &Options) -> Result<(Connection, PathBuf), StoreError> {
    let path = directory.join(FILE);
    files::make_directory(directory).at(directory)?;
    refuse_what_is_no_database(&path)?;
    if files::make_file(&path).at(&path)? {
        files::sync_directory(directory).at(directory)?;
    }
    let mut connection = connect(&path)?;
    // A file that is refused below must stay as it is, its log included.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).at(&path)?;
    refuse_what_is_not_ours(&connection, &path)?;
    use_write_ahead_log(&connection, &path)?;
    configure(&connection, options).at(&path)?;
    migrate(&mut connection, &path, &MIGRATIONS)?;
    refuse_what_lacks_tables(&connection, &path)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).at(&path)?;
    Ok((connection, path))
}

/// A connection for reading. It can be opened while others write, and never changes a row.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let connection = connect(path)?;
    connection.pragma_update(None, "query_only", true).at(path)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).at(path)?;
    connection.busy_handler(Some(wait_for_lock)).at(path)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).at(path)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false).at(path)?;
    Ok(connection)
}

/// Short waits, about ten seconds in all: another process's commits leave only short gaps, and SQLite's own handler
/// sleeps through them.
fn wait_for_lock(tries: i32) -> bool {
    std::thread::sleep(Duration::from_micros(if tries < 20 { 100 } else { 1_000 }));
    tries < BUSY_TRIES
}

fn refuse_what_is_no_database(path: &Path) -> Result<(), StoreError> {
    let (header, size) = match std::fs::File::open(path) {
        Ok(file) => read_header(file).at(path)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => (Vec::new(), 0),
        Err(error) => return Err(error).at(path),
    };
    let log_is_empty = !std::fs::metadata(path.with_extension("db-wal")).is_ok_and(|log| log.len() > 0);
    if header.is_empty() {
        // SQLite would throw the log away, and with it what was acknowledged.
        return if log_is_empty { Ok(()) } else { Err(damaged(path, "it is empty or gone, while its log is not")) };
    }
    if header.len() < HEADER || !header.starts_with(MAGIC) {
        return Err(damaged(path, "it is no database"));
    }
    // With a log this is a checkpoint that a loss of power cut short, and the log repairs it.
    if log_is_empty && size % page_size(&header) != 0 {
        return Err(damaged(path, "its end is missing"));
    }
    Ok(())
}

fn read_header(file: std::fs::File) -> std::io::Result<(Vec<u8>, u64)> {
    let size = file.metadata()?.len();
    let mut header = Vec::with_capacity(HEADER);
    file.take(HEADER as u64).read_to_end(&mut header)?;
    Ok((header, size))
}

/// As SQLite's file format has it: two bytes, in which 1 stands for 65,536. What else is odd is left to SQLite.
fn page_size(header: &[u8]) -> u64 {
    match u64::from(header[16]) << 8 | u64::from(header[17]) {
        1 => 65_536,
        size => size.max(1),
    }
}

fn refuse_what_is_not_ours(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let version = schema_version(connection).at(path)?;
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0)).at(path)?;
    let objects: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).at(path)?;
    if application != APPLICATION && (application != 0 || objects > 0) {
        return Err(damaged(path, "it is the database of another program"));
    }
    known(version, &MIGRATIONS)
}

fn refuse_what_lacks_tables(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let query = "SELECT count(*) FROM sqlite_schema WHERE type = 'table'
                 AND name IN ('event', 'blob', 'run', 'lease', 'row')";
    let tables: i64 = connection.query_row(query, [], |row| row.get(0)).at(path)?;
    if tables == 5 { Ok(()) } else { Err(damaged(path, "it lacks tables")) }
}

/// Two processes that make the same new file can meet here, and SQLite does not wait for this lock by itself.
fn use_write_ahead_log(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let mut tries = 0;
    loop {
        let mode = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
        match mode {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => return Err(StoreError::Failed(format!("{}: no write-ahead log ({mode})", path.display()))),
            Err(error) if error.sqlite_error_code() != Some(rusqlite::ErrorCode::DatabaseBusy) => {
                return Err(error).at(path);
            }
            Err(error) if !wait_for_lock(tries) => return Err(error).at(path),
            Err(_) => tries += 1,
        }
    }
}

fn configure(connection: &Connection, options: &Options) -> rusqlite::Result<()> {
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "wal_autocheckpoint", AUTOCHECKPOINT_PAGES)?;
    connection.pragma_update(None, "cache_size", -16_384)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    if let Some(pages) = options.page_limit {
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
    }
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn schema_version(connection: &Connection) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// How many of the migrations are done.
fn known(version: i32, migrations: &[&str]) -> Result<(), StoreError> {
    match usize::try_from(version) {
        Ok(found) if found <= migrations.len() => Ok(()),
        _ => Err(StoreError::Newer {
            found: version.cast_unsigned(),
            known: u32::try_from(migrations.len()).unwrap_or(0),
        }),
    }
}

/// Does what is missing, in order. Each step is done whole, with its number, or not at all.
fn migrate(connection: &mut Connection, path: &Path, migrations: &[&str]) -> Result<(), StoreError> {
    for (done, migration) in (0..).zip(migrations) {
        if schema_version(connection).at(path)? > done {
            continue;
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).at(path)?;
        // Read again under the lock: another process may have been faster.
        let version = schema_version(&transaction).at(path)?;
        known(version, migrations)?;
        if version == done {
            transaction.execute_batch(migration).at(path)?;
            transaction.pragma_update(None, "application_id", APPLICATION).at(path)?;
            transaction.pragma_update(None, "user_version", done + 1).at(path)?;
        }
        transaction.commit().at(path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(connection: &Connection) -> i64 {
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_migration_that_fails_in_its_middle_leaves_the_step_before() {
        let path = Path::new("memory");
        let mut connection = Connection::open_in_memory().unwrap();
        let broken = ["CREATE TABLE a (x);", "CREATE TABLE b (x); CREATE TABLE a (x);"];
        assert!(migrate(&mut connection, path, &broken).is_err());
        assert_eq!((schema_version(&connection).unwrap(), tables(&connection)), (1, 1));
        let mended = ["CREATE TABLE a (x);", "CREATE TABLE b (x); CREATE TABLE c (x);"];
        migrate(&mut connection, path, &mended).unwrap();
        assert_eq!((schema_version(&connection).unwrap(), tables(&connection)), (2, 3));
        migrate(&mut connection, path, &mended).unwrap();
    }

    #[test]
    fn a_version_beyond_the_known_ones_is_newer() {
        assert_eq!(known(1, &["", ""]), Ok(()));
        assert_eq!(known(3, &["", ""]), Err(StoreError::Newer { found: 3, known: 2 }));
        assert!(known(-1, &[""]).is_err());
    }
}
