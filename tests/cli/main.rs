//! The real program in temporary folders: what it prints, what it writes, how it exits.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests start programs, read files and may fail"
)]

mod approved;
mod baselines;
mod ci;
mod compare;
mod estimate;
mod failures;
mod gate;
mod help;
mod help_costs;
mod help_judges;
mod help_labelling;
mod help_labels;
mod imports;
mod json;
mod judges;
mod keyring;
mod keys;
mod labels;
mod overview;
mod pages;
mod people;
mod pins;
mod prices;
mod projects;
mod prompts;
mod rates;
mod readme;
mod references;
mod sample;
mod sandbox;
mod splits;
mod terminal;
mod trust;
#[cfg(feature = "embedded-model")]
mod trusting;
mod usage;
