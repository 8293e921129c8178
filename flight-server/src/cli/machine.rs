//! What goes in: the machine. What comes out: how much memory a program may use of it.

use std::fs;

/// Where neither the kernel nor a limit says anything.
const UNKNOWN: usize = 4 << 30;

/// Bytes: those of the machine, or fewer where the group of processes has a limit (cgroup v2, as containers have).
pub(crate) fn memory() -> usize {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total(&text));
    let limit = fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    machine.into_iter().chain(limit).min().unwrap_or(UNKNOWN)
}

fn total(meminfo: &str) -> Option<usize> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::total;

    #[test]
    fn the_memory_of_the_machine() {
        let text = "MemFree: 7 kB\nMemTotal:       24117248 kB\nMemAvailable: 9 kB\n";
        assert_eq!(total(text), Some(24_117_248 * 1024));
        assert_eq!(total("MemTotal: many kB"), None);
        assert_eq!(total(""), None);
    }
}
