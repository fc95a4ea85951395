use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::{Connection, TransactionBehavior};

use crate::error::{Doing, StoreError};

/// `TrSq`: marks a SQLite file as ours.
pub(crate) const APPLICATION_ID: i32 = 0x5472_5371;

/// Every step of the format, in order; step `n` leads from format `n` to `n + 1`. Steps are never
/// edited once released, only added.
pub(crate) const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001.sql"),
    include_str!("../migrations/0002.sql"),
    include_str!("../migrations/0003.sql"),
    include_str!("../migrations/0004.sql"),
    include_str!("../migrations/0005.sql"),
    include_str!("../migrations/0006.sql"),
    include_str!("../migrations/0007.sql"),
    include_str!("../migrations/0008.sql"),
];

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
        let Some(rest) = usize::try_from(version).ok().and_then(|at| migrations.get(at..)) else {
            break;
        };
        // A new database has nothing to lose: it takes all steps at once.
        let steps = if version > 0 { &rest[..rest.len().min(1)] } else { rest };
        if steps.is_empty() {
            break;
        }
        if version > 0 {
            back_up(connection, path, version)?;
        }
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).doing(doing)?;
        if format_version(&transaction).doing(doing)? != version {
            continue;
        }
        for step in steps {
            transaction.execute_batch(step).doing(doing)?;
        }
        let reached = version + i64::try_from(steps.len()).unwrap_or(0);
        transaction.pragma_update(None, "application_id", APPLICATION_ID).doing(doing)?;
        transaction.pragma_update(None, "user_version", reached).doing(doing)?;
        let broken = foreign_key_faults(&transaction).doing(doing)?;
        if let Some(first) = broken.first() {
            return Err(StoreError::Conflict(format!(
                "failed to bring the database to format {reached}: {first}"
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

/// Backups that this process began, so that two at once do not write into one file.
static PARTIALS: AtomicU32 = AtomicU32::new(0);

fn back_up(connection: &Connection, path: &Path, version: i64) -> Result<(), StoreError> {
    let doing = "back up the database before bringing it to a newer format";
    let target = backup_path(path, version);
    let number = PARTIALS.fetch_add(1, Ordering::Relaxed);
    let partial = with_suffix(&target, &format!(".{}-{number}", std::process::id()));
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

#[cfg(test)]
mod tests {
    use run::{Caps, PlannedCell, RunHeader};
    use values::{ContentHash, Id, Timestamp};

    use super::*;
    use crate::store::{OpenOptions, Store, wait};

    fn run() -> Id {
        Id::new(Timestamp::from_unix_ms(1), [1; 10])
    }

    fn options() -> OpenOptions {
        OpenOptions::new(Timestamp::from_unix_ms(1), run())
    }

    /// Makes a database of an older format, with a run in it.
    fn make(path: &Path, migrations: &[&str]) {
        let store = Store::open_with(path, options(), migrations).unwrap();
        let header = RunHeader {
            format: 1,
            id: run(),
            created: Timestamp::from_unix_ms(1),
            eval_set: "triage".to_owned(),
            eval_set_hash: ContentHash::of_bytes(b""),
            variants: Vec::new(),
            samples: 1,
            seed: 1,
            cells: 1,
            caps: Caps::default(),
            replay: false,
            until_decided: None,
            record: false,
            allow_unpriced: false,
            judging: None,
            criteria: serde_json::Value::Null,
        };
        let cell = PlannedCell {
            index: 0,
            case_id: "c".to_owned(),
            case_hash: ContentHash::of_bytes(b"c"),
            cluster: None,
            variant: 0,
            sample: 0,
        };
        let cells = Box::new(std::iter::once(cell));
        wait(|done| store.create_run(header, cells, Timestamp::from_unix_ms(1), done)).unwrap();
        store.close(Timestamp::from_unix_ms(2)).unwrap();
    }

    #[test]
    fn every_older_format_is_brought_up_with_its_rows_and_a_backup() {
        const NEXT: &str = "ALTER TABLE run ADD COLUMN note TEXT";
        let migrations = [MIGRATIONS, &[NEXT]].concat();
        for older in 1..=MIGRATIONS.len() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("trysquare.db");
            make(&path, &MIGRATIONS[..older]);
            let store = Store::open_with(&path, options(), &migrations).unwrap();
            assert_eq!(store.check().unwrap(), Vec::<String>::new());
            assert_eq!(store.run_header(run()).unwrap().eval_set, "triage");
            store.close(Timestamp::from_unix_ms(3)).unwrap();
            for version in older..migrations.len() {
                let version = i64::try_from(version).unwrap();
                let backup = Connection::open(backup_path(&path, version)).unwrap();
                assert_eq!(format_version(&backup).unwrap(), version);
                let runs: i64 =
                    backup.query_row("SELECT count(*) FROM run", (), |row| row.get(0)).unwrap();
                assert_eq!(runs, 1);
            }
        }
    }

    #[test]
    fn a_step_that_fails_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trysquare.db");
        make(&path, MIGRATIONS);
        let broken = "DROP TABLE cache; INSERT INTO nowhere VALUES (1)";
        let migrations = [MIGRATIONS, &[broken]].concat();
        let error = Store::open_with(&path, options(), &migrations).err().unwrap();
        assert_eq!(error.to_string(), "failed to bring the database to the newest format");
        let dangling = "PRAGMA foreign_keys = OFF;
             UPDATE cell SET case_no = 77";
        let migrations = [MIGRATIONS, &[dangling]].concat();
        let error = Store::open_with(&path, options(), &migrations).err().unwrap();
        assert!(error.to_string().contains("a row of cell refers to a row of run_case"), "{error}");
        let store = Store::open(&path, options()).unwrap();
        assert_eq!(store.run_header(run()).unwrap().cells, 1);
        assert_eq!(store.cache_stats().unwrap().entries, 0);
    }

    #[test]
    fn the_bundled_sqlite_is_new_enough_for_two_writing_processes() {
        assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
    }
}
