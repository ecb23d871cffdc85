//! `loopbook cache`: shows what is kept to be fast, and empties it.

use anyhow::Context as _;

use crate::evaluator::build::cache;
use crate::evaluator::build::cell_cache::CellCache;
use crate::home::Home;

/// Prints a line for each part of the cache, or empties it first.
pub(super) fn cache(clear: bool) -> anyhow::Result<()> {
    let home = Home::find()?;
    let at = home.cache_dir().display();
    if clear {
        let kept = cache::clear(&home).with_context(|| format!("cannot empty {at}"))?;
        println!("emptied {at}");
        for part in kept {
            println!("kept {}: {}", part.what, part.why);
        }
        return Ok(());
    }
    println!("{at}");
    for part in cache::parts(&home).with_context(|| format!("cannot read {at}"))? {
        let (entries, bytes) = (counted_entries(part.entries), size(part.bytes));
        println!("  {:10} {entries:>14} {bytes:>10}  {}", part.name, part.what);
    }
    match CellCache::open(home.cache_dir()) {
        Ok(Some(_)) => {}
        Ok(None) => println!("compiled cells are not kept: LOOPBOOK_CELL_CACHE=off"),
        Err(refused) => println!("{refused}"),
    }
    Ok(())
}

fn counted_entries(entries: usize) -> String {
    if entries == 1 { "1 entry".into() } else { format!("{entries} entries") }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}
