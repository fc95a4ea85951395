use std::fs;
use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use run::{LedgerState, Outcome, RunState};
use store::{Selection, SpendScope, Store, StoreError, wait};
use values::Id;

use crate::child;
use crate::support::{answered, assert_sound, at, dollars, id, open, options, pending, start};

/// Returns how many cells of a run are recorded, having checked that they are the first ones, each
/// with its whole answer and its bill.
fn recorded_prefix(store: &Store, run: Id) -> u32 {
    let answered = pending(store, run, Selection::Answered);
    for (place, (cell, next, _)) in (0u32..).zip(&answered) {
        assert_eq!((*cell, *next), (place, 1));
        let record = store.cell(run, *cell).unwrap();
        let Outcome::Answered(answer) = &record.attempts[0].attempt.outcome else { panic!() };
        assert_eq!(answer.reply.text, child::answer(*cell));
    }
    let entries = store.ledger(run, None, 10_000).unwrap();
    let bill = LedgerState::Settled { billed: dollars(7) };
    assert_eq!(entries.iter().filter(|entry| entry.state == bill).count(), answered.len());
    u32::try_from(answered.len()).unwrap()
}

#[test]
fn a_writer_says_only_what_is_recorded() {
    if let Some((folder, number)) = child::assignment() {
        return child::write_run(&folder, number, 500);
    }
    let folder = tempfile::tempdir().unwrap();
    child::write_run(folder.path(), 1, 100);
    let store = open(folder.path());
    assert_eq!(recorded_prefix(&store, id(b'r', 1)), 100);
    assert_sound(&store);
}

#[test]
fn what_was_acknowledged_survives_a_kill_at_any_moment() {
    // Four folders at once, each with a run after another, whose writers are all killed.
    std::thread::scope(|scope| {
        for seed in 0..4 {
            scope.spawn(move || kill_and_look(seed, 10));
        }
    });
}

fn kill_and_look(seed: u64, kills: u32) {
    let folder = tempfile::tempdir().unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut billed = 0;
    for number in 1..=kills {
        let (mut child, mut said) =
            child::spawn("crash::a_writer_says_only_what_is_recorded", folder.path(), number);
        // The n-th acknowledgement comes at another moment each time: of a commit, of a checkpoint,
        // before any.
        let moment = random.random_range(0..400);
        let heard = said.by_ref().take(moment).count();
        child.kill().unwrap();
        let acknowledged = heard + said.count();
        child.wait().unwrap();

        let path = folder.path().join("trysquare.db");
        let store = Store::open(&path, options(1000 + number)).unwrap();
        let run = id(b'r', number);
        let state = match store.run_state(run) {
            Err(StoreError::UnknownRun(_)) if acknowledged == 0 => continue,
            state => state.unwrap(),
        };
        assert_eq!(state, RunState::Stopped);
        let recorded = recorded_prefix(&store, run);
        assert!(recorded as usize >= acknowledged, "{recorded} of {acknowledged} are left");
        billed += i64::from(recorded) * 7;
        let spend = store.spend(SpendScope::Project).unwrap();
        assert_eq!((spend.billed, spend.reserved), (dollars(billed), dollars(0)));
        assert_sound(&store);
    }
}

#[test]
fn a_log_cut_at_any_frame_holds_a_prefix() {
    const HEADER: u64 = 32;
    const FRAME: u64 = 24 + 4096;
    const CELLS: u32 = 24;
    let folder = tempfile::tempdir().unwrap();
    let run = id(b'r', 1);
    let store = open(folder.path());
    start(&store, run, CELLS);
    store.close(at(1)).unwrap();
    let store = Store::open(&folder.path().join("trysquare.db"), options(2)).unwrap();
    // While somebody reads what was before, nothing of the log goes into the database.
    let reader = rusqlite::Connection::open(folder.path().join("trysquare.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM run;").unwrap();
    for cell in 0..CELLS {
        wait(|done| store.record(answered(run, cell, 0, "an answer"), done)).unwrap();
    }
    let length = fs::metadata(folder.path().join("trysquare.db-wal")).unwrap().len();
    let frames = (length - HEADER) / FRAME;
    assert!(frames > u64::from(CELLS), "every commit has its frames");

    let cut = tempfile::tempdir().unwrap();
    let mut before = 0;
    for frame in 0..=frames {
        // At the frame's end, and torn within the next.
        for torn in [0, 100] {
            let kept = (HEADER + frame * FRAME + torn).min(length);
            let recorded = cut_and_count(folder.path(), cut.path(), kept, run);
            assert!(recorded >= before, "a longer log never holds less");
            assert!(torn == 0 || recorded == before, "half a frame holds nothing more");
            before = recorded;
        }
    }
    assert_eq!(before, CELLS);
    drop(reader);
}

/// Copies a database with a part of its log, and returns how many cells it then holds.
fn cut_and_count(from: &Path, to: &Path, kept: u64, run: Id) -> u32 {
    for file in ["trysquare.db-wal", "trysquare.db-shm", "trysquare.db"] {
        fs::remove_file(to.join(file)).ok();
    }
    fs::copy(from.join("trysquare.db"), to.join("trysquare.db")).unwrap();
    let mut log = fs::read(from.join("trysquare.db-wal")).unwrap();
    log.truncate(usize::try_from(kept).unwrap());
    fs::write(to.join("trysquare.db-wal"), log).unwrap();
    let store = open(to);
    assert_sound(&store);
    let answered = pending(&store, run, Selection::Answered);
    assert!((0u32..).zip(&answered).all(|(place, (cell, ..))| place == *cell));
    u32::try_from(answered.len()).unwrap()
}
