//! Rows of a stream, one by one.

mod delimited;
mod json;

use std::io::BufRead;

use crate::row::{BadRow, Row, UnreadableFile};
use crate::{LabelMap, RowFormat};

/// Rows with more bytes are refused, as lines of cases and labels are.
const MAX_ROW_BYTES: usize = evalset::MAX_LINE_BYTES;

/// Hands every row to `each`, in the order of the stream: the row, or why it is none.
pub(crate) fn for_each(
    map: &LabelMap,
    format: RowFormat,
    input: impl BufRead,
    each: &mut dyn FnMut(Result<Row, BadRow>),
) -> Result<(), UnreadableFile> {
    match format {
        RowFormat::Json => json::array(input, each),
        RowFormat::Jsonl => json::lines(input, each),
        RowFormat::Csv => delimited::records(map.delimiter, input, each),
    }
}
