//! The specification of checks, as data.
