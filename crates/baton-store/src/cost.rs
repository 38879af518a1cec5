//! What one synced write costs here, so that a figure of the store can be read beside it.

use std::fs::OpenOptions;
use std::io::{Result, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

const WRITES: usize = 51;

/// The median time of a 4 KiB append followed by `fdatasync`, over 51 of them, in a file that is removed afterwards.
///
/// # Errors
/// When nothing can be written in the directory.
pub fn fdatasync_cost(directory: &Path) -> Result<Duration> {
    let path = directory.join(format!(".sync-cost-{}", std::process::id()));
    let measured = measure(&path);
    std::fs::remove_file(&path).and(measured)
}

fn measure(path: &Path) -> Result<Duration> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    let mut times = Vec::with_capacity(WRITES);
    for _ in 0..WRITES {
        let start = Instant::now();
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times[WRITES / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        assert!(fdatasync_cost(directory.path()).unwrap() > Duration::ZERO);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
        assert!(fdatasync_cost(&directory.path().join("absent")).is_err());
    }
}
