use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::{Doing, StoreError};
use crate::schema::{self, APPLICATION_ID};

/// The oldest SQLite that does not lose commits when two processes write in WAL mode.
const OLDEST_SQLITE: i32 = 3_051_003;
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const STATEMENTS: usize = 96;

/// Opens the connection that writes, making the file and bringing it to the newest format.
pub(crate) fn open_writer(path: &Path, migrations: &[&str]) -> Result<Connection, StoreError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(StoreError::OldSqlite { found: rusqlite::version() });
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        create_private_folder(folder)?;
    }
    create_private(path, false)?;
    let known = migrations.len();
    check_header(path, known)?;
    let doing = "open the database";
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).doing(doing)?;
    connection.busy_handler(Some(wait_for_lock)).doing(doing)?;
    // The last to close a database normally writes the WAL into it: not into one we must not touch.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).doing(doing)?;
    check_marks(&connection, path, known)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).doing(doing)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).doing(doing)?;
    keep_plans(&connection).doing(doing)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    switch_to_wal(&connection)?;
    connection
        .execute_batch(
            "PRAGMA synchronous = FULL;
             PRAGMA fullfsync = ON;
             PRAGMA checkpoint_fullfsync = ON;
             PRAGMA trusted_schema = OFF;
             PRAGMA journal_size_limit = 67108864;
             PRAGMA temp_store = MEMORY;",
        )
        .doing(doing)?;
    schema::migrate(&mut connection, path, migrations)?;
    Ok(connection)
}

/// Opens a connection that can only read.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let doing = "open the database for reading";
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).doing(doing)?;
    connection.busy_timeout(Duration::from_secs(5)).doing(doing)?;
    keep_plans(&connection).doing(doing)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection
        .execute_batch(
            "PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;",
        )
        .doing(doing)?;
    Ok(connection)
}

/// Plans a statement once, whatever is bound to it: else each new value plans it anew, where a
/// partial index might serve some values only.
fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

/// Makes a file that only its owner can read, if it is missing; `empty` also empties it.
pub(crate) fn create_private(path: &Path, empty: bool) -> Result<(), StoreError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(empty);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|error| StoreError::file("open", path, error))
}

fn create_private_folder(folder: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| StoreError::file("make the folder", folder, error))
}

/// Waits a moment for another process; gives up after about half a minute.
pub(crate) fn wait_for_lock(tries: i32) -> bool {
    std::thread::sleep(Duration::from_millis(if tries < 100 { 1 } else { 10 }));
    tries < 3_000
}

/// Looks at the file itself, before SQLite may change a byte.
fn check_header(path: &Path, known: usize) -> Result<(), StoreError> {
    let mut header = [0u8; 100];
    let mut length = 0;
    let file = fs::File::open(path).map_err(|error| StoreError::file("read", path, error))?;
    let mut reader = io::Read::take(file, 100);
    while length < header.len() {
        match reader.read(&mut header[length..]) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(StoreError::file("read", path, error)),
        }
    }
    if length == 0 {
        return Ok(());
    }
    if length < header.len() || &header[..16] != MAGIC {
        return Err(StoreError::NotADatabase { path: path.to_owned() });
    }
    let field = |at: usize| {
        i32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    judge_marks(path, field(68), i64::from(field(60)), known)
}

/// Looks at what the WAL, too, says of the database.
fn check_marks(connection: &Connection, path: &Path, known: usize) -> Result<(), StoreError> {
    let doing = "open the database";
    let application = connection
        .pragma_query_value(None, "application_id", |row| row.get::<_, i32>(0))
        .doing(doing)?;
    let version = schema::format_version(connection).doing(doing)?;
    judge_marks(path, application, version, known)?;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))
        .doing(doing)?;
    if application == 0 && tables > 0 {
        return Err(StoreError::Foreign { path: path.to_owned() });
    }
    Ok(())
}

fn judge_marks(
    path: &Path,
    application: i32,
    version: i64,
    known: usize,
) -> Result<(), StoreError> {
    let known = i64::try_from(known).unwrap_or(i64::MAX);
    match application {
        // A database that was only just made; whether it is empty is looked at later.
        0 => Ok(()),
        APPLICATION_ID if version > known => {
            Err(StoreError::NewerFormat { path: path.to_owned(), found: version, known })
        }
        APPLICATION_ID => Ok(()),
        _ => Err(StoreError::Foreign { path: path.to_owned() }),
    }
}

/// Switches to WAL. SQLite does not always wait for a lock here, so several openers take turns.
fn switch_to_wal(connection: &Connection) -> Result<(), StoreError> {
    let doing = "switch the database to write-ahead logging";
    let mut tries = 0;
    loop {
        let mode = connection
            .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))
            .doing(doing);
        match mode {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => {
                return Err(StoreError::Conflict(format!("failed to {doing}: it stays in {mode}")));
            }
            Err(StoreError::Busy { .. }) if wait_for_lock(tries) => tries += 1,
            Err(error) => return Err(error),
        }
    }
}
