//! The person's project folder: where things lie, reading them, and what is wrong with them.
//!
//! Blocking. Opening a project runs nothing and sends nothing. A file that is broken is reported,
//! and the rest still opens; eval sets are read when they are asked for, since they can be large.

mod approved;
mod certificates;
mod config;
mod declare;
mod format;
mod git;
mod history;
mod init;
mod load;
mod paths;
mod pins;
mod prompts;
mod trust;
mod validate;

pub use approved::SetFile;
pub use config::{EnvironmentPins, Pin, PinOverride, ProjectConfig};
pub use declare::{HttpDeclaration, ProgramDeclaration, TargetDeclaration, TargetKind};
pub use format::Reformatted;
pub use git::{FileVersion, GitError, commit_of, content_at, file_versions, user_name};
pub use history::PromptVersion;
pub use init::{InitError, init, init_with};
pub use load::{EvalSetFolder, OpenError, PRICE_LIST, Project, find_root};
pub use paths::{PathError, resolve_inside};
pub use pins::FoundPrompt;
pub use prompts::PromptFile;
pub use trust::TrustBlock;
