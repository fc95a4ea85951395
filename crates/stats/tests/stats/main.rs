//! The crate against other implementations' results, real data, and laws that must hold.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a malformed reference fails the test, and the count of what was compared is its output"
)]

mod data;
mod laws;
mod shared;
mod vectors;

#[test]
fn oracle_vectors() {
    let Some(folder) = shared::folder("TRYSQUARE_ORACLES", "../shared/oracles") else { return };
    vectors::check(&folder);
}

#[test]
fn oracle_data() {
    let Some(folder) = shared::folder("TRYSQUARE_ORACLE_DATA", "../shared/data") else { return };
    data::check(&folder);
}
