//! Counts in SQLite, whose integers are signed.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};

/// A count as it is stored. One that is too large is an error when written, a negative one when read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number(pub(crate) u64);

impl ToSql for Number {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        i64::try_from(self.0)
            .map(ToSqlOutput::from)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
    }
}

impl FromSql for Number {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = value.as_i64()?;
        u64::try_from(number).map(Self).map_err(|_| FromSqlError::OutOfRange(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_count_is_refused_both_ways() {
        assert_eq!(Number::column_result(ValueRef::Integer(7)), Ok(Number(7)));
        assert!(Number::column_result(ValueRef::Integer(-1)).is_err());
        assert!(Number::column_result(ValueRef::Null).is_err());
        assert!(Number(u64::MAX).to_sql().is_err());
    }
}
