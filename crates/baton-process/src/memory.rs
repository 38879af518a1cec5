//! How much memory another process could use.

use std::fs::read_to_string;

/// Bytes that can be had without pushing others out: of the machine, or of this process's control group where that
/// has a limit and less is left in it. `None` where the system does not tell (all but Linux).
///
/// The machine: `MemAvailable` of `/proc/meminfo`. The group: `memory.max` − (`memory.current` − `inactive_file` of
/// `memory.stat`), for what is only cached is given back.
#[must_use]
pub fn free_memory() -> Option<u64> {
    let machine = kilobytes(&read_to_string("/proc/meminfo").ok()?, "MemAvailable:")?;
    Some(group().map_or(machine, |group| group.min(machine)))
}

fn group() -> Option<u64> {
    let place = own_group(&read_to_string("/proc/self/cgroup").ok()?)?;
    let file = |name: &str| read_to_string(format!("/sys/fs/cgroup{place}/{name}")).ok();
    group_free(&file("memory.max")?, &file("memory.current")?, &file("memory.stat")?)
}

/// The line of the second version begins with `0::`.
fn own_group(text: &str) -> Option<String> {
    text.lines().find_map(|line| line.strip_prefix("0::")).map(|path| path.trim_end_matches('/').to_owned())
}

fn group_free(most: &str, used: &str, stat: &str) -> Option<u64> {
    let most: u64 = most.trim().parse().ok()?;
    let used: u64 = used.trim().parse().ok()?;
    let cached = stat.lines().find_map(|line| line.strip_prefix("inactive_file ")).and_then(|text| text.parse().ok());
    Some(most.saturating_sub(used.saturating_sub(cached.unwrap_or(0))))
}

/// The value of a line such as `VmRSS:  1234 kB`, in bytes.
pub(crate) fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    value.split_whitespace().next()?.parse::<u64>().ok().map(|kilobytes| kilobytes.saturating_mul(1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_system_are_read() {
        let text = "MemTotal:  100 kB\nMemAvailable:     23 kB\n";
        assert_eq!(kilobytes(text, "MemAvailable:"), Some(23 * 1024));
        assert_eq!(kilobytes("MemTotal: x kB", "MemTotal:"), None);
        assert_eq!(own_group("1:cpu:/a\n0::/user/b\n").as_deref(), Some("/user/b"));
        assert_eq!(own_group("0::/\n").as_deref(), Some(""));
        assert_eq!(own_group("1:memory:/a\n"), None);
    }

    #[test]
    fn a_group_without_a_limit_says_nothing_and_caches_are_free() {
        assert_eq!(group_free("max\n", "5\n", ""), None);
        assert_eq!(group_free("100\n", "80\n", "anon 1\ninactive_file 30\n"), Some(50));
        assert_eq!(group_free("100\n", "120\n", ""), Some(0));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_machine_tells() {
        assert!(free_memory().is_some_and(|bytes| bytes > 0));
    }
}
