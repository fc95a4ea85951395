//! Formats of other programs, read as streams that somebody else opened.
//!
//! What people and judges said elsewhere comes in by a [`LabelMap`]: a small file that says where in
//! a row a case, its outputs and the values stand, so that no data set needs code of its own. Rows
//! are read one by one and memory is bounded by the largest row. Nothing is opened or written here:
//! a row that cannot be read is named, and what becomes of the others is the caller's decision.

mod convert;
mod label_map;
mod place;
mod prices;
mod row;
mod rows;

pub use convert::{Imported, ImportedRow, ImportedVerdict, Shown, import_labels};
pub use label_map::{LabelMap, RowFormat};
pub use prices::{PriceFormat, PriceImport, PriceImportError, SkippedPrice, read_prices};
pub use row::{BadRow, UnreadableFile};

#[cfg(test)]
mod tests;
