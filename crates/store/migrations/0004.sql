-- Format 4: what judges said of outputs, also of those that another program judged.

CREATE TABLE judgement (
  -- The eval set's folder name.
  eval_set    TEXT NOT NULL,
  case_id     TEXT NOT NULL,
  case_hash   BLOB NOT NULL CHECK (length(case_hash) = 32),
  output      BLOB NOT NULL CHECK (length(output) = 32),
  -- The second output of a pair; empty if one output was judged.
  output_b    BLOB NOT NULL CHECK (length(output_b) IN (0, 32)),
  criterion   TEXT NOT NULL,
  judge       TEXT NOT NULL,
  -- The judge's prompt with its model and config.
  version     BLOB NOT NULL CHECK (length(version) = 32),
  -- Whether the second output of a pair was shown first.
  swapped     INTEGER NOT NULL CHECK (swapped IN (0, 1)),
  -- Which of several judgings of the same, from 0.
  sample      INTEGER NOT NULL CHECK (sample >= 0),
  value       TEXT NOT NULL CHECK (value IN
              ('pass', 'fail', 'number', 'category', 'error', 'unreadable', 'skipped')),
  number      REAL,
  category    TEXT,
  -- Of pass, where the judge gives one.
  probability REAL CHECK (probability BETWEEN 0 AND 1),
  reason      TEXT NOT NULL,
  -- The judging run and its cell, which hold the raw reply; absent if another program judged.
  run         BLOB CHECK (length(run) = 16),
  cell        INTEGER,
  judged_at   INTEGER NOT NULL,
  PRIMARY KEY (eval_set, criterion, judge, version, case_id, case_hash, output, output_b, swapped,
               sample),
  CHECK ((value = 'number') = (number IS NOT NULL)),
  CHECK ((value = 'category') = (category IS NOT NULL)),
  CHECK ((run IS NULL) = (cell IS NULL)),
  CHECK (length(output_b) = 32 OR swapped = 0)
) STRICT, WITHOUT ROWID;
