use serde::{Deserialize, Serialize};
use values::{Id, NanoDollars, Timestamp};

/// The most that may be spent, by scope. `None` is no cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Caps {
    /// On one request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<NanoDollars>,
    /// On this run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<NanoDollars>,
    /// In this project on one UTC day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<NanoDollars>,
    /// In this project ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<NanoDollars>,
}

impl Caps {
    /// Tells whether any cap is set.
    pub fn any(&self) -> bool {
        self.request.or(self.run).or(self.day).or(self.project).is_some()
    }
}

/// Which cap stopped a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CapScope {
    /// The cap of one request.
    Request,
    /// The run's.
    Run,
    /// The day's.
    Day,
    /// The project's.
    Project,
}

/// One line of the spend ledger: a reservation and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// The reservation.
    pub id: Id,
    /// The run that reserved.
    pub run: Id,
    /// The cell's place in the plan.
    pub cell: u32,
    /// When it was reserved.
    pub reserved_at: Timestamp,
    /// The worst case that was reserved.
    pub reserved: NanoDollars,
    /// What became of it.
    pub state: LedgerState,
}

/// What became of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LedgerState {
    /// In flight: counts at its worst case.
    Reserved,
    /// The bill is known.
    Settled {
        /// What was billed; above the reservation it is an overrun.
        billed: NanoDollars,
    },
    /// The bill will never be known: counts at its worst case, shown apart.
    PresumedSpent,
    /// Certainly not billed.
    Released,
}
