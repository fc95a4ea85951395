use score::Status;
use serde::{Deserialize, Serialize};
use values::{ContentHash, Id, Timestamp};

use crate::{Attempt, LedgerEntry, PlannedCell, RecordedScore, RunHeader, RunState};

/// The format of exported rows. In format 1 no judging runs followed.
pub const EXPORT_FORMAT: u32 = 2;

/// One line of an exported run (`runs export`), a JSON object.
///
/// The order is: the run; the versions that it used; each cell in plan order, followed by its
/// attempts and scores; the ledger by id; and the end, by which a reader knows that nothing is
/// missing. The runs that judge it follow, each in the same order. A reader skips a row that it does not know, and refuses a `format` above its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "row", rename_all = "snake_case")]
pub enum ExportRow {
    /// What was planned, and where the run stands.
    Run {
        /// [`EXPORT_FORMAT`].
        format: u32,
        /// Where it stood when it was exported.
        state: RunState,
        /// Since when.
        state_since: Timestamp,
        /// What was planned.
        header: Box<RunHeader>,
        /// The runs that judge its outputs and follow in this order.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        judged_by: Vec<Id>,
    },
    /// A version of a prompt, a case … that it used.
    Content {
        /// What it is.
        kind: String,
        /// Its hash.
        hash: ContentHash,
        /// All that is needed to show it.
        body: String,
    },
    /// A cell.
    Cell {
        /// The cell.
        cell: PlannedCell,
        /// Its status; absent while it has no outcome, or an answer that is not scored yet.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        status: Option<Status>,
        /// In a judging run: the cells of the judged run whose outputs the judge is shown, in that
        /// order.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        judges: Vec<u32>,
    },
    /// An attempt of the cell above.
    Attempt {
        /// The attempt, with the whole answer.
        attempt: Box<Attempt>,
        /// The ledger's line for it.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        reservation: Option<Id>,
    },
    /// A score of the cell above.
    Score {
        /// The cell's place in the plan.
        cell: u32,
        /// The score.
        score: RecordedScore,
    },
    /// One reservation and what became of it.
    Ledger {
        /// The line of the ledger.
        entry: LedgerEntry,
    },
    /// The last row.
    End {
        /// The number of cells written.
        cells: u32,
        /// The number of attempts written.
        attempts: u64,
    },
}

#[cfg(test)]
mod tests {
    use evalset::ScoreSource;
    use values::NanoDollars;

    use super::*;
    use crate::{Bill, CellScore, Failure, FailureKind, LedgerState, Outcome, Retry};

    fn id(time: i64) -> Id {
        Id::new(Timestamp::from_unix_ms(time), [0; 10])
    }

    fn attempt() -> Attempt {
        let failure = Failure {
            kind: FailureKind::Timeout,
            message: "no answer within 60 s".to_owned(),
            hint: None,
            status: None,
            request_id: None,
            retry: Retry::Backoff,
            bill: Bill::Unknown,
        };
        Attempt {
            run: id(1),
            cell: 3,
            number: 0,
            started: Timestamp::from_unix_ms(1_000),
            ended: Timestamp::from_unix_ms(61_000),
            closes: true,
            cost: None,
            outcome: Outcome::Failed(failure),
        }
    }

    fn recorded_score() -> RecordedScore {
        RecordedScore {
            generation: 1,
            scored_at: Timestamp::from_unix_ms(62_000),
            score: CellScore {
                criterion: "close".to_owned(),
                name: "rouge-l".to_owned(),
                scored_by: ContentHash::of_bytes(b"rouge-l"),
                score: score::Score {
                    outcome: score::Outcome::Number { value: 0.5 },
                    reason: "half".to_owned(),
                    source: ScoreSource::Code,
                    unfinished: None,
                },
            },
        }
    }

    fn planned_cell() -> PlannedCell {
        PlannedCell {
            index: 3,
            case_id: "c-1".to_owned(),
            case_hash: ContentHash::of_bytes(b"c-1"),
            cluster: None,
            variant: 0,
            sample: 1,
        }
    }

    fn ledger_entry() -> LedgerEntry {
        LedgerEntry {
            id: id(2),
            run: id(1),
            cell: 3,
            reserved_at: Timestamp::from_unix_ms(1_000),
            reserved: NanoDollars::new(500),
            state: LedgerState::PresumedSpent,
        }
    }

    #[test]
    fn rows_have_this_text_and_are_read_back() {
        let rows = [
            ExportRow::Cell {
                cell: planned_cell(),
                status: Some(Status::Error),
                judges: Vec::new(),
            },
            ExportRow::Attempt { attempt: Box::new(attempt()), reservation: Some(id(2)) },
            ExportRow::Score { cell: 3, score: recorded_score() },
            ExportRow::Ledger { entry: ledger_entry() },
            ExportRow::End { cells: 1, attempts: 1 },
        ];
        let lines: Vec<_> = rows.iter().map(|row| serde_json::to_string(row).unwrap()).collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        {"row":"cell","cell":{"index":3,"case_id":"c-1","case_hash":"a6f7ef47ee8dc84af9056a3051ddc302f19581a96eb7e12f510fdf550326a399","variant":0,"sample":1},"status":"error"}
        {"row":"attempt","attempt":{"run":"00000000-0001-7000-8000-000000000000","cell":3,"number":0,"started":"1970-01-01T00:00:01Z","ended":"1970-01-01T00:01:01Z","closes":true,"outcome":{"failed":{"kind":"timeout","message":"no answer within 60 s","retry":{"kind":"backoff"},"bill":{"kind":"unknown"}}}},"reservation":"00000000-0002-7000-8000-000000000000"}
        {"row":"score","cell":3,"score":{"generation":1,"scored_at":"1970-01-01T00:01:02Z","score":{"criterion":"close","name":"rouge-l","scored_by":"4955af2cf6012c43a3b2b09438f59be7262dd6d66401294d2b68f544c8f5e3c3","score":{"outcome":{"kind":"number","value":0.5},"reason":"half","source":"code"}}}}
        {"row":"ledger","entry":{"id":"00000000-0002-7000-8000-000000000000","run":"00000000-0001-7000-8000-000000000000","cell":3,"reserved_at":"1970-01-01T00:00:01Z","reserved":500,"state":{"kind":"presumed_spent"}}}
        {"row":"end","cells":1,"attempts":1}
        "#);
        for (row, line) in rows.iter().zip(&lines) {
            assert_eq!(&serde_json::from_str::<ExportRow>(line).unwrap(), row);
        }
    }
}
