-- Format 5: what judges are asked is runs of their own, whose cells judge cells of other runs.

-- The run whose outputs a run judges; absent of a run that makes outputs.
ALTER TABLE run ADD COLUMN judges BLOB CHECK (length(judges) = 16);
CREATE INDEX run_by_judged ON run (judges) WHERE judges IS NOT NULL;

-- What a cell of a judging run judges.
CREATE TABLE judged_cell (
  run_no  INTEGER NOT NULL,
  cell    INTEGER NOT NULL,
  -- The place of the output among those that the judge is shown, from 0.
  part    INTEGER NOT NULL CHECK (part >= 0),
  -- The cell of the judged run that made the output.
  of_cell INTEGER NOT NULL CHECK (of_cell >= 0),
  PRIMARY KEY (run_no, cell, part),
  FOREIGN KEY (run_no, cell) REFERENCES cell (run_no, cell)
) STRICT, WITHOUT ROWID;

-- The judges whose verdicts count in a scoring, as a JSON array of variants; absent if there are none.
ALTER TABLE scoring ADD COLUMN judges TEXT;
