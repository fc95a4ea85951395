use serde::{Deserialize, Serialize};
use values::{ContentHash, Timestamp};

/// The score that one check or judge gave a cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CellScore {
    /// The criterion that it serves.
    pub criterion: String,
    /// The check's or judge's name.
    pub name: String,
    /// The hash of the check or judge as it was then.
    pub scored_by: ContentHash,
    /// The score.
    pub score: score::Score,
}

/// A score as it is kept. Scoring a run again adds scores and takes none away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedScore {
    /// The scoring that it belongs to, from 1; the latest counts.
    pub generation: u32,
    /// When.
    pub scored_at: Timestamp,
    /// The score.
    pub score: CellScore,
}
