//! Measures the store on this machine: `cargo run --release -p store --example measure`.
#![expect(clippy::print_stdout, reason = "it prints what it measures")]
#![expect(clippy::unwrap_used, reason = "a measurement that fails has nothing to print")]
#![expect(clippy::disallowed_methods, reason = "it reads how much CPU time it took")]

use std::sync::Arc;

use std::sync::mpsc::sync_channel;
use std::time::Instant;

use chat::{FinishReason, Reply, Usage};
use run::{
    Answer, AnswerSource, Attempt, Caps, LedgerState, Outcome, PlannedCell, RunHeader, Variant,
    VariantSource,
};
use store::{NewAttempt, OpenOptions, PendingQuery, Reservation, Selection, Store, Which, wait};
use values::{ContentHash, Id, NanoDollars, Timestamp};

const CELLS: u32 = 10_000;
const CONCURRENCY: usize = 256;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trysquare.db");
    let store = Store::open(&path, OpenOptions::new(now(), id(0))).unwrap();
    plan(&store, id(1), CELLS);
    measure("record an attempt, 256 under way", CELLS, || write(&store, id(1), false));
    plan(&store, id(2), CELLS);
    measure("reserve, then record, settle and cache, 256 under way", CELLS, || {
        write(&store, id(2), true);
    });
    measure("write a plan of 100,000 cells", 1, || plan(&store, id(3), 100_000));
    let keys: Vec<_> =
        (0..100_000u32).map(|cell| ContentHash::of_bytes(&cell.to_be_bytes())).collect();
    measure("look up 100,000 keys in the cache", 1, || {
        assert!(store.are_cached(&keys).unwrap()[0]);
    });
    measure("show a run of 10,000 cells", 1, || show(&store, id(2)));
    measure("open the database and show it", 1, || {
        let again = Store::open(&path, OpenOptions::new(now(), id(9))).unwrap();
        show(&again, id(2));
    });
    measure("list the runs", 1, || assert_eq!(store.list_runs(None, 20).unwrap().len(), 3));
    measure("page through 10,000 answers", 1, || page_through(&store, id(2)));
    measure("export a run of 10,000 cells", 1, || {
        let mut bytes = 0;
        let counted = store.export(id(2), |row| {
            bytes += serde_json::to_string(&row).unwrap().len();
            Ok::<_, store::StoreError>(())
        });
        counted.unwrap();
        assert!(bytes > 1_000_000);
    });
    measure("close", 1, || store.close(now()).unwrap());
}

fn measure(what: &str, times: u32, work: impl FnOnce()) {
    let (cpu, start) = (cpu_ms(), Instant::now());
    work();
    let (wall, cpu) = (start.elapsed().as_secs_f64() * 1000.0, cpu_ms() - cpu);
    let each = |ms: f64| ms / f64::from(times);
    println!(
        "{what}: {wall:.0} ms, CPU {cpu:.0} ms; each {:.4} ms, CPU {:.4} ms",
        each(wall),
        each(cpu)
    );
}

fn write(store: &Store, run: Id, ledger: bool) {
    let (slots, free) = sync_channel(CONCURRENCY);
    let free = std::sync::Arc::new(std::sync::Mutex::new(free));
    for cell in 0..CELLS {
        slots.send(()).unwrap();
        let free = free.clone();
        let finish = move |settled: Result<_, _>| {
            settled.unwrap();
            free.lock().unwrap().recv().unwrap();
        };
        if ledger {
            let held = Reservation { id: id(1_000_000 + cell), run, cell, worst_case: money(90) };
            let new = attempt(run, cell, Some(held.id));
            let caps =
                Caps { run: Some(money(1 << 40)), day: Some(money(1 << 40)), ..Caps::default() };
            // As the engine does: the call is sent, and recorded, once its reservation is durable.
            let then = store.clone();
            let granted = move |answer: Result<_, _>| {
                answer.unwrap();
                then.record(new, Box::new(finish));
            };
            store.reserve(held, caps, now(), Box::new(granted));
        } else {
            store.record(attempt(run, cell, None), Box::new(finish));
        }
    }
    // All slots free again means that all is durable.
    (0..CONCURRENCY).for_each(|_| slots.send(()).unwrap());
}

fn show(store: &Store, run: Id) {
    assert_eq!(store.run_summary(run).unwrap().tally.unscored, CELLS);
    assert_eq!(store.run_header(run).unwrap().cells, CELLS);
    assert_eq!(store.variant_totals(run).unwrap().len(), 3);
    assert_eq!(store.results(run, Which::All, None, 300, 80).unwrap().len(), 300);
    assert!(store.results(run, Which::Failures, None, 50, 200).unwrap().is_empty());
}

fn page_through(store: &Store, run: Id) {
    let mut query = PendingQuery {
        run,
        selection: Selection::Answered,
        variants: None,
        after: None,
        limit: 500,
    };
    let mut seen = 0;
    while let Some(last) = {
        let page = store.pending_cells(&query).unwrap();
        seen += page.len();
        page.last().map(|cell| cell.cell.index)
    } {
        query.after = Some(last);
    }
    assert_eq!(seen, CELLS as usize);
}

fn plan(store: &Store, run: Id, cells: u32) {
    let variants = ["a", "b", "c"].map(|name| Variant {
        name: name.to_owned(),
        source: VariantSource::Target { target: name.to_owned(), declaration: None },
        hash: ContentHash::of_bytes(name.as_bytes()),
    });
    let header = RunHeader {
        format: 1,
        id: run,
        created: now(),
        eval_set: "measure".to_owned(),
        eval_set_hash: ContentHash::of_bytes(b"measure"),
        variants: variants.to_vec(),
        samples: 1,
        seed: 1,
        cells,
        caps: Caps::default(),
        replay: false,
        until_decided: None,
        record: false,
        allow_unpriced: false,
        judging: None,
        criteria: serde_json::Value::Null,
    };
    let planned = (0..cells).map(|index| PlannedCell {
        index,
        case_id: format!("case-{}", index / 3),
        case_hash: ContentHash::of_bytes(&(index / 3).to_be_bytes()),
        cluster: None,
        variant: index % 3,
        sample: 0,
    });
    wait(|done| store.create_run(header, Box::new(planned), now(), done)).unwrap();
}

fn attempt(run: Id, cell: u32, reservation: Option<Id>) -> NewAttempt {
    let reply = Reply {
        text: format!("The order number of message {cell} is 4711-{cell}. ").repeat(4),
        refusal: None,
        tool_calls: Vec::new(),
        finish: FinishReason::Complete,
        usage: Some(Usage { input_uncached: 412, output_visible: 57, ..Usage::default() }),
        raw_usage: serde_json::json!({"prompt_tokens": 412, "completion_tokens": 57}),
        served_model: Some("model-2026-01-01".to_owned()),
        request_id: Some(format!("req_{cell:032}")),
        logprobs: Vec::new(),
        extra: serde_json::Value::Null,
    };
    NewAttempt {
        attempt: Arc::new(Attempt {
            run,
            cell,
            number: 0,
            started: now(),
            ended: now(),
            closes: true,
            cost: Some(money(70)),
            outcome: Outcome::Answered(Box::new(Answer {
                reply,
                latency_ms: u64::from(cell % 900),
                first_token_ms: None,
                source: AnswerSource::Live,
            })),
        }),
        settlement: reservation.map(|id| (id, LedgerState::Settled { billed: money(70) })),
        unpriced: false,
        cache_key: reservation.map(|_| ContentHash::of_bytes(&cell.to_be_bytes())),
    }
}

fn now() -> Timestamp {
    Timestamp::from_unix_ms(1_760_000_000_000)
}

fn id(number: u32) -> Id {
    let mut random = [0; 10];
    random[6..].copy_from_slice(&number.to_be_bytes());
    Id::new(now(), random)
}

fn money(nano: i64) -> NanoDollars {
    NanoDollars::new(nano)
}

/// User and system time of this process so far, where `/proc` tells it in ticks of 10 ms.
fn cpu_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: f64 = fields
        .split_ascii_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<f64>().ok())
        .sum();
    ticks * 10.0
}
