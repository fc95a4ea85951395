use std::sync::Arc;

use std::path::Path;

use chat::FinishReason;
use run::{AnswerSource, Outcome};
use store::{NewAttempt, OpenOptions, Selection, SpendScope, Store, wait};
use values::{ContentHash, Id};

use crate::support::{
    answered, assert_sound, at, dollars, failed, id, open, options, pending, start,
};

fn key(number: u32) -> ContentHash {
    ContentHash::of_bytes(&number.to_be_bytes())
}

fn keep(store: &Store, run: Id, cell: u32, text: &str) {
    let mut new = NewAttempt { cache_key: Some(key(cell)), ..answered(run, cell, 0, text) };
    Arc::make_mut(&mut new.attempt).ended = at(i64::from(cell));
    wait(|done| store.record(new, done)).unwrap();
}

fn database_bytes(folder: &Path) -> u64 {
    std::fs::metadata(folder.join("trysquare.db")).unwrap().len()
}

#[test]
fn only_complete_live_answers_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = id(b'r', 1);
    start(&store, run, 4);
    wait(|done| store.record(NewAttempt { cache_key: Some(key(0)), ..failed(run, 0, 0) }, done))
        .unwrap();
    for (cell, finish, source) in [
        (1, FinishReason::Error, AnswerSource::Live),
        (2, FinishReason::Filtered, AnswerSource::Live),
        (3, FinishReason::Complete, AnswerSource::Replay),
    ] {
        let mut new = NewAttempt { cache_key: Some(key(cell)), ..answered(run, cell, 0, "x") };
        if let Outcome::Answered(answer) = &mut Arc::make_mut(&mut new.attempt).outcome {
            answer.reply.finish = finish;
            answer.source = source;
        }
        wait(|done| store.record(new, done)).unwrap();
    }
    assert_eq!(store.cache_stats().unwrap().entries, 0);
}

#[test]
fn the_least_recently_used_go_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trysquare.db");
    let text = "x".repeat(1000);
    let limited = OpenOptions { cache_limit_bytes: 20_000, ..options(1) };
    let store = Store::open(&path, limited.clone()).unwrap();
    let run = id(b'r', 1);
    start(&store, run, 40);
    (0..10).for_each(|cell| keep(&store, run, cell, &text));
    assert!(store.cached(key(0), at(1000)).unwrap().is_some());
    (10..40).for_each(|cell| keep(&store, run, cell, &text));
    store.close(at(1001)).unwrap();
    let store = Store::open(&path, limited).unwrap();
    let stats = store.cache_stats().unwrap();
    assert!(stats.bytes <= 20_000 && stats.entries >= 10, "{stats:?}");
    let first_and_last = store.are_cached(&[key(0), key(1), key(39)]).unwrap();
    assert_eq!(first_and_last, [true, false, true]);
    // What a run recorded stays with it.
    assert_eq!(pending(&store, run, Selection::Answered).len(), 40);
    assert_sound(&store);
}

#[test]
fn a_hit_writes_no_second_copy_of_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = id(b'r', 1);
    start(&store, run, 2);
    let text = "y".repeat(1_000_000);
    keep(&store, run, 0, &text);
    let hit = store.cached(key(0), at(5)).unwrap().unwrap();
    let mut new = NewAttempt { cache_key: Some(key(0)), ..answered(run, 1, 0, "") };
    Arc::make_mut(&mut new.attempt).outcome = Outcome::Answered(Box::new(hit.clone()));
    wait(|done| store.record(new, done)).unwrap();
    let cell = store.cell(run, 1).unwrap();
    assert_eq!(cell.attempts[0].attempt.outcome, Outcome::Answered(Box::new(hit)));
    assert_eq!(store.variant_totals(run).unwrap()[&1].saved, dollars(42));
    let spend = store.spend(SpendScope::Run(run)).unwrap();
    assert_eq!((spend.saved, store.run_summary(run).unwrap().hits), (dollars(42), 1));
    store.close(at(6)).unwrap();
    assert!(database_bytes(folder.path()) < 1_500_000);
}

#[test]
fn an_answer_that_was_replaced_meanwhile_is_recorded_as_it_was_used() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = id(b'r', 1);
    start(&store, run, 3);
    keep(&store, run, 0, "old");
    let hit = store.cached(key(0), at(5)).unwrap().unwrap();
    wait(|done| {
        store.record(NewAttempt { cache_key: Some(key(0)), ..answered(run, 1, 0, "new") }, done);
    })
    .unwrap();
    let mut new = NewAttempt { cache_key: Some(key(0)), ..answered(run, 2, 0, "") };
    Arc::make_mut(&mut new.attempt).outcome = Outcome::Answered(Box::new(hit.clone()));
    wait(|done| store.record(new, done)).unwrap();
    let cell = store.cell(run, 2).unwrap();
    assert_eq!(cell.attempts[0].attempt.outcome, Outcome::Answered(Box::new(hit)));
    assert_eq!(store.cached(key(0), at(6)).unwrap().unwrap().reply.text, "new");
}

#[test]
fn several_keys_are_answered_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = id(b'r', 1);
    start(&store, run, 3);
    (0..3).for_each(|cell| keep(&store, run, cell, &format!("answer {cell}")));
    let found = store.cached_all(&[key(2), key(9), key(0), key(2)], at(5)).unwrap();
    let texts: Vec<_> = found.into_iter().map(|found| found.map(|hit| hit.reply.text)).collect();
    let text = |cell: u32| Some(format!("answer {cell}"));
    assert_eq!(texts, [text(2), None, text(0), text(2)]);
    assert_eq!(store.cached_all(&[], at(5)).unwrap(), []);
}

#[test]
fn clearing_empties_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = id(b'r', 1);
    start(&store, run, 2);
    keep(&store, run, 0, "x");
    assert_eq!(wait(|done| store.clear_cache(done)).unwrap(), 1);
    assert_eq!(store.cached(key(0), at(5)).unwrap(), None);
    assert_eq!(store.cache_stats().unwrap().oldest, None);
}
