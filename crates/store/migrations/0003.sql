-- Format 3: labels, as the events of `labels.jsonl`.

CREATE TABLE label (
  -- The eval set's folder name.
  eval_set  TEXT NOT NULL,
  id        BLOB NOT NULL CHECK (length(id) = 16),
  -- The canonical row of the file. The other columns are read off it.
  row       TEXT NOT NULL,
  act       TEXT NOT NULL,
  labeller  TEXT NOT NULL,
  time      INTEGER NOT NULL,
  -- What it is about; absent of a tombstone.
  case_id   TEXT,
  case_hash BLOB CHECK (length(case_hash) = 32),
  output    BLOB CHECK (length(output) = 32),
  -- The second output of a pair.
  output_b  BLOB CHECK (length(output_b) = 32),
  criterion TEXT,
  -- Whether a reading of the file contained it, or it was written there.
  in_file   INTEGER NOT NULL CHECK (in_file IN (0, 1)),
  PRIMARY KEY (eval_set, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX label_not_in_file ON label (eval_set) WHERE in_file = 0;

-- Events that were purged: no file brings them back.
CREATE TABLE label_purged (
  eval_set TEXT NOT NULL,
  id       BLOB NOT NULL CHECK (length(id) = 16),
  PRIMARY KEY (eval_set, id)
) STRICT, WITHOUT ROWID;

-- The texts of labelled outputs are looked up by their hash.
CREATE INDEX answer_by_text ON answer (text_hash) WHERE text_hash IS NOT NULL;
