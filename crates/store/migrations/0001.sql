-- Format 1. Numbers of rows (`run_no`, `case_no`, ...) are local to this file; what leaves it is
-- named by ids, hashes and places in the plan. Times are milliseconds since 1970 in UTC, money is
-- nano-dollars, hashes are 32 bytes, ids 16.

-- One program that has this database open and works on runs. It is alive while its process is.
CREATE TABLE lease (
  id           BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  pid          INTEGER NOT NULL,
  started      TEXT NOT NULL,
  host         TEXT NOT NULL,
  opened_at    INTEGER NOT NULL,
  heartbeat_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Every version of a prompt, case, eval set that a run ever used, so that an old run can be shown.
CREATE TABLE content (
  content_no INTEGER PRIMARY KEY,
  kind       TEXT NOT NULL,
  hash       BLOB NOT NULL CHECK (length(hash) = 32),
  body       TEXT NOT NULL,
  kept_at    INTEGER NOT NULL,
  UNIQUE (kind, hash)
) STRICT;

CREATE TABLE run (
  run_no      INTEGER PRIMARY KEY,
  id          BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  created_at  INTEGER NOT NULL,
  eval_set    TEXT NOT NULL,
  header      TEXT NOT NULL,
  state       TEXT NOT NULL
              CHECK (state IN ('running', 'complete', 'stopped', 'stopped_at_cap', 'stopped_at_overrun')),
  state_at    INTEGER NOT NULL,
  lease       BLOB REFERENCES lease (id),
  cancel_at   INTEGER,
  -- The latest scoring of this run; a cell's own generation may lag behind while one is under way.
  generation  INTEGER NOT NULL DEFAULT 1,
  -- A run is worked on by exactly one live process, or by none.
  CHECK ((state = 'running') = (lease IS NOT NULL))
) STRICT;
CREATE INDEX run_by_lease ON run (lease) WHERE lease IS NOT NULL;

-- Cases as cells name them, written once however many cells share them.
CREATE TABLE run_case (
  case_no   INTEGER PRIMARY KEY,
  case_id   TEXT NOT NULL,
  case_hash BLOB NOT NULL CHECK (length(case_hash) = 32),
  cluster   TEXT,
  UNIQUE (case_id, case_hash, cluster)
) STRICT;

CREATE TABLE cell (
  run_no     INTEGER NOT NULL REFERENCES run (run_no),
  cell       INTEGER NOT NULL CHECK (cell >= 0),
  case_no    INTEGER NOT NULL REFERENCES run_case (case_no),
  variant    INTEGER NOT NULL,
  sample     INTEGER NOT NULL,
  -- 0 pending, 1 answered, 2 failed.
  outcome    INTEGER NOT NULL DEFAULT 0 CHECK (outcome IN (0, 1, 2)),
  -- The attempt that decided the outcome.
  attempt    INTEGER,
  -- The scoring that counts, and the status it gave.
  generation INTEGER,
  status     TEXT CHECK (status IN ('pass', 'fail', 'error', 'unreadable', 'skipped', 'no_checks')),
  PRIMARY KEY (run_no, cell),
  CHECK ((outcome = 0) = (attempt IS NULL)),
  CHECK ((generation IS NULL) = (status IS NULL))
) STRICT, WITHOUT ROWID;

-- A complete answer. Attempts that a cache served share the row of the attempt that paid for it.
CREATE TABLE answer (
  answer_no      INTEGER PRIMARY KEY,
  text           TEXT NOT NULL,
  -- The reply as JSON with its text left empty.
  reply          TEXT NOT NULL,
  finish         TEXT NOT NULL,
  latency_ms     INTEGER NOT NULL,
  first_token_ms INTEGER,
  input_tokens   INTEGER,
  output_tokens  INTEGER
) STRICT;

CREATE TABLE ledger (
  run_no      INTEGER NOT NULL REFERENCES run (run_no),
  id          BLOB NOT NULL CHECK (length(id) = 16),
  cell        INTEGER NOT NULL,
  reserved_at INTEGER NOT NULL,
  -- Days since 1970 in UTC, of the reservation; all of an entry is booked on that day.
  day         INTEGER NOT NULL,
  reserved    INTEGER NOT NULL CHECK (reserved >= 0),
  state       TEXT NOT NULL CHECK (state IN ('reserved', 'settled', 'presumed_spent', 'released')),
  billed      INTEGER CHECK (billed >= 0),
  PRIMARY KEY (run_no, id),
  FOREIGN KEY (run_no, cell) REFERENCES cell (run_no, cell),
  CHECK ((state = 'settled') = (billed IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- The sums of the ledger by scope, so that a cap is checked in constant time, and what is in none of
-- its amounts: cache hits, what they saved, and attempts whose price is unknown.
-- The key is the run's number, the day, or 0 for the project.
CREATE TABLE spend (
  scope    TEXT NOT NULL CHECK (scope IN ('run', 'day', 'project')),
  key      INTEGER NOT NULL,
  billed   INTEGER NOT NULL DEFAULT 0 CHECK (billed >= 0),
  reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),
  presumed INTEGER NOT NULL DEFAULT 0 CHECK (presumed >= 0),
  saved    INTEGER NOT NULL DEFAULT 0 CHECK (saved >= 0),
  hits     INTEGER NOT NULL DEFAULT 0 CHECK (hits >= 0),
  unpriced INTEGER NOT NULL DEFAULT 0 CHECK (unpriced >= 0),
  PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempt (
  run_no      INTEGER NOT NULL,
  cell        INTEGER NOT NULL,
  number      INTEGER NOT NULL CHECK (number >= 0),
  started_at  INTEGER NOT NULL,
  ended_at    INTEGER NOT NULL,
  -- Whether the cell has its outcome by this.
  closes      INTEGER NOT NULL CHECK (closes IN (0, 1)),
  -- What it was billed; of a hit or a replay, what it would have cost. Absent where unknown.
  cost        INTEGER,
  -- 'live', 'cache' or 'replay' of an answer.
  source      TEXT CHECK (source IN ('live', 'cache', 'replay')),
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

CREATE TABLE cache (
  key        BLOB NOT NULL PRIMARY KEY CHECK (length(key) = 32),
  answer_no  INTEGER NOT NULL,
  bytes      INTEGER NOT NULL,
  stored_at  INTEGER NOT NULL,
  touched_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What scored: one check, judge or person of one criterion, in one version.
CREATE TABLE scorer (
  scorer_no INTEGER PRIMARY KEY,
  criterion TEXT NOT NULL,
  name      TEXT NOT NULL,
  source    TEXT NOT NULL CHECK (source IN ('code', 'judge', 'human')),
  hash      BLOB NOT NULL CHECK (length(hash) = 32),
  UNIQUE (criterion, name, source, hash)
) STRICT;

CREATE TABLE score (
  run_no     INTEGER NOT NULL,
  cell       INTEGER NOT NULL,
  generation INTEGER NOT NULL CHECK (generation >= 1),
  scorer_no  INTEGER NOT NULL REFERENCES scorer (scorer_no),
  value      TEXT NOT NULL CHECK (value IN
             ('pass', 'fail', 'number', 'category', 'error', 'unreadable', 'skipped')),
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

-- The hosts that runs were sent to, for whoever asks where data went.
CREATE TABLE contact (
  origin   TEXT NOT NULL PRIMARY KEY,
  first_at INTEGER NOT NULL,
  last_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
