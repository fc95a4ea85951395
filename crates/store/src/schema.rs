use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};

use crate::error::{Doing, StoreError};

/// `TrSq`: marks a SQLite file as ours.
pub(crate) const APPLICATION_ID: i32 = 0x5472_5371;

/// Every step of the format, in order; step `n` leads from format `n` to `n + 1`. Steps are never
/// edited once released, only added.
pub(crate) const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001.sql")];

/// Brings a database to the newest format, with a checked backup before each step.
///
/// Several programs may do this at once: each step is one transaction that looks again.
pub(crate) fn migrate(
    connection: &mut Connection,
    path: &Path,
    migrations: &[&str],
) -> Result<(), StoreError> {
    let doing = "bring the database to the newest format";
    // A step may rebuild a table that others refer to; what it leaves is checked as a whole.
    connection.pragma_update(None, "foreign_keys", false).doing(doing)?;
    loop {
        let version = format_version(connection).doing(doing)?;
        let Some(step) = usize::try_from(version).ok().and_then(|at| migrations.get(at)) else {
            break;
        };
        if version > 0 {
            back_up(connection, path, version)?;
        }
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).doing(doing)?;
        if format_version(&transaction).doing(doing)? != version {
            continue;
        }
        transaction.execute_batch(step).doing(doing)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID).doing(doing)?;
        transaction.pragma_update(None, "user_version", version + 1).doing(doing)?;
        let broken = foreign_key_faults(&transaction).doing(doing)?;
        if let Some(first) = broken.first() {
            return Err(StoreError::Conflict(format!(
                "failed to bring the database to format {}: {first}",
                version + 1
            )));
        }
        transaction.commit().doing(doing)?;
    }
    connection.pragma_update(None, "foreign_keys", true).doing(doing)
}

/// Returns the format of a database; 0 is an empty one.
pub(crate) fn format_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Returns what is wrong with a database, nothing if it is sound.
pub(crate) fn faults(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("PRAGMA integrity_check")?;
    let lines = statement.query_map((), |row| row.get::<_, String>(0))?;
    let mut faults: Vec<String> = lines.collect::<rusqlite::Result<_>>()?;
    faults.retain(|line| line != "ok");
    faults.extend(foreign_key_faults(connection)?);
    Ok(faults)
}

fn foreign_key_faults(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let rows = statement.query_map((), |row| {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        Ok(format!("a row of {table} refers to a row of {parent} that does not exist"))
    })?;
    rows.collect()
}

/// Returns where the backup of a database of this format lies.
pub(crate) fn backup_path(path: &Path, version: i64) -> PathBuf {
    with_suffix(path, &format!(".format-{version}.bak"))
}

fn back_up(connection: &Connection, path: &Path, version: i64) -> Result<(), StoreError> {
    let doing = "back up the database before bringing it to a newer format";
    let target = backup_path(path, version);
    let partial = with_suffix(&target, &format!(".{}", std::process::id()));
    // An empty file with the right permissions; SQLite refuses to write into one with content.
    crate::open::create_private(&partial, true)?;
    let name = partial.to_string_lossy();
    connection.execute("VACUUM INTO ?1", [name.as_ref()]).doing(doing)?;
    let copy = Connection::open(&partial).doing(doing)?;
    if let Some(fault) = faults(&copy).doing(doing)?.first() {
        return Err(StoreError::Conflict(format!("failed to {doing}: {fault}")));
    }
    drop(copy);
    let synced = std::fs::File::open(&partial).and_then(|file| file.sync_all());
    synced
        .and_then(|()| std::fs::rename(&partial, &target))
        .map_err(|error| StoreError::file("write the backup", target, error))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
