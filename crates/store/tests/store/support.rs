//! A run to write about, and stores in folders of their own.

use std::sync::Arc;

use std::path::Path;

use chat::{FinishReason, Reply, Usage};
use run::{
    Answer, AnswerSource, Attempt, Bill, Caps, Failure, FailureKind, Outcome, PlannedCell, Retry,
    RunHeader, Variant, VariantSource,
};
use store::{NewAttempt, OpenOptions, PendingQuery, PlannedCells, Selection, Store, wait};
use values::{ContentHash, Id, NanoDollars, Timestamp};

/// An instant in seconds after the one at which all tests begin.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_ms(1_760_000_000_000 + seconds * 1000)
}

/// The n-th of the ids that one kind of thing has in a test.
pub(crate) fn id(kind: u8, number: u32) -> Id {
    let mut random = [kind; 10];
    random[6..].copy_from_slice(&number.to_be_bytes());
    Id::new(at(i64::from(number)), random)
}

pub(crate) fn dollars(nano: i64) -> NanoDollars {
    NanoDollars::new(nano)
}

pub(crate) fn options(instance: u32) -> OpenOptions {
    OpenOptions::new(at(0), id(b'i', instance))
}

pub(crate) fn open(folder: &Path) -> Store {
    Store::open(&folder.join("trysquare.db"), options(1)).unwrap()
}

pub(crate) fn header(run: Id, cells: u32) -> RunHeader {
    RunHeader {
        format: 1,
        id: run,
        created: at(0),
        eval_set: "triage".to_owned(),
        eval_set_hash: ContentHash::of_bytes(b"triage"),
        variants: ["a", "b"]
            .map(|name| Variant {
                name: name.to_owned(),
                source: VariantSource::Target { target: name.to_owned(), declaration: None },
                hash: ContentHash::of_bytes(name.as_bytes()),
            })
            .to_vec(),
        samples: 1,
        seed: 7,
        cells,
        caps: Caps::default(),
        replay: false,
        until_decided: None,
        record: false,
        allow_unpriced: false,
        judging: None,
        criteria: serde_json::json!({"answers": {}}),
    }
}

/// Cells of two variants for each case.
pub(crate) fn plan(cells: u32) -> PlannedCells {
    Box::new((0..cells).map(|index| PlannedCell {
        index,
        case_id: format!("case-{}", index / 2),
        case_hash: ContentHash::of_bytes(&(index / 2).to_be_bytes()),
        cluster: (index % 8 < 4).then(|| format!("cluster-{}", index / 8)),
        variant: index % 2,
        sample: 0,
    }))
}

/// Writes a run that the store then holds.
pub(crate) fn start(store: &Store, run: Id, cells: u32) {
    wait(|done| store.create_run(header(run, cells), plan(cells), at(0), done)).unwrap();
}

pub(crate) fn reply(text: &str) -> Reply {
    Reply {
        text: text.to_owned(),
        refusal: None,
        tool_calls: Vec::new(),
        finish: FinishReason::Complete,
        usage: Some(Usage { input_uncached: 120, output_visible: 8, ..Usage::default() }),
        raw_usage: serde_json::json!({"prompt_tokens": 120, "completion_tokens": 8}),
        served_model: Some("m-1".to_owned()),
        request_id: Some("req_1".to_owned()),
        logprobs: Vec::new(),
        extra: serde_json::Value::Null,
    }
}

pub(crate) fn answered(run: Id, cell: u32, number: u32, text: &str) -> NewAttempt {
    NewAttempt {
        attempt: Arc::new(Attempt {
            run,
            cell,
            number,
            started: at(1),
            ended: at(2),
            closes: true,
            cost: Some(dollars(42)),
            outcome: Outcome::Answered(Box::new(Answer {
                reply: reply(text),
                latency_ms: 812,
                first_token_ms: Some(90),
                source: AnswerSource::Live,
            })),
        }),
        settlement: None,
        unpriced: false,
        cache_key: None,
    }
}

pub(crate) fn failed(run: Id, cell: u32, number: u32) -> NewAttempt {
    NewAttempt {
        attempt: Arc::new(Attempt {
            run,
            cell,
            number,
            started: at(1),
            ended: at(2),
            closes: false,
            cost: None,
            outcome: Outcome::Failed(Failure {
                kind: FailureKind::RateLimited,
                message: "too many requests".to_owned(),
                hint: None,
                status: Some(429),
                request_id: None,
                retry: Retry::After { ms: 500 },
                bill: Bill::Nothing,
            }),
        }),
        settlement: None,
        unpriced: false,
        cache_key: None,
    }
}

/// A failure after which nothing is tried.
pub(crate) fn failed_for_good(run: Id, cell: u32, number: u32) -> NewAttempt {
    let mut new = failed(run, cell, number);
    Arc::make_mut(&mut new.attempt).closes = true;
    new
}

/// The places, next attempts and answers of a selection of cells.
pub(crate) fn pending(store: &Store, run: Id, selection: Selection) -> Vec<(u32, u32, bool)> {
    let query = PendingQuery { run, selection, variants: None, after: None, limit: 1000 };
    store
        .pending_cells(&query)
        .unwrap()
        .into_iter()
        .map(|cell| (cell.cell.index, cell.next_attempt, cell.answered.is_some()))
        .collect()
}

/// Asserts that SQLite finds no damage and every reference leads somewhere.
pub(crate) fn assert_sound(store: &Store) {
    assert_eq!(store.check().unwrap(), Vec::<String>::new());
}
