//! From the errors of SQLite and of the file system to the few classes that callers decide on.

use std::io::ErrorKind;
use std::path::Path;

use baton_port::StoreError;
use rusqlite::{Error, ErrorCode, ffi};

/// Gives an error its class, and names the file that it is about.
pub(crate) trait At<T> {
    fn at(self, path: &Path) -> Result<T, StoreError>;
}

impl<T> At<T> for Result<T, Error> {
    fn at(self, path: &Path) -> Result<T, StoreError> {
        self.map_err(|error| from_sqlite(path, &error))
    }
}

impl<T> At<T> for std::io::Result<T> {
    fn at(self, path: &Path) -> Result<T, StoreError> {
        self.map_err(|error| from_io(path, &error))
    }
}

pub(crate) fn damaged(path: &Path, what: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged(format!("{}: {what}", path.display()))
}

pub(crate) fn from_io(path: &Path, error: &std::io::Error) -> StoreError {
    let text = format!("{}: {error}", path.display());
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full,
        ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::NotADirectory
        | ErrorKind::AlreadyExists
        | ErrorKind::IsADirectory => StoreError::ReadOnly(text),
        _ => StoreError::Failed(text),
    }
}

pub(crate) fn from_sqlite(path: &Path, error: &Error) -> StoreError {
    match error {
        Error::SqliteFailure(failure, _) | Error::SqlInputError { error: failure, .. } => {
            from_code(path, *failure, &error.to_string())
        }
        // A column of the wrong type or range can only come from a file that something else has written to.
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::Utf8Error(..)
        | Error::QueryReturnedNoRows => damaged(path, error),
        _ => StoreError::Failed(format!("{}: {error}", path.display())),
    }
}

fn from_code(path: &Path, failure: ffi::Error, message: &str) -> StoreError {
    let text = format!("{}: {message}", path.display());
    match failure.code {
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Damaged(text),
        ErrorCode::DiskFull => StoreError::Full,
        ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied => StoreError::ReadOnly(text),
        ErrorCode::SystemIoFailure => from_io_code(failure.extended_code, text),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            StoreError::Failed(format!("{}: another process kept it locked", path.display()))
        }
        // The version of the schema was checked: what it lacks was taken away.
        ErrorCode::Unknown if message.contains("no such") => StoreError::Damaged(text),
        _ => StoreError::Failed(text),
    }
}

fn from_io_code(extended: i32, text: String) -> StoreError {
    match extended {
        // The shared-memory file grows by allocating: it fails only where there is no room.
        ffi::SQLITE_IOERR_SHMSIZE => StoreError::Full,
        ffi::SQLITE_IOERR_SHORT_READ | ffi::SQLITE_IOERR_CORRUPTFS | ffi::SQLITE_IOERR_DATA => {
            StoreError::Damaged(text)
        }
        _ => StoreError::Failed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(extended: i32) -> StoreError {
        from_sqlite(Path::new("/data/baton.db"), &Error::SqliteFailure(ffi::Error::new(extended), None))
    }

    #[test]
    fn the_codes_of_sqlite_have_their_classes() {
        for code in [ffi::SQLITE_CORRUPT, ffi::SQLITE_NOTADB, ffi::SQLITE_IOERR_SHORT_READ] {
            assert!(matches!(class(code), StoreError::Damaged(text) if text.contains("/data/baton.db")), "{code}");
        }
        for code in [ffi::SQLITE_READONLY, ffi::SQLITE_READONLY_DIRECTORY, ffi::SQLITE_CANTOPEN, ffi::SQLITE_PERM] {
            assert!(matches!(class(code), StoreError::ReadOnly(text) if text.contains("/data/baton.db")), "{code}");
        }
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_SHMSIZE] {
            assert_eq!(class(code), StoreError::Full, "{code}");
        }
        for code in [ffi::SQLITE_BUSY, ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_NOMEM] {
            assert!(matches!(class(code), StoreError::Failed(_)), "{code}");
        }
    }

    #[test]
    fn the_kinds_of_the_file_system_have_their_classes() {
        let class = |kind: ErrorKind| from_io(Path::new("/data"), &kind.into());
        assert_eq!(class(ErrorKind::StorageFull), StoreError::Full);
        assert_eq!(class(ErrorKind::QuotaExceeded), StoreError::Full);
        for kind in [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem, ErrorKind::NotADirectory] {
            assert!(matches!(class(kind), StoreError::ReadOnly(text) if text.starts_with("/data: ")), "{kind}");
        }
        assert!(matches!(class(ErrorKind::TimedOut), StoreError::Failed(_)));
    }
}
