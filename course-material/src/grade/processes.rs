//! A process, to all that it has started, and the memory that they hold.

use std::collections::BTreeMap;

/// A process and all that it has started, and they.
pub(super) fn family(root: u32) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(process) = entry.file_name().to_string_lossy().parse() else { continue };
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        // The name in brackets may hold anything.
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        if let Some(parent) = parent {
            children.entry(parent).or_default().push(process);
        }
    }
    let mut family = vec![root];
    let mut at = 0;
    while at < family.len() {
        family.extend(children.get(&family[at]).into_iter().flatten());
        at += 1;
    }
    family
}

/// Resident memory of processes, with what they share in memory, without what is mapped from files.
pub(super) fn memory(processes: &[u32]) -> u64 {
    let own = |process: &u32| {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        Some(resident(&status))
    };
    processes.iter().filter_map(own).sum::<u64>() << 10
}

/// Kilobytes, from the text of `/proc/PID/status`.
fn resident(status: &str) -> u64 {
    let lines = status.lines().filter(|line| line.starts_with("RssAnon:") || line.starts_with("RssShmem:"));
    lines.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_memory_counts_and_mapped_files_do_not() {
        let status = "Name:\tx\nVmRSS:\t 99 kB\nRssAnon:\t 10 kB\nRssFile:\t 84 kB\nRssShmem:\t 5 kB\n";
        assert_eq!(resident(status), 15);
        assert_eq!(resident("Name:\tkthread\n"), 0);
        assert!(memory(&[std::process::id()]) > 0);
    }
}
