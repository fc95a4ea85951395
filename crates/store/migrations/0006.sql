-- Format 6: the checks of the tables that a run writes row by row are comparisons. SQLite builds a
-- tree for `IN` with three values or more, each time that it checks a row.

CREATE TABLE cell_6 (
  run_no     INTEGER NOT NULL REFERENCES run (run_no),
  cell       INTEGER NOT NULL CHECK (cell >= 0),
  case_no    INTEGER NOT NULL REFERENCES run_case (case_no),
  variant    INTEGER NOT NULL,
  sample     INTEGER NOT NULL,
  -- 0 pending, 1 answered, 2 failed.
  outcome    INTEGER NOT NULL DEFAULT 0 CHECK (outcome BETWEEN 0 AND 2),
  -- The attempt that decided the outcome.
  attempt    INTEGER,
  -- The scoring that counts, and the status it gave.
  generation INTEGER,
  status     TEXT CHECK (status = 'pass' OR status = 'fail' OR status = 'error'
             OR status = 'unreadable' OR status = 'skipped' OR status = 'no_checks'),
  PRIMARY KEY (run_no, cell),
  CHECK ((outcome = 0) = (attempt IS NULL)),
  CHECK ((generation IS NULL) = (status IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO cell_6 (run_no, cell, case_no, variant, sample, outcome, attempt, generation, status)
  SELECT run_no, cell, case_no, variant, sample, outcome, attempt, generation, status FROM cell;
DROP TABLE cell;
ALTER TABLE cell_6 RENAME TO cell;

CREATE TABLE ledger_6 (
  run_no      INTEGER NOT NULL REFERENCES run (run_no),
  id          BLOB NOT NULL CHECK (length(id) = 16),
  cell        INTEGER NOT NULL,
  reserved_at INTEGER NOT NULL,
  -- Days since 1970 in UTC, of the reservation; all of an entry is booked on that day.
  day         INTEGER NOT NULL,
  reserved    INTEGER NOT NULL CHECK (reserved >= 0),
  state       TEXT NOT NULL CHECK (state = 'settled' OR state = 'reserved'
              OR state = 'presumed_spent' OR state = 'released'),
  billed      INTEGER CHECK (billed >= 0),
  PRIMARY KEY (run_no, id),
  FOREIGN KEY (run_no, cell) REFERENCES cell (run_no, cell),
  CHECK ((state = 'settled') = (billed IS NOT NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO ledger_6 (run_no, id, cell, reserved_at, day, reserved, state, billed)
  SELECT run_no, id, cell, reserved_at, day, reserved, state, billed FROM ledger;
DROP TABLE ledger;
ALTER TABLE ledger_6 RENAME TO ledger;

CREATE TABLE attempt_6 (
  run_no      INTEGER NOT NULL,
  cell        INTEGER NOT NULL,
  number      INTEGER NOT NULL CHECK (number >= 0),
  started_at  INTEGER NOT NULL,
  ended_at    INTEGER NOT NULL,
  -- Whether the cell has its outcome by this.
  closes      INTEGER NOT NULL CHECK (closes BETWEEN 0 AND 1),
  -- What it was billed; of a hit or a replay, what it would have cost. Absent where unknown.
  cost        INTEGER,
  -- 'live', 'cache' or 'replay' of an answer.
  source      TEXT CHECK (source = 'live' OR source = 'cache' OR source = 'replay'),
  answer_no   INTEGER REFERENCES answer (answer_no),
  -- The failure as JSON, and its kind.
  failure     TEXT,
  kind        TEXT,
  reservation BLOB,
  PRIMARY KEY (run_no, cell, number),
  FOREIGN KEY (run_no, cell) REFERENCES cell (run_no, cell),
  FOREIGN KEY (run_no, reservation) REFERENCES ledger (run_no, id),
  CHECK ((answer_no IS NULL) = (source IS NULL)),
  CHECK ((answer_no IS NULL) <> (failure IS NULL)),
  CHECK ((failure IS NULL) = (kind IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO attempt_6 (run_no, cell, number, started_at, ended_at, closes, cost, source, answer_no,
    failure, kind, reservation)
  SELECT run_no, cell, number, started_at, ended_at, closes, cost, source, answer_no, failure, kind,
    reservation FROM attempt;
DROP TABLE attempt;
ALTER TABLE attempt_6 RENAME TO attempt;

CREATE TABLE score_6 (
  run_no     INTEGER NOT NULL,
  cell       INTEGER NOT NULL,
  generation INTEGER NOT NULL CHECK (generation >= 1),
  scorer_no  INTEGER NOT NULL REFERENCES scorer (scorer_no),
  value      TEXT NOT NULL CHECK (value = 'pass' OR value = 'fail' OR value = 'number'
             OR value = 'category' OR value = 'error' OR value = 'unreadable' OR value = 'skipped'),
  number     REAL,
  category   TEXT,
  reason     TEXT NOT NULL,
  -- Why the output is not a whole answer, if it is none.
  unfinished TEXT,
  scored_at  INTEGER NOT NULL,
  PRIMARY KEY (run_no, cell, generation, scorer_no),
  FOREIGN KEY (run_no, cell) REFERENCES cell (run_no, cell),
  CHECK ((value = 'number') = (number IS NOT NULL)),
  CHECK ((value = 'category') = (category IS NOT NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO score_6 (run_no, cell, generation, scorer_no, value, number, category, reason, unfinished,
    scored_at)
  SELECT run_no, cell, generation, scorer_no, value, number, category, reason, unfinished, scored_at
  FROM score;
DROP TABLE score;
ALTER TABLE score_6 RENAME TO score;
