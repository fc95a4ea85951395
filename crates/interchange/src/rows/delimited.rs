use std::cell::Cell;
use std::io::{BufRead, Error, Read};
use std::rc::Rc;

use csv::{ByteRecord, ReaderBuilder};
use serde_json::{Map, Value};

use super::MAX_ROW_BYTES;
use crate::row::{BadRow, Row, RowText, UnreadableFile};

/// Reads records with a header line. Every value is text, and nothing is an empty field.
pub(super) fn records(
    delimiter: u8,
    input: impl BufRead,
    each: &mut dyn FnMut(Result<Row, BadRow>),
) -> Result<(), UnreadableFile> {
    let read = Rc::new(Cell::new(0));
    let bounded = Bounded { input, read: Rc::clone(&read) };
    let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(bounded);
    let header = reader.byte_headers().map_err(io)?.clone();
    let columns = texts(&header).map_err(|problem| {
        UnreadableFile::Form(BadRow { line: 1, column: problem.0, problem: problem.1 })
    })?;
    if let Some(twice) = (1..columns.len()).find(|at| columns[..*at].contains(&columns[*at])) {
        let problem = format!("the column `{}` stands twice", columns[twice]);
        return Err(UnreadableFile::Form(BadRow { line: 1, column: twice as u64 + 1, problem }));
    }
    let columns: Rc<[String]> = columns.into();
    let mut record = ByteRecord::new();
    loop {
        read.set(0);
        if !reader.read_byte_record(&mut record).map_err(io)? {
            return Ok(());
        }
        let line = record.position().map_or(1, csv::Position::line);
        each(row(&record, line, &columns));
    }
}

fn row(record: &ByteRecord, line: u64, columns: &Rc<[String]>) -> Result<Row, BadRow> {
    let bad = |column, problem| BadRow { line, column, problem };
    if record.len() != columns.len() {
        let (found, expected) = (record.len(), columns.len());
        let problem = format!("found {found} fields, expected {expected} as in the first line");
        return Err(bad(found.min(expected) as u64, problem));
    }
    let fields = texts(record).map_err(|(column, problem)| bad(column, problem))?;
    let object: Map<_, _> = columns
        .iter()
        .zip(fields)
        .filter(|(_, field)| !field.is_empty())
        .map(|(column, field)| (column.clone(), Value::String(field)))
        .collect();
    let text = RowText::Csv(Rc::clone(columns));
    Ok(Row { value: Value::Object(object), line, column: 1, text })
}

fn texts(record: &ByteRecord) -> Result<Vec<String>, (u64, String)> {
    (1..)
        .zip(record)
        .map(|(number, field)| {
            let text = std::str::from_utf8(field)
                .map_err(|_| (number, "the field is not UTF-8".to_owned()))?;
            Ok(text.to_owned())
        })
        .collect()
}

fn io(error: csv::Error) -> UnreadableFile {
    UnreadableFile::Read(Error::from(error))
}

/// Ends the reading when one record takes more than a row may: a quote that is never closed would
/// else take the rest of the file into memory.
struct Bounded<R> {
    input: R,
    read: Rc<Cell<usize>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.read.get() > MAX_ROW_BYTES {
            let problem = format!(
                "a row has more than {MAX_ROW_BYTES} bytes; is a quotation mark not closed?"
            );
            return Err(Error::other(problem));
        }
        let read = self.input.read(buffer)?;
        self.read.set(self.read.get() + read);
        Ok(read)
    }
}
