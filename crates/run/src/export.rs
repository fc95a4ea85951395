use serde::{Deserialize, Serialize};

use crate::{Attempt, CellStatus, LedgerEntry, PlannedCell, RunHeader, RunState, Score};

/// The format of exported rows.
pub const EXPORT_FORMAT: u32 = 1;

/// One line of an exported run (`runs export`), a JSON object.
///
/// The run comes first, then its cells in plan order, then the ledger in the order of its ids. A
/// reader that meets a row it does not know skips it; a `format` above its own it refuses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "row", rename_all = "snake_case")]
pub enum ExportRow {
    /// What was planned, and where the run stands.
    Run {
        /// [`EXPORT_FORMAT`].
        format: u32,
        /// Where it stands.
        state: RunState,
        /// What was planned.
        header: Box<RunHeader>,
    },
    /// One cell with all that was recorded for it.
    Cell {
        /// The cell.
        cell: PlannedCell,
        /// Its status; `None` while it has no outcome, or an answer that is not scored yet.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        status: Option<CellStatus>,
        /// Every attempt, in the order of its number.
        attempts: Vec<Attempt>,
        /// Its scores, by criterion.
        scores: Vec<Score>,
    },
    /// One reservation and what became of it.
    Ledger {
        /// The line of the ledger.
        entry: LedgerEntry,
    },
}

#[cfg(test)]
mod tests {
    use values::{ContentHash, Id, NanoDollars, Timestamp};

    use super::*;
    use crate::{Bill, Failure, FailureKind, LedgerState, Outcome, Retry, ScoreSource, ScoreValue};

    fn id(time: i64) -> Id {
        Id::new(Timestamp::from_unix_ms(time), [0; 10])
    }

    fn cell_row() -> ExportRow {
        let failure = Failure {
            kind: FailureKind::Timeout,
            message: "no answer within 60 s".to_owned(),
            hint: None,
            status: None,
            request_id: None,
            retry: Retry::Backoff,
            bill: Bill::Unknown,
        };
        ExportRow::Cell {
            cell: PlannedCell {
                index: 3,
                case_id: "c-1".to_owned(),
                case_hash: ContentHash::of_bytes(b"c-1"),
                cluster: None,
                variant: 0,
                sample: 1,
            },
            status: Some(CellStatus::Error),
            attempts: vec![Attempt {
                run: id(1),
                cell: 3,
                number: 0,
                started: Timestamp::from_unix_ms(1_000),
                ended: Timestamp::from_unix_ms(61_000),
                closes: true,
                cost: None,
                outcome: Outcome::Failed(failure),
            }],
            scores: vec![Score {
                criterion: "exact".to_owned(),
                by: "equals".to_owned(),
                by_hash: None,
                source: ScoreSource::Code,
                value: ScoreValue::Graded { value: 0.5 },
                reason: None,
            }],
        }
    }

    #[test]
    fn rows_have_this_text_and_are_read_back() {
        let ledger = ExportRow::Ledger {
            entry: LedgerEntry {
                id: id(2),
                run: id(1),
                cell: 3,
                reserved_at: Timestamp::from_unix_ms(1_000),
                reserved: NanoDollars::new(500),
                state: LedgerState::PresumedSpent,
            },
        };
        let text = |row: &ExportRow| serde_json::to_string(row).unwrap();
        insta::assert_snapshot!(text(&cell_row()), @r#"{"row":"cell","cell":{"index":3,"case_id":"c-1","case_hash":"a6f7ef47ee8dc84af9056a3051ddc302f19581a96eb7e12f510fdf550326a399","variant":0,"sample":1},"status":"error","attempts":[{"run":"00000000-0001-7000-8000-000000000000","cell":3,"number":0,"started":"1970-01-01T00:00:01Z","ended":"1970-01-01T00:01:01Z","closes":true,"outcome":{"failed":{"kind":"timeout","message":"no answer within 60 s","retry":{"kind":"backoff"},"bill":{"kind":"unknown"}}}}],"scores":[{"criterion":"exact","by":"equals","source":"code","value":{"kind":"graded","value":0.5}}]}"#);
        insta::assert_snapshot!(text(&ledger), @r#"{"row":"ledger","entry":{"id":"00000000-0002-7000-8000-000000000000","run":"00000000-0001-7000-8000-000000000000","cell":3,"reserved_at":"1970-01-01T00:00:01Z","reserved":500,"state":{"kind":"presumed_spent"}}}"#);
        for row in [cell_row(), ledger] {
            assert_eq!(serde_json::from_str::<ExportRow>(&text(&row)).unwrap(), row);
        }
    }
}
