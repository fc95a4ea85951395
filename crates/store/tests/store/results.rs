use std::sync::Arc;

use chat::FinishReason;
use evalset::ScoreSource;
use run::{AnswerSource, CellScore, ExportRow, FailureKind, LedgerState, Outcome, StatusCounts};
use score::Outcome::{Category, Error, Fail, Number, Pass, Skipped, Unreadable};
use score::Status;
use store::{Content, NewAttempt, NewScores, Reservation, Store, StoreError, Tally, Which, wait};
use values::{ContentHash, Id};

use crate::support::{
    answered, assert_sound, at, dollars, failed, failed_for_good, id, open, plan, start,
};

fn score(name: &str, outcome: score::Outcome) -> CellScore {
    CellScore {
        criterion: "answers".to_owned(),
        name: name.to_owned(),
        scored_by: ContentHash::of_bytes(name.as_bytes()),
        score: score::Score {
            outcome,
            reason: "because".to_owned(),
            source: ScoreSource::Code,
            unfinished: None,
        },
    }
}

fn scored(run: Id, cell: u32, generation: u32, status: Status) -> NewScores {
    let outcome = if status == Status::Pass { Pass } else { Fail };
    NewScores { run, cell, generation, scores: vec![score("equals", outcome)], status, now: at(3) }
}

/// Cell 0 passes, 1 fails, 2 is unscored, 3 failed after a retry, 4 and 5 are pending.
fn mixed(store: &Store) -> Id {
    let run = id(b'r', 1);
    start(store, run, 6);
    for cell in 0..3 {
        let text = format!("grüße {cell}");
        wait(|done| store.record(answered(run, cell, 0, &text), done)).unwrap();
    }
    wait(|done| store.record(failed(run, 3, 0), done)).unwrap();
    wait(|done| store.record(failed_for_good(run, 3, 1), done)).unwrap();
    wait(|done| store.record_scores(scored(run, 0, 1, Status::Pass), done)).unwrap();
    wait(|done| store.record_scores(scored(run, 1, 1, Status::Fail), done)).unwrap();
    run
}

#[test]
fn a_list_counts_every_state_apart() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = mixed(&store);
    start(&store, id(b'r', 2), 1);
    let counts = StatusCounts { pass: 1, fail: 1, error: 1, ..StatusCounts::default() };
    let tally = Tally { counts, pending: 2, unscored: 1 };
    assert_eq!(store.run_summary(run).unwrap().tally, tally);
    let newest = store.list_runs(None, 1).unwrap();
    assert_eq!(newest[0].id, id(b'r', 2));
    let older = store.list_runs(Some(newest[0].id), 10).unwrap();
    assert_eq!((older.len(), older[0].id, older[0].tally), (1, run, tally));
    let totals = store.variant_totals(run).unwrap();
    assert_eq!((totals[&0].live, totals[&1].live), (2, 1));
    assert_eq!((totals[&0].cost, totals[&0].input_tokens), (dollars(84), 240));
    assert_eq!((totals[&1].latency_p50_ms, totals[&1].latency_p95_ms), (Some(812), Some(812)));
    assert_eq!(store.find_runs(&run.to_string()[..13], 9).unwrap().last(), Some(&run));
    assert_eq!(store.find_runs("%", 9).unwrap(), []);
}

#[test]
fn passes_are_counted_by_case_and_clusters_are_numbered() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = id(b'r', 1);
    // Cases 0 and 1 are one cluster, 2 and 3 stand alone, 4 is another; variant a has even cells.
    start(&store, run, 10);
    for (cell, status) in [(0, Status::Pass), (2, Status::Fail), (4, Status::Unreadable)] {
        wait(|done| store.record(answered(run, cell, 0, "text"), done)).unwrap();
        wait(|done| store.record_scores(scored(run, cell, 1, status), done)).unwrap();
    }
    wait(|done| store.record(failed_for_good(run, 6, 0), done)).unwrap();
    let counts = store.case_counts(run).unwrap();
    let of_a: Vec<_> = counts.iter().filter(|one| one.variant == 0).collect();
    let seen: Vec<_> = of_a.iter().map(|one| (one.passed, one.decided)).collect();
    assert_eq!(seen, [(1, 1), (0, 1), (0, 0), (0, 0), (0, 0)]);
    let clusters: Vec<_> = of_a.iter().map(|one| one.cluster).collect();
    assert_eq!(clusters, [0, 0, 1, 2, 3]);
    let of_b: Vec<_> = counts.iter().filter(|one| one.variant == 1).collect();
    assert!(of_b.iter().all(|one| one.decided == 0));
    assert_eq!(of_b.iter().map(|one| one.cluster).collect::<Vec<_>>(), clusters);
}

#[test]
fn pages_of_results_are_in_plan_order_and_cut_by_characters() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = mixed(&store);
    let all = store.results(run, Which::All, None, 100, 5).unwrap();
    let planned: Vec<_> = plan(6).collect();
    assert_eq!(all.iter().map(|row| row.cell.clone()).collect::<Vec<_>>(), planned);
    let first = all[0].answer.as_ref().unwrap();
    assert_eq!((first.excerpt.as_str(), first.is_cut), ("grüße", true));
    assert_eq!((first.finish, first.source), (FinishReason::Complete, AnswerSource::Live));
    assert_eq!((first.latency_ms, first.cost), (812, Some(dollars(42))));
    let failures = store.results(run, Which::Failures, None, 100, 80).unwrap();
    assert_eq!(failures.iter().map(|row| row.cell.index).collect::<Vec<_>>(), [1, 3]);
    let failure = failures[1].failure.as_ref().unwrap();
    assert_eq!(
        (failure.kind, failure.message.as_str()),
        (FailureKind::RateLimited, "too many requests")
    );
    let page = store.results(run, Which::All, Some(3), 1, 80).unwrap();
    assert_eq!((page.len(), page[0].cell.index, page[0].status), (1, 4, None));
}

#[test]
fn the_latest_scoring_counts_and_earlier_ones_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = mixed(&store);
    let settings = ContentHash::of_bytes(b"settings");
    let generation =
        wait(|done| store.start_rescoring(run, settings, Vec::new(), at(3), done)).unwrap();
    assert_eq!(generation, 2);
    wait(|done| store.record_scores(scored(run, 0, 2, Status::Fail), done)).unwrap();
    // A late score of the old generation does not undo the new one.
    wait(|done| store.record_scores(scored(run, 0, 1, Status::Pass), done)).unwrap();
    let cell = store.cell(run, 0).unwrap();
    assert_eq!((cell.status, cell.generation), (Some(Status::Fail), Some(2)));
    let generations: Vec<_> = cell.scores.iter().map(|score| score.generation).collect();
    assert_eq!(generations, [2, 1]);
    assert_eq!(cell.scores[1].score, score("equals", Pass));
    let unknown = NewScores { scores: Vec::new(), ..scored(run, 99, 1, Status::NoChecks) };
    let refused = wait(|done| store.record_scores(unknown, done));
    assert!(matches!(refused, Err(StoreError::UnknownCell { cell: 99, .. })));
    assert_sound(&store);
}

#[test]
fn every_kind_of_score_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = mixed(&store);
    let values = [
        Pass,
        Fail,
        Number { value: 0.75 },
        Category { name: "refund".to_owned() },
        Error,
        Unreadable,
        Skipped,
    ];
    let mut scores: Vec<_> = values
        .into_iter()
        .enumerate()
        .map(|(number, value)| score(&format!("check-{number}"), value))
        .collect();
    scores[6].score.source = ScoreSource::Human;
    scores[1].score.unfinished = Some(FinishReason::Length);
    let new = NewScores { scores: scores.clone(), ..scored(run, 2, 1, Status::Unreadable) };
    wait(|done| store.record_scores(new, done)).unwrap();
    let read: Vec<_> =
        store.scores(run, 2).unwrap().into_iter().map(|recorded| recorded.score).collect();
    assert_eq!(read, scores);
}

#[test]
fn an_export_holds_the_whole_record_and_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = mixed(&store);
    let case = Content {
        kind: "case".to_owned(),
        hash: plan(1).next().unwrap().case_hash,
        body: "{}".to_owned(),
    };
    wait(|done| store.keep_contents(vec![case], at(0), done)).unwrap();
    let reservation = Reservation { id: id(b'l', 1), run, cell: 4, worst_case: dollars(9) };
    wait(|done| store.reserve(reservation, run::Caps::default(), at(1), done)).unwrap();
    let paid = NewAttempt {
        settlement: Some((id(b'l', 1), LedgerState::Settled { billed: dollars(3) })),
        ..answered(run, 4, 0, "paid")
    };
    let expected = Arc::clone(&paid.attempt);
    wait(|done| store.record(paid, done)).unwrap();

    let mut lines = Vec::new();
    store
        .export(run, |row| {
            lines.push(serde_json::to_string(&row).unwrap());
            Ok::<_, StoreError>(())
        })
        .unwrap();
    let rows: Vec<ExportRow> =
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(matches!(&rows[0], ExportRow::Run { format: 2, header, .. } if header.id == run));
    let kinds: Vec<_> = lines.iter().map(|line| line.split('"').nth(3).unwrap()).collect();
    let expected_kinds = "run content cell attempt score cell attempt score cell attempt \
         cell attempt attempt cell attempt cell ledger end";
    assert_eq!(kinds, expected_kinds.split_whitespace().collect::<Vec<_>>());
    assert!(matches!(&rows[2], ExportRow::Cell { cell, status: Some(Status::Pass), .. }
        if cell.index == 0));
    assert!(matches!(&rows[4], ExportRow::Score { cell: 0, score: recorded }
        if recorded.score == score("equals", Pass)));
    assert!(matches!(&rows[14], ExportRow::Attempt { attempt, reservation: Some(of) }
        if **attempt == *expected && *of == id(b'l', 1)));
    assert!(matches!(&rows[16], ExportRow::Ledger { entry }
        if entry.state == LedgerState::Settled { billed: dollars(3) }));
    assert_eq!(rows[17], ExportRow::End { cells: 6, attempts: 6 });
    let record = store.cell(run, 4).unwrap();
    assert_eq!(record.attempts[0].attempt, *expected);
    assert!(matches!(record.attempts[0].attempt.outcome, Outcome::Answered(_)));
    assert_eq!(record.ledger.len(), 1);
}

#[test]
fn a_kept_version_stays_as_it_was_first_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let hash = ContentHash::of_bytes(b"prompt");
    let content = |body: &str| Content { kind: "prompt".to_owned(), hash, body: body.to_owned() };
    let both = vec![content("first"), content("second")];
    wait(|done| store.keep_contents(both, at(0), done)).unwrap();
    assert_eq!(store.content("prompt", hash).unwrap().as_deref(), Some("first"));
    assert_eq!(store.content("case", hash).unwrap(), None);
    assert_eq!(store.find_contents("prompt", &hash.short(), 2).unwrap(), [hash]);
    assert_eq!(store.find_contents("prompt", "_", 2).unwrap(), []);
}
