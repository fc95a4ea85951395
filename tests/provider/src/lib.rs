//! A provider to test against: a real server on 127.0.0.1 that speaks every wire protocol, counts
//! what it bills, and misbehaves on demand.
//!
//! A test starts a [`TestProvider`] with a script, a function from the [`SeenRequest`] to a
//! [`Behaviour`]; the answers are a function of the requests alone. It bills a call when the
//! request arrives, as the worst of real providers do: a client that hangs up still pays. Nothing
//! here sleeps to let time pass for a test: a response is held by a [`Gate`], and a test waits for
//! counts ([`TestProvider::wait_until`]).
//!
//! It writes the protocols down by the vendors' documentation and shares no code with
//! `provider::wire`, so that the two can be held against each other.

mod answer;
mod behaviour;
mod body;
mod connection;
mod counts;
mod gate;
mod render;
mod respond;
mod seen;
mod server;

pub use answer::{Answer, Cached, Report, tokens};
pub use behaviour::{Behaviour, Ending, plan};
pub use counts::Counts;
pub use gate::Gate;
pub use seen::{Dialect, SeenRequest};
pub use server::{BilledCall, Keep, Options, Script, TestProvider};
