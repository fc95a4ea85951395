//! `trysquare cache`

use app::AppError;
use serde::Serialize;
use values::Timestamp;

use super::Context;
use crate::args::Cache;
use crate::exit::Exit;

/// What the cache holds.
#[derive(Debug, Serialize)]
struct Holds {
    entries: u64,
    bytes: u64,
    limit_bytes: u64,
    oldest: Option<Timestamp>,
}

/// What was removed from it.
#[derive(Debug, Serialize)]
struct Removed {
    removed: u64,
}

/// Shows what the cache of responses holds, or empties it.
pub(crate) fn cache(context: &Context<'_>, args: &Cache) -> Result<Exit, AppError> {
    if args.clear {
        let removed = Removed { removed: context.app.clear_cache(context.folder())? };
        context.output.one(&removed, |removed| {
            let responses = counted(removed.removed, "cached response");
            format!("removed {responses}; what runs recorded stays\n")
        });
        return Ok(Exit::Complete);
    }
    let stats = context.app.cache_stats(context.folder())?;
    let holds = Holds {
        entries: stats.entries,
        bytes: stats.bytes,
        limit_bytes: stats.limit_bytes,
        oldest: stats.oldest,
    };
    context.output.one(&holds, shown);
    Ok(Exit::Complete)
}

fn shown(holds: &Holds) -> String {
    let limit = human_bytes(holds.limit_bytes);
    if holds.entries == 0 {
        return format!(
            "The cache is empty; every run fills it, up to {limit}. Start one with `trysquare run SET`.\n"
        );
    }
    let mut out = format!(
        "{} in {} of {limit}\n",
        counted(holds.entries, "response"),
        human_bytes(holds.bytes)
    );
    if let Some(oldest) = holds.oldest {
        out += &format!("the one that goes first was last used at {oldest}\n");
    }
    out + "`trysquare cache --clear` removes them; what runs recorded stays\n"
}

fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Writes bytes in the unit that leaves one to three digits before the point.
fn human_bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let (mut amount, mut unit) = (bytes as f64 / 1024.0, 0);
    // What would be rounded to 1024 belongs to the next unit.
    while amount >= 1023.95 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    format!("{amount:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::human_bytes;

    #[test]
    fn bytes_are_written_in_the_unit_that_people_expect() {
        assert_eq!(human_bytes(0), "0 B");
        assert_eq!(human_bytes(1023), "1023 B");
        assert_eq!(human_bytes(1536), "1.5 KiB");
        assert_eq!(human_bytes(1024 * 1024 - 1), "1.0 MiB");
        assert_eq!(human_bytes(2 * 1024 * 1024 * 1024), "2.0 GiB");
    }
}
