//! Laws that hold for all data.
