-- Format 2: which settings each scoring used, verdicts that were shown, and the hash of every output.

-- The text of evalset.yaml by which a scoring decided, a version of kind 'evalset.yaml'. Runs of format
-- 1 have no row: theirs is the version of kind 'evalset' that the header names.
CREATE TABLE scoring (
  run_no     INTEGER NOT NULL REFERENCES run (run_no),
  generation INTEGER NOT NULL CHECK (generation >= 1),
  settings   BLOB NOT NULL CHECK (length(settings) = 32),
  began_at   INTEGER NOT NULL,
  PRIMARY KEY (run_no, generation)
) STRICT, WITHOUT ROWID;

-- A verdict that was shown. Showing the same again is no new look.
CREATE TABLE look (
  look_no       INTEGER PRIMARY KEY,
  candidate     BLOB NOT NULL CHECK (length(candidate) = 32),
  baseline      BLOB NOT NULL CHECK (length(baseline) = 32),
  eval_set      TEXT NOT NULL,
  criterion     TEXT NOT NULL,
  -- The shared cases, a version of kind 'cases': a JSON object of content hashes by case id.
  cases         BLOB NOT NULL CHECK (length(cases) = 32),
  case_count    INTEGER NOT NULL CHECK (case_count >= 0),
  -- Absent of a side that is no run of this database, as an approved baseline may be.
  candidate_run INTEGER REFERENCES run (run_no),
  baseline_run  INTEGER REFERENCES run (run_no),
  method        TEXT NOT NULL CHECK (method IN ('fixed', 'sequence')),
  verdict       TEXT NOT NULL,
  first_at      INTEGER NOT NULL,
  UNIQUE (candidate, baseline, eval_set, criterion, cases)
) STRICT;
CREATE INDEX look_by_baseline ON look (baseline, eval_set);

-- SHA-256 of `text`. Absent of answers that format 1 recorded.
ALTER TABLE answer ADD COLUMN text_hash BLOB CHECK (length(text_hash) = 32);
