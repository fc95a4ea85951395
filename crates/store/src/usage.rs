use rusqlite::params;
use values::{ContentHash, Id, NanoDollars};

use crate::error::{Doing, StoreError};
use crate::runs;
use crate::store::Store;

/// What an answer was counted at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerUsage {
    /// The answer, by its number in this database: the same answer has the same number.
    pub answer: i64,
    /// The case.
    pub case_id: String,
    /// The case's content.
    pub case_hash: ContentHash,
    /// Its input tokens.
    pub input_tokens: u64,
    /// Its output tokens.
    pub output_tokens: u64,
}

/// What attempts of a variant were billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Billed {
    /// For answers.
    pub answers: NanoDollars,
    /// For attempts that failed all the same.
    pub failures: NanoDollars,
}

impl Store {
    /// Returns what the answers of a variant were counted at, at most `limit`, the first of the plan first.
    /// Answers without usage are left out.
    ///
    /// # Errors
    /// [`StoreError::UnknownRun`], or if the database cannot be read.
    pub fn usage_of(
        &self,
        run: Id,
        variant: u32,
        limit: u32,
    ) -> Result<Vec<AnswerUsage>, StoreError> {
        self.read(|connection| {
            let doing = "read what answers were counted at";
            let run_no = runs::number(connection, run)?;
            let mut statement = connection
                .prepare_cached(
                    "SELECT answer_no, case_id, case_hash, input_tokens, output_tokens
                     FROM cell JOIN run_case USING (case_no)
                       JOIN attempt ON attempt.run_no = cell.run_no AND attempt.cell = cell.cell
                         AND attempt.number = cell.attempt
                       JOIN answer USING (answer_no)
                     WHERE cell.run_no = ?1 AND variant = ?2 AND input_tokens IS NOT NULL
                       AND output_tokens IS NOT NULL
                     ORDER BY cell.cell LIMIT ?3",
                )
                .doing(doing)?;
            let rows = statement
                .query_map(params![run_no, variant, limit], |row| {
                    Ok(AnswerUsage {
                        answer: row.get(0)?,
                        case_id: row.get(1)?,
                        case_hash: ContentHash::from_bytes(row.get(2)?),
                        input_tokens: row.get::<_, i64>(3)?.unsigned_abs(),
                        output_tokens: row.get::<_, i64>(4)?.unsigned_abs(),
                    })
                })
                .doing(doing)?;
            rows.collect::<Result<_, _>>().doing(doing)
        })
    }

    /// Returns what the attempts of a variant were billed.
    ///
    /// # Errors
    /// [`StoreError::UnknownRun`], or if the database cannot be read.
    pub fn billed_of(&self, run: Id, variant: u32) -> Result<Billed, StoreError> {
        self.read(|connection| {
            let run_no = runs::number(connection, run)?;
            connection
                .prepare_cached(
                    "SELECT ifnull(sum(iif(source = 'live', cost, 0)), 0),
                       ifnull(sum(iif(failure IS NOT NULL, cost, 0)), 0)
                     FROM attempt JOIN cell USING (run_no, cell)
                     WHERE attempt.run_no = ?1 AND variant = ?2",
                )
                .and_then(|mut select| {
                    select.query_row(params![run_no, variant], |row| {
                        Ok(Billed {
                            answers: NanoDollars::new(row.get(0)?),
                            failures: NanoDollars::new(row.get(1)?),
                        })
                    })
                })
                .doing("add up what attempts were billed")
        })
    }
}
