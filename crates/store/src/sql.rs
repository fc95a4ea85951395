use rusqlite::types::Type;
use rusqlite::{Row, ffi};
use serde::Serialize;
use serde::de::DeserializeOwned;
use values::{ContentHash, NanoDollars, Timestamp};

/// Returns the text that serde writes for a plain enum (`stopped_at_cap`).
pub(crate) fn name_of<T: Serialize>(value: &T) -> String {
    let json = serde_json::to_string(value).expect("a plain enum always has a name");
    json.trim_matches('"').to_owned()
}

/// Reads columns as the types that are kept in them.
pub(crate) trait Columns {
    fn hash(&self, column: usize) -> rusqlite::Result<ContentHash>;
    fn time(&self, column: usize) -> rusqlite::Result<Timestamp>;
    fn money(&self, column: usize) -> rusqlite::Result<Option<NanoDollars>>;
    /// A count or a duration; the program writes no negative ones.
    fn count(&self, column: usize) -> rusqlite::Result<u64>;
    /// A plain enum, by the name that [`name_of`] wrote.
    fn name<T: DeserializeOwned>(&self, column: usize) -> rusqlite::Result<T>;
    /// A document.
    fn json<T: DeserializeOwned>(&self, column: usize) -> rusqlite::Result<T>;
}

impl Columns for Row<'_> {
    fn hash(&self, column: usize) -> rusqlite::Result<ContentHash> {
        self.get(column).map(ContentHash::from_bytes)
    }

    fn time(&self, column: usize) -> rusqlite::Result<Timestamp> {
        self.get(column).map(Timestamp::from_unix_ms)
    }

    fn money(&self, column: usize) -> rusqlite::Result<Option<NanoDollars>> {
        Ok(self.get::<_, Option<i64>>(column)?.map(NanoDollars::new))
    }

    fn count(&self, column: usize) -> rusqlite::Result<u64> {
        let number: i64 = self.get(column)?;
        u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
    }

    fn name<T: DeserializeOwned>(&self, column: usize) -> rusqlite::Result<T> {
        let name = self.get_ref(column)?.as_str()?;
        serde_json::from_value(name.into()).map_err(|error| unreadable(column, error))
    }

    fn json<T: DeserializeOwned>(&self, column: usize) -> rusqlite::Result<T> {
        let text = self.get_ref(column)?.as_str()?;
        serde_json::from_str(text).map_err(|error| unreadable(column, error))
    }
}

fn unreadable(column: usize, error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}

/// Turns a count into what SQLite keeps; beyond 2^63 it stays there.
pub(crate) fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Tells whether a row was refused because its key is taken.
pub(crate) fn is_taken(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    matches!(code, Some(ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_UNIQUE))
}

/// Tells whether a row was refused because it refers to one that does not exist.
pub(crate) fn is_dangling(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    code == Some(ffi::SQLITE_CONSTRAINT_FOREIGNKEY)
}
