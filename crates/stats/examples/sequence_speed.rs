//! Times a confidence sequence of 10,000 observations with a real effect, read at the end.

#![expect(clippy::print_stdout, reason = "the time is what the example is for")]

use std::time::Instant;

use stats::{Bounds, HedgedSequence, InvalidInput, Level};

fn main() -> Result<(), InvalidInput> {
    let start = Instant::now();
    let mut sequence = HedgedSequence::new(Bounds::DIFFERENCE, Level::P95);
    for i in 0..10_000_u32 {
        let gain = i * 37 % 101;
        sequence.push(if gain < 12 {
            1.0
        } else if gain < 18 {
            -1.0
        } else {
            0.0
        })?;
    }
    let interval = sequence.interval();
    println!("{interval:?} in {:.4} s", start.elapsed().as_secs_f64());
    Ok(())
}
