use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use store::{Store, StoreError};

use crate::support::{assert_sound, at, id, open, options, start};

fn bytes(path: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(path.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| !entry.file_name().to_string_lossy().ends_with("-shm"))
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn only_the_owner_can_read_what_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".trysquare/trysquare.db");
    let store = Store::open(&path, options(1)).unwrap();
    start(&store, id(b'r', 1), 2);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&path.with_extension("db-wal")), 0o600);
    assert_eq!(store.warnings(), []);
}

#[test]
fn a_database_of_a_newer_program_is_refused_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trysquare.db");
    let store = open(folder.path());
    start(&store, id(b'r', 1), 2);
    store.close(at(1)).unwrap();
    // Once the mark is in the file itself, and once only in its log.
    for in_log in [true, false] {
        let newer = rusqlite::Connection::open(&path).unwrap();
        newer.pragma_update(None, "user_version", 99).unwrap();
        if in_log {
            newer
                .set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
                .unwrap();
        }
        newer.close().unwrap();
        let before = bytes(&path);
        assert_eq!(before.iter().any(|(name, _)| name.ends_with("-wal")), in_log);
        let error = Store::open(&path, options(2)).err().unwrap();
        assert!(matches!(error, StoreError::NewerFormat { found: 99, known: 8, .. }), "{error}");
        assert!(error.to_string().contains("newer program (format 99; this one knows up to 8)"));
        assert_eq!(bytes(&path), before);
    }
}

#[test]
fn what_is_no_database_of_ours_is_refused_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trysquare.db");
    fs::write(&path, "a letter to a friend").unwrap();
    let error = Store::open(&path, options(1)).err().unwrap();
    assert!(matches!(error, StoreError::NotADatabase { .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"a letter to a friend");

    fs::remove_file(&path).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE recipe (name TEXT)").unwrap();
    other.close().unwrap();
    let before = bytes(&path);
    let error = Store::open(&path, options(1)).err().unwrap();
    assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
    assert_eq!(bytes(&path), before);
}

#[test]
fn damage_is_reported_as_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trysquare.db");
    let store = open(folder.path());
    start(&store, id(b'r', 1), 500);
    store.close(at(1)).unwrap();
    let mut whole = fs::read(&path).unwrap();
    for page in whole[4096..].chunks_mut(4096) {
        page[..64].fill(0xa5);
    }
    fs::write(&path, &whole).unwrap();
    let found = Store::open(&path, options(2))
        .and_then(|store| store.run_header(id(b'r', 1)).map(drop))
        .unwrap_err();
    assert!(matches!(found, StoreError::Damaged { .. }), "{found:?}");
    assert!(found.hint().unwrap().contains("doctor"));
}

#[test]
fn many_may_open_a_new_database_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trysquare.db");
    std::thread::scope(|scope| {
        for number in 0..8 {
            let path = &path;
            scope.spawn(move || {
                let store = Store::open(path, options(number)).unwrap();
                start(&store, id(b'r', number), 4);
            });
        }
    });
    let store = Store::open(&path, options(9)).unwrap();
    assert_eq!(store.list_runs(None, 100).unwrap().len(), 8);
    assert_sound(&store);
}
