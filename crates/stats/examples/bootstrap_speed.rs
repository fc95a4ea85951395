//! Times 10,000 bootstrap resamples of 10,000 values on one thread.

#![expect(clippy::print_stdout, reason = "the time is what the example is for")]

use std::time::Instant;

fn main() -> Result<(), stats::InvalidInput> {
    let values: Vec<f64> = (0..10_000_u32).map(|i| f64::from(i * 37 % 101) / 101.0).collect();
    let resampling = stats::Resampling { resamples: 10_000, ..stats::Resampling::seeded(1) };
    let start = Instant::now();
    let result = stats::bootstrap_mean(&values, resampling, stats::Level::P95)?;
    println!("{:?} in {:.3} s", result.percentile, start.elapsed().as_secs_f64());
    Ok(())
}
