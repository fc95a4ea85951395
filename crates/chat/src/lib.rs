//! What is said to a model and what it answers, in one form for all providers.
//!
//! Pure data: messages, roles, parts, tools, sampling, usage, finish reasons, model references.
//! How a wire protocol writes these is `provider`'s business; what an answer is worth is `score`'s.

mod message;
mod model;
mod protocol;
mod reply;
mod request;
mod usage;

pub use message::{Message, Part, Role};
pub use model::{ModelRef, ParseModelRefError};
pub use protocol::Protocol;
pub use reply::{FinishReason, Reply, TokenLogprob, ToolCall, WithoutText};
pub use request::{OutputFormat, Request, Sampling, Tool, ToolChoice};
pub use usage::{Prices, Usage};
