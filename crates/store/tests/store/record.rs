use run::{AnswerSource, Outcome, RunState};
use store::{NewAttempt, StoreError, wait};
use values::ContentHash;

use crate::support::{answered, assert_sound, at, failed, header, id, open, plan, start};

#[test]
fn a_recorded_cell_is_no_longer_pending_and_others_are() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = id(b'r', 1);
    start(&store, run, 6);
    wait(|done| store.record(failed(run, 0, 0), done)).unwrap();
    wait(|done| store.record(answered(run, 1, 0, "yes"), done)).unwrap();
    let pending = store.pending_cells(run, None, 10).unwrap();
    let seen: Vec<_> = pending.iter().map(|cell| (cell.cell.index, cell.attempts)).collect();
    assert_eq!(seen, [(0, 1), (2, 0), (3, 0), (4, 0), (5, 0)]);
    assert_eq!(pending[1].cell, plan(6).nth(2).unwrap());
    let page = store.pending_cells(run, Some(2), 2).unwrap();
    assert_eq!(page.iter().map(|cell| cell.cell.index).collect::<Vec<_>>(), [3, 4]);
    assert_sound(&store);
}

#[test]
fn a_write_that_is_refused_takes_no_other_of_its_group_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = id(b'r', 1);
    start(&store, run, 40);
    let (sender, receiver) = std::sync::mpsc::channel();
    for cell in 0..40 {
        // Every third write repeats the one before it.
        let new = answered(run, cell - u32::from(cell % 3 == 1), 0, "yes");
        let sender = sender.clone();
        store.record(new, Box::new(move |result| sender.send((cell, result)).unwrap()));
    }
    for (cell, result) in receiver.iter().take(40) {
        match result {
            Ok(_) => assert_ne!(cell % 3, 1),
            Err(error) => {
                assert_eq!(cell % 3, 1);
                assert!(matches!(error, StoreError::Conflict(_)), "{error}");
            }
        }
    }
    let pending = store.pending_cells(run, None, 40).unwrap();
    assert!(pending.iter().all(|cell| cell.cell.index % 3 == 1 && cell.attempts == 0));
    assert_eq!(pending.len(), 13);
    assert_sound(&store);
}

#[test]
fn a_plan_that_is_not_numbered_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = id(b'r', 1);
    for cells in [plan(4), Box::new(plan(5).skip(1)), plan(6)] {
        let refused = wait(|done| store.create_run(header(run, 5), cells, at(0), done));
        assert!(matches!(refused, Err(StoreError::Conflict(_))));
        assert!(matches!(store.run_header(run), Err(StoreError::UnknownRun(_))));
    }
    start(&store, run, 5);
    assert_eq!(store.run_header(run).unwrap(), header(run, 5));
}

#[test]
fn what_the_cache_answers_is_the_same_answer_marked_as_a_hit() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = id(b'r', 1);
    start(&store, run, 4);
    let key = ContentHash::of_bytes(b"call");
    let live = NewAttempt { cache_key: Some(key), ..answered(run, 0, 0, "yes") };
    let Outcome::Answered(paid) = live.attempt.outcome.clone() else { unreachable!() };
    wait(|done| store.record(live, done)).unwrap();
    let hit = store.cached(key, at(3)).unwrap().unwrap();
    assert_eq!(hit.answer.reply, paid.reply);
    assert_eq!(hit.answer.latency_ms, paid.latency_ms);
    assert_eq!(hit.answer.source, AnswerSource::Cache);
    assert_eq!(store.are_cached(&[key, ContentHash::of_bytes(b"x")]).unwrap(), [true, false]);
}

#[test]
fn a_run_is_held_by_one_process_until_that_ends() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = id(b'r', 1);
    start(&store, run, 2);
    let path = folder.path().join("trysquare.db");
    let other = store::Store::open(&path, crate::support::options(2)).unwrap();
    let refused = wait(|done| other.claim_run(run, at(1), done));
    assert!(matches!(refused, Err(StoreError::Held { pid, .. }) if pid == std::process::id()));
    assert!(wait(|done| other.ask_to_stop(run, at(1), done)).unwrap());
    assert_eq!(wait(|done| store.heartbeat(at(2), done)).unwrap(), [run]);
    wait(|done| store.end_run(run, RunState::Stopped, at(2), done)).unwrap();
    wait(|done| other.claim_run(run, at(3), done)).unwrap();
    assert_eq!(store.run_state(run).unwrap(), RunState::Running);
    other.close(at(4)).unwrap();
    assert_eq!(store.run_state(run).unwrap(), RunState::Stopped);
    assert!(matches!(wait(|done| other.claim_run(run, at(5), done)), Err(StoreError::Closed)));
}
