-- The files of labels whose rows are all in `label`, so that one that has not changed is not read again.

CREATE TABLE label_file (
  -- The eval set's folder name.
  eval_set     TEXT NOT NULL PRIMARY KEY,
  -- The SHA-256 of the file's bytes.
  hash         BLOB NOT NULL CHECK (length(hash) = 32),
  -- Whether it is what this program would write for its rows.
  is_canonical INTEGER NOT NULL CHECK (is_canonical IN (0, 1))
) STRICT, WITHOUT ROWID;
