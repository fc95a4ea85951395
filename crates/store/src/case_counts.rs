use std::collections::HashMap;

use values::Id;

use crate::error::{Doing, StoreError};
use crate::runs;
use crate::store::Store;

/// How often one case passed with one variant of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaseCounts {
    /// The variant's place in the header.
    pub variant: u32,
    /// The samples that passed.
    pub passed: u32,
    /// The samples that passed or failed; 0 if all ended otherwise or not yet.
    pub decided: u32,
    /// The cluster's number, the same for cases of one cluster; a case without one has its own.
    pub cluster: usize,
}

impl Store {
    /// Returns how often each case of a run passed with each variant, in one reading of its cells.
    ///
    /// # Errors
    /// [`StoreError::UnknownRun`], or if the database cannot be read.
    pub fn case_counts(&self, run: Id) -> Result<Vec<CaseCounts>, StoreError> {
        self.read(|connection| {
            let doing = "count how often cases passed";
            let run_no = runs::number(connection, run)?;
            // An answer's status counts, not that of one whose generation failed.
            let mut statement = connection
                .prepare_cached(
                    "SELECT variant, case_no, cluster,
                       sum(outcome = 1 AND status IS 'pass'),
                       sum(outcome = 1 AND (status IS 'pass' OR status IS 'fail'))
                     FROM cell JOIN run_case USING (case_no)
                     WHERE run_no = ?1 GROUP BY variant, case_no",
                )
                .doing(doing)?;
            let mut rows = statement.query([run_no]).doing(doing)?;
            let mut clusters: HashMap<Cluster, usize> = HashMap::new();
            let mut counts = Vec::new();
            while let Some(row) = rows.next().doing(doing)? {
                let case: i64 = row.get(1).doing(doing)?;
                let named: Option<String> = row.get(2).doing(doing)?;
                let cluster = named.map_or(Cluster::Of(case), Cluster::Named);
                let next = clusters.len();
                counts.push(CaseCounts {
                    variant: row.get(0).doing(doing)?,
                    passed: row.get(3).doing(doing)?,
                    decided: row.get(4).doing(doing)?,
                    cluster: *clusters.entry(cluster).or_insert(next),
                });
            }
            Ok(counts)
        })
    }
}

#[derive(PartialEq, Eq, Hash)]
enum Cluster {
    Named(String),
    Of(i64),
}
