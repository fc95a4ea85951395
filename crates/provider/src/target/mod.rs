//! Targets: the user's own application under test, behind HTTP or as a trusted program.
//!
//! A target takes a case, not a prompt: [`HttpTarget::prepare_case`] and
//! [`ProgramTarget::prepare_case`] turn a case's inputs into the exact call, and both send calls
//! like any [`crate::Client`], so that the engine caches, caps, retries and records them like the
//! rest. [`run_program`] serves program checks too. Tool loops over several turns are not here: a
//! target is asked once and answers once.

mod http;
mod process;
mod program;
mod reading;
mod template;

pub use http::{HttpTarget, HttpTargetSpec};
pub use process::{ProgramCommand, ProgramRun, Trusted, run_program};
pub use program::ProgramTarget;
pub use reading::{BadReading, Reading};
pub use template::{BadTemplate, Template};

/// The version of what targets make of a case and of an answer. It is part of the cache's key.
pub const TARGET_ADAPTER_VERSION: u32 = 1;

/// Returns the refusal of a request that was made for a model.
fn takes_cases() -> crate::PrepareError {
    crate::PrepareError {
        message: "a target takes the inputs of a case, not a prompt's messages".to_owned(),
        hint: Some("name a model for this prompt, or run the target as a variant".to_owned()),
    }
}
