-- Format 8: a look knows which answers it was at. The same versions that answer the same cases anew are
-- another try at the same question, and count as one.

CREATE TABLE look_8 (
  look_no       INTEGER PRIMARY KEY,
  candidate     BLOB NOT NULL CHECK (length(candidate) = 32),
  baseline      BLOB NOT NULL CHECK (length(baseline) = 32),
  eval_set      TEXT NOT NULL,
  criterion     TEXT NOT NULL,
  -- The shared cases, a version of kind 'cases': a JSON object of content hashes by case id.
  cases         BLOB NOT NULL CHECK (length(cases) = 32),
  case_count    INTEGER NOT NULL CHECK (case_count >= 0),
  -- What was seen of them, a version of kind 'answers': a JSON object of hashes by case id. 32 bytes of
  -- 0 where an older format recorded the look, which does not know.
  answers       BLOB NOT NULL CHECK (length(answers) = 32),
  -- Absent of a side that is no run of this database, as an approved baseline may be.
  candidate_run INTEGER REFERENCES run (run_no),
  baseline_run  INTEGER REFERENCES run (run_no),
  method        TEXT NOT NULL CHECK (method IN ('fixed', 'sequence')),
  verdict       TEXT NOT NULL,
  first_at      INTEGER NOT NULL,
  UNIQUE (candidate, baseline, eval_set, criterion, cases, answers)
) STRICT;
INSERT INTO look_8 (look_no, candidate, baseline, eval_set, criterion, cases, case_count, answers,
    candidate_run, baseline_run, method, verdict, first_at)
  SELECT look_no, candidate, baseline, eval_set, criterion, cases, case_count, zeroblob(32),
    candidate_run, baseline_run, method, verdict, first_at FROM look;
DROP TABLE look;
ALTER TABLE look_8 RENAME TO look;
CREATE INDEX look_by_baseline ON look (baseline, eval_set);
