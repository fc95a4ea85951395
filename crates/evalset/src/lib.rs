//! Eval sets as data: cases, criteria, splits, and what checks, judges and gates are asked to do.
//!
//! Pure: text in, values and diagnostics out, canonical text back. Nothing is run or scored here.

pub mod check;
