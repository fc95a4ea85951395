//! The person's project folder: where things lie, reading them, and what is wrong with them.
//!
//! Blocking. Opening a project runs nothing and sends nothing. A file that is broken is reported,
//! and the rest still opens; eval sets are read when they are asked for, since they can be large.

mod config;
mod load;
mod prompts;

pub use config::{EnvironmentPins, ProjectConfig};
pub use load::{EvalSetFolder, OpenError, Project, find_root};
pub use prompts::PromptFile;
