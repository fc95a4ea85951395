//! Labels, as the events that `labels.jsonl` holds, and which of them that file has had.

use std::collections::{BTreeMap, BTreeSet};

use evalset::{LabelLine, LabelRow, LabelledOutput, read_labels};
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};
use values::{ContentHash, Id};

use crate::error::{Doing, StoreError};
use crate::sql::Columns;
use crate::store::Store;
use crate::writer::Done;

/// Where rows of labels come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelOrigin {
    /// Made on this machine: the file has yet to get them.
    Here,
    /// Read from the file, or written to it.
    File,
}

/// A `labels.jsonl` as the database knows it: all of its rows are here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelFile {
    /// The hash of its bytes.
    pub hash: ContentHash,
    /// Whether it is what this program would write for its rows.
    pub is_canonical: bool,
}

impl Store {
    /// Adds rows of labels to those of an eval set, by union. Reports how many are new.
    ///
    /// A row that is there stays, of two texts with one id the greater, as in the file. A tombstone
    /// removes what it names for ever; a purged event is not taken again. Rows that came from the
    /// file are known to be there.
    pub fn add_labels(
        &self,
        eval_set: &str,
        rows: Vec<LabelRow>,
        origin: LabelOrigin,
        done: Done<u32>,
    ) {
        let eval_set = eval_set.to_owned();
        // Writing the texts takes longest; it need not hold up the writer.
        let lines: Vec<_> = rows.into_iter().map(LabelLine::of).collect();
        self.submit(done, move |connection| add(connection, &eval_set, &lines, origin));
    }

    /// Notes what a file holds: these rows, which are added as [`Store::add_labels`] does, rows of this
    /// database that were written to it, and what else it held when it was read before.
    pub fn note_label_file(
        &self,
        eval_set: &str,
        file: LabelFile,
        lines: Vec<LabelLine>,
        written: Vec<Id>,
        done: Done<()>,
    ) {
        let eval_set = eval_set.to_owned();
        self.submit(done, move |connection| {
            let doing = "note which labels the file holds";
            add(connection, &eval_set, &lines, LabelOrigin::File)?;
            let mut update = connection
                .prepare_cached("UPDATE label SET in_file = 1 WHERE eval_set = ?1 AND id = ?2")
                .doing(doing)?;
            for id in &written {
                update.execute(params![eval_set, id.as_bytes()]).doing(doing)?;
            }
            let note = "INSERT INTO label_file (eval_set, hash, is_canonical) VALUES (?1, ?2, ?3)
                        ON CONFLICT DO UPDATE SET hash = excluded.hash,
                          is_canonical = excluded.is_canonical";
            let mut note = connection.prepare_cached(note).doing(doing)?;
            note.execute(params![eval_set, file.hash.as_bytes(), file.is_canonical])
                .doing(doing)?;
            Ok(())
        });
    }

    /// Returns the file whose rows are all here, of an eval set.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn label_file(&self, eval_set: &str) -> Result<Option<LabelFile>, StoreError> {
        self.read(|connection| {
            let doing = "read which file of labels is known";
            let mut statement = connection
                .prepare_cached("SELECT hash, is_canonical FROM label_file WHERE eval_set = ?1")
                .doing(doing)?;
            let file = statement.query_row([eval_set], |row| {
                Ok(LabelFile { hash: row.hash(0)?, is_canonical: row.get(1)? })
            });
            file.optional().doing(doing)
        })
    }

    /// Returns every row of labels of an eval set, by id, tombstones with them.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if a row has a form that this program does not know, or if the
    /// database cannot be read.
    pub fn labels(&self, eval_set: &str) -> Result<Vec<LabelRow>, StoreError> {
        self.label_rows("SELECT row FROM label WHERE eval_set = ?1 ORDER BY id", eval_set)
    }

    /// Returns the rows that were made on this machine and that no reading of the file has contained
    /// yet, by id.
    ///
    /// # Errors
    /// As [`Store::labels`].
    pub fn labels_to_write(&self, eval_set: &str) -> Result<Vec<LabelRow>, StoreError> {
        self.label_rows(
            "SELECT row FROM label WHERE eval_set = ?1 AND in_file = 0 ORDER BY id",
            eval_set,
        )
    }

    /// Returns the events that were purged.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn purged_labels(&self, eval_set: &str) -> Result<BTreeSet<Id>, StoreError> {
        self.read(|connection| purged(connection, eval_set))
    }

    /// Returns the tombstones of an eval set.
    ///
    /// # Errors
    /// As [`Store::labels`].
    pub fn label_tombstones(&self, eval_set: &str) -> Result<Vec<LabelRow>, StoreError> {
        let query = "SELECT row FROM label WHERE eval_set = ?1 AND act = 'purge' ORDER BY id";
        self.label_rows(query, eval_set)
    }

    /// Returns the texts of outputs that any run of this database has, by hash.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn output_texts(
        &self,
        hashes: impl IntoIterator<Item = ContentHash>,
    ) -> Result<BTreeMap<ContentHash, String>, StoreError> {
        self.read(|connection| {
            let doing = "read the texts of labelled outputs";
            let mut select = connection
                .prepare_cached("SELECT text FROM answer WHERE text_hash = ?1 LIMIT 1")
                .doing(doing)?;
            let mut texts = BTreeMap::new();
            for hash in hashes {
                let text = select.query_row([hash.as_bytes()], |row| row.get(0)).optional();
                if let Some(text) = text.doing(doing)? {
                    texts.insert(hash, text);
                }
            }
            Ok(texts)
        })
    }

    fn label_rows(&self, query: &str, eval_set: &str) -> Result<Vec<LabelRow>, StoreError> {
        self.read(|connection| {
            let doing = "read the labels";
            let mut statement = connection.prepare_cached(query).doing(doing)?;
            let rows =
                statement.query_map([eval_set], |row| row.get::<_, String>(0)).doing(doing)?;
            let mut labels = Vec::new();
            for text in rows {
                let (mut read, bad) = read_labels(&text.doing(doing)?);
                if let Some(bad) = bad.first() {
                    return Err(StoreError::Conflict(format!(
                        "failed to {doing}: a row has a form that this program does not know: {}",
                        bad.problem
                    )));
                }
                labels.append(&mut read);
            }
            Ok(labels)
        })
    }
}

fn add(
    connection: &Connection,
    eval_set: &str,
    lines: &[LabelLine],
    origin: LabelOrigin,
) -> Result<u32, StoreError> {
    let doing = "keep labels";
    purge(connection, eval_set, lines)?;
    let purged = purged(connection, eval_set)?;
    let mut insert = connection
        .prepare_cached(
            "INSERT INTO label (eval_set, id, row, act, labeller, time, case_id, case_hash, output,
               output_b, criterion, in_file)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
             ON CONFLICT DO NOTHING",
        )
        .doing(doing)?;
    let mut update = connection
        .prepare_cached(
            "UPDATE label SET row = max(row, ?3), in_file = max(in_file, ?4)
             WHERE eval_set = ?1 AND id = ?2 AND (row < ?3 OR in_file < ?4)",
        )
        .doing(doing)?;
    // In the order of the table, so that each page is changed once.
    let mut order: Vec<&LabelLine> =
        lines.iter().filter(|line| !purged.contains(&line.row.id())).collect();
    order.sort_by_key(|line| line.row.id());
    let mut new = 0;
    for LabelLine { text, row } in order {
        if put(&mut insert, eval_set, text, row, origin).doing(doing)? > 0 {
            new += 1;
        } else {
            let (id, in_file) = (row.id(), origin == LabelOrigin::File);
            update.execute(params![eval_set, id.as_bytes(), text, in_file]).doing(doing)?;
        }
    }
    Ok(new)
}

fn put(
    insert: &mut CachedStatement<'_>,
    eval_set: &str,
    text: &str,
    row: &LabelRow,
    origin: LabelOrigin,
) -> rusqlite::Result<usize> {
    let subject = row.subject();
    let (output, output_b) = match subject.map(|subject| subject.output) {
        Some(LabelledOutput::One(output)) => (Some(output), None),
        Some(LabelledOutput::Pair(a, b)) => (Some(a), Some(b)),
        None => (None, None),
    };
    insert.execute(params![
        eval_set,
        row.id().as_bytes(),
        text,
        row.act_name(),
        row.labeller(),
        row.time().unix_ms(),
        subject.map(|subject| &subject.case),
        subject.map(|subject| subject.case_hash.as_bytes()),
        output.as_ref().map(ContentHash::as_bytes),
        output_b.as_ref().map(ContentHash::as_bytes),
        subject.map(|subject| &subject.criterion),
        origin == LabelOrigin::File,
    ])
}

fn purged(connection: &Connection, eval_set: &str) -> Result<BTreeSet<Id>, StoreError> {
    let doing = "read which labels were purged";
    let mut statement = connection
        .prepare_cached("SELECT id FROM label_purged WHERE eval_set = ?1")
        .doing(doing)?;
    let rows = statement.query_map([eval_set], |row| row.get(0).map(Id::from_bytes));
    rows.doing(doing)?.collect::<Result<_, _>>().doing(doing)
}

/// Removes what tombstones name, overwriting the bytes.
fn purge(connection: &Connection, eval_set: &str, lines: &[LabelLine]) -> Result<(), StoreError> {
    let doing = "purge labels";
    if lines.iter().all(|line| line.row.purges().is_empty()) {
        return Ok(());
    }
    connection.pragma_update(None, "secure_delete", true).doing(doing)?;
    let mut remember = connection
        .prepare_cached(
            "INSERT INTO label_purged (eval_set, id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        )
        .doing(doing)?;
    let mut delete = connection
        .prepare_cached("DELETE FROM label WHERE eval_set = ?1 AND id = ?2")
        .doing(doing)?;
    for id in lines.iter().flat_map(|line| line.row.purges()) {
        remember.execute(params![eval_set, id.as_bytes()]).doing(doing)?;
        delete.execute(params![eval_set, id.as_bytes()]).doing(doing)?;
    }
    Ok(())
}
