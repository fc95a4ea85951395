//! The run engine: schedules calls, keeps to caps and limits, resumes, and tells how far it is.
//!
//! No SQLite, no files, no clock of its own: all of that comes through the ports. It knows no
//! statistics. What it keeps: an answer is recorded before anything else happens to it, nothing is
//! reported that is not recorded, and nothing is sent whose worst case does not fit under the caps.

mod bill;
mod budget;
mod halt;
mod lane;
mod pace;
mod port;
mod prepare;
mod retry;
mod session;
mod settings;
mod shared;
mod tally;
mod work;

pub use halt::Stopper;
pub use port::{
    Answered, Cache, Calls, Clock, Costing, Entry, PendingCell, PendingQuery, Ports, PreparedCell,
    Record, RecordError, Reservation, Reserved, Scored, ScoredCell, Scorer, Selection, Settlement,
    Standing,
};
pub use session::{Session, SessionError};
pub use settings::{CacheUse, HEARTBEAT_MS, LaneSettings, RetryPolicy, Settings};
