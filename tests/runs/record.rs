//! An exported run, read by the types that wrote it.

use std::collections::BTreeMap;

use run::{Attempt, ExportRow, LedgerEntry, LedgerState, Outcome, PlannedCell, RecordedScore};
use run::{RunHeader, RunState};
use score::Status;

/// The record of a run.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) state: RunState,
    pub(crate) header: RunHeader,
    pub(crate) cells: Vec<(PlannedCell, Option<Status>)>,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) scores: Vec<(u32, RecordedScore)>,
    pub(crate) ledger: Vec<LedgerEntry>,
    /// The runs that judge it.
    pub(crate) judging: Vec<Record>,
}

impl Record {
    /// Reads an export; it must be whole.
    #[track_caller]
    pub(crate) fn parse(text: &str) -> Self {
        let mut rows = text.lines().map(|line| serde_json::from_str::<ExportRow>(line).unwrap());
        let (mut record, judged_by) = Self::next(&mut rows).expect("an export starts with its run");
        while let Some((judging, _)) = Self::next(&mut rows) {
            assert_eq!(judging.header.judging.map(|one| one.run), Some(record.header.id));
            record.judging.push(judging);
        }
        let follow: Vec<_> = record.judging.iter().map(Self::id).collect();
        assert_eq!(judged_by, follow, "the export is cut");
        record
    }

    /// Reads the rows of one run, and by which it is judged.
    #[track_caller]
    fn next(rows: &mut impl Iterator<Item = ExportRow>) -> Option<(Self, Vec<String>)> {
        let ExportRow::Run { state, header, judged_by, .. } = rows.next()? else {
            panic!("the rows of a run begin with it")
        };
        let (mut cells, mut attempts, mut scores) = (Vec::new(), Vec::new(), Vec::new());
        let (mut ledger, mut end) = (Vec::new(), None);
        for row in rows.by_ref() {
            match row {
                ExportRow::Cell { cell, status, .. } => cells.push((cell, status)),
                ExportRow::Attempt { attempt, .. } => attempts.push(*attempt),
                ExportRow::Score { cell, score } => scores.push((cell, score)),
                ExportRow::Ledger { entry } => ledger.push(entry),
                ExportRow::End { cells, attempts } => {
                    end = Some((cells as usize, attempts));
                    break;
                }
                ExportRow::Content { .. } => {}
                ExportRow::Run { .. } => panic!("two runs in one export"),
            }
        }
        assert_eq!(end, Some((cells.len(), attempts.len() as u64)), "the export is cut");
        let judging = Vec::new();
        let record = Self { state, header: *header, cells, attempts, scores, ledger, judging };
        Some((record, judged_by.iter().map(ToString::to_string).collect()))
    }

    /// Returns the run's id as commands take it.
    pub(crate) fn id(&self) -> String {
        self.header.id.to_string()
    }

    /// Counts the cells of a status.
    pub(crate) fn count(&self, status: Status) -> usize {
        self.cells.iter().filter(|(_, found)| *found == Some(status)).count()
    }

    /// Returns the answered attempts, each with its case.
    pub(crate) fn answers(&self) -> impl Iterator<Item = (&str, &Attempt)> {
        let case_of: BTreeMap<u32, &str> =
            self.cells.iter().map(|(cell, _)| (cell.index, cell.case_id.as_str())).collect();
        self.attempts
            .iter()
            .filter(|attempt| matches!(attempt.outcome, Outcome::Answered(_)))
            .map(move |attempt| (case_of[&attempt.cell], attempt))
    }

    /// Returns the text of each case's answer.
    pub(crate) fn texts(&self) -> BTreeMap<(String, u32), String> {
        let key: BTreeMap<u32, (String, u32)> = self
            .cells
            .iter()
            .map(|(cell, _)| (cell.index, (cell.case_id.clone(), cell.sample)))
            .collect();
        self.attempts
            .iter()
            .filter_map(|attempt| match &attempt.outcome {
                Outcome::Answered(answer) => {
                    Some((key[&attempt.cell].clone(), answer.reply.text.clone()))
                }
                Outcome::Failed(_) => None,
            })
            .collect()
    }

    /// Returns what was billed, in nano-dollars.
    pub(crate) fn billed(&self) -> i64 {
        let billed = |entry: &LedgerEntry| match entry.state {
            LedgerState::Settled { billed } => billed.get(),
            _ => 0,
        };
        self.ledger.iter().map(billed).sum()
    }

    /// Returns what is presumed spent, in nano-dollars.
    pub(crate) fn presumed(&self) -> i64 {
        let presumed = |entry: &&LedgerEntry| entry.state == LedgerState::PresumedSpent;
        self.ledger.iter().filter(presumed).map(|entry| entry.reserved.get()).sum()
    }

    /// Returns what the ledger holds, in nano-dollars: billed, presumed, and reserved.
    pub(crate) fn booked(&self) -> i64 {
        let reserved = |entry: &&LedgerEntry| entry.state == LedgerState::Reserved;
        let reserved: i64 =
            self.ledger.iter().filter(reserved).map(|entry| entry.reserved.get()).sum();
        self.billed() + self.presumed() + reserved
    }

    /// Fails unless each cell has exactly one closing outcome, and it is an answer.
    #[track_caller]
    pub(crate) fn assert_each_cell_is_answered_once(&self) {
        assert_eq!(self.state, RunState::Complete);
        let mut closing: BTreeMap<u32, usize> = BTreeMap::new();
        for attempt in self.attempts.iter().filter(|attempt| attempt.closes) {
            assert!(matches!(attempt.outcome, Outcome::Answered(_)), "{attempt:?}");
            *closing.entry(attempt.cell).or_default() += 1;
        }
        assert_eq!(closing.len(), self.cells.len(), "a cell without an outcome");
        assert!(closing.values().all(|count| *count == 1), "a cell with two outcomes");
        assert_eq!(self.answers().count(), self.cells.len(), "an answer that closes nothing");
    }
}
