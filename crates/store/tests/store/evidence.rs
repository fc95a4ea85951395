use std::sync::Arc;

use run::{AnswerSource, CellScore, Outcome};
use score::Status;
use store::{
    Content, Counting, NewScores, OutcomeEvidence, SETTINGS_KIND, Store, StoreError, wait,
};
use values::{ContentHash, Id};

use crate::support::{answered, at, dollars, failed_for_good, id, open, plan, start};

fn scored(run: Id, cell: u32, generation: u32, outcomes: &[(&str, score::Outcome)]) -> NewScores {
    let score = |(name, outcome): &(&str, score::Outcome)| CellScore {
        criterion: (*name).to_owned(),
        name: (*name).to_owned(),
        scored_by: ContentHash::of_bytes(name.as_bytes()),
        score: score::Score {
            outcome: outcome.clone(),
            reason: "because".to_owned(),
            source: evalset::ScoreSource::Code,
            unfinished: None,
        },
    };
    NewScores {
        run,
        cell,
        generation,
        scores: outcomes.iter().map(score).collect(),
        status: Status::Pass,
        now: at(3),
    }
}

/// One line for each cell that an analysis is shown.
fn seen(store: &Store, run: Id, variants: &[u32]) -> Vec<String> {
    let mut lines = Vec::new();
    store
        .evidence(run, variants, |cell| {
            let outcome = match cell.outcome {
                OutcomeEvidence::Pending => "pending".to_owned(),
                OutcomeEvidence::Failed => "failed".to_owned(),
                OutcomeEvidence::Answered(answer) => answer.output.short(),
            };
            let scores = cell.scores.map(|scores| {
                let each =
                    scores.iter().map(|one| format!("{} {:?}", one.scorer.name, one.outcome));
                each.collect::<Vec<_>>().join(", ")
            });
            let (case, tags) = (&cell.case.id, cell.case.body.as_deref().unwrap_or("-"));
            lines.push(format!(
                "{} {case} {tags} v{} {outcome} {scores:?}",
                cell.cell, cell.variant
            ));
        })
        .unwrap();
    lines
}

#[test]
fn an_analysis_sees_each_cell_with_the_scores_that_count() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = id(b'r', 1);
    start(&store, run, 8);
    start(&store, id(b'r', 2), 8);
    for cell in 0..5 {
        wait(|done| store.record(answered(run, cell, 0, &format!("text {cell}")), done)).unwrap();
    }
    wait(|done| store.record(failed_for_good(run, 5, 0), done)).unwrap();
    let case = Content {
        kind: "case".to_owned(),
        hash: plan(1).next().unwrap().case_hash,
        body: "{}".to_owned(),
    };
    wait(|done| store.keep_contents(vec![case], at(0), done)).unwrap();
    for cell in 0..4 {
        let first = scored(run, cell, 1, &[("old", score::Outcome::Fail)]);
        wait(|done| store.record_scores(first, done)).unwrap();
    }
    let generation = wait(|done| {
        store.start_rescoring(run, ContentHash::of_bytes(b"today"), Vec::new(), at(4), done);
    });
    let two = [("a", score::Outcome::Pass), ("b", score::Outcome::Number { value: 0.5 })];
    for cell in [0, 2] {
        let again = scored(run, cell, generation.as_ref().copied().unwrap(), &two);
        wait(|done| store.record_scores(again, done)).unwrap();
    }

    insta::assert_snapshot!(seen(&store, run, &[0]).join("\n"), @r#"
    0 case-0 {} v0 822beb0d1729 Some("a Pass, b Number { value: 0.5 }")
    2 case-1 - v0 ad0387b3bd86 Some("a Pass, b Number { value: 0.5 }")
    4 case-2 - v0 b47c67e6c66f None
    6 case-3 - v0 pending None
    "#);
    assert_eq!(seen(&store, run, &[0, 1]).len(), 8);
    assert_eq!(seen(&store, id(b'r', 2), &[1]).len(), 4);
    let unknown = store.evidence(id(b'r', 3), &[0], |_| {});
    assert!(matches!(unknown, Err(StoreError::UnknownRun(_))));
}

#[test]
fn an_answer_comes_with_what_it_took() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = id(b'r', 1);
    start(&store, run, 2);
    let mut replayed = answered(run, 0, 0, "text");
    let Outcome::Answered(answer) = &mut Arc::make_mut(&mut replayed.attempt).outcome else {
        unreachable!()
    };
    (answer.source, answer.reply.usage) = (AnswerSource::Replay, None);
    Arc::make_mut(&mut replayed.attempt).cost = None;
    wait(|done| store.record(replayed, done)).unwrap();
    wait(|done| store.record(answered(run, 1, 0, "text"), done)).unwrap();
    let mut answers = Vec::new();
    store
        .evidence(run, &[0, 1], |cell| {
            let OutcomeEvidence::Answered(answer) = cell.outcome else { panic!("{cell:?}") };
            answers.push(answer);
        })
        .unwrap();
    let [replayed, live] = answers[..] else { panic!("{answers:?}") };
    assert_eq!((replayed.source, live.source), (AnswerSource::Replay, AnswerSource::Live));
    assert_eq!((replayed.cost, replayed.input_tokens, replayed.output_tokens), (None, None, None));
    assert_eq!(
        (live.cost, live.input_tokens, live.output_tokens),
        (Some(dollars(42)), Some(120), Some(8))
    );
    assert_eq!((live.latency_ms, live.output), (812, ContentHash::of_bytes(b"text")));
    assert_eq!(live.output, replayed.output);
}

#[test]
fn an_answer_of_format_1_is_hashed_when_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = id(b'r', 1);
    start(&store, run, 2);
    wait(|done| store.record(answered(run, 0, 0, "grüße"), done)).unwrap();
    store.close(at(4)).unwrap();
    let path = folder.path().join("trysquare.db");
    let older = rusqlite::Connection::open(path).unwrap();
    assert_eq!(older.execute("UPDATE answer SET text_hash = NULL", ()).unwrap(), 1);
    drop(older);
    let again = open(folder.path());
    let hash = ContentHash::of_bytes("grüße".as_bytes());
    assert!(seen(&again, run, &[0])[0].contains(&hash.short()));
}

#[test]
fn each_scoring_keeps_by_what_it_scored() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = id(b'r', 1);
    start(&store, run, 2);
    let counting = |generation, settings, judges: &[run::Variant]| {
        let judges = judges.to_vec();
        assert_eq!(store.counting(run).unwrap(), Counting { generation, settings, judges });
    };
    counting(1, None, &[]);
    let [first, second] = [&b"first"[..], b"second"].map(ContentHash::of_bytes);
    let judges = store.run_header(run).unwrap().variants;
    wait(|done| store.note_settings(run, first, judges.clone(), at(1), done)).unwrap();
    counting(1, Some(first), &judges);
    wait(|done| store.start_rescoring(run, second, Vec::new(), at(2), done)).unwrap();
    counting(2, Some(second), &[]);
    let kept = [(first, "one"), (second, "two")].map(|(hash, body)| Content {
        kind: SETTINGS_KIND.into(),
        hash,
        body: body.into(),
    });
    wait(|done| store.keep_contents(kept.to_vec(), at(1), done)).unwrap();
    let mut bodies = Vec::new();
    store
        .export(run, |row| {
            if let run::ExportRow::Content { body, .. } = row {
                bodies.push(body);
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
    assert_eq!(bodies, ["one", "two"]);
}
