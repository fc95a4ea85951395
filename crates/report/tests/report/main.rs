//! What reports say and how they are written, of results that are compared as the product does.

#![expect(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod calibration;
mod fixture;
mod formats;
mod hostile;
mod plots;
mod probe;
mod words;
