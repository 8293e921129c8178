//! What goes in: the machine. What comes out: how much memory a program may use of it.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// Where neither the kernel nor a limit says anything.
const UNKNOWN: usize = 4 << 30;

/// Bytes: those of the machine, or fewer where the group of processes, or one that it is in, has a limit.
pub(crate) fn memory() -> usize {
    memory_in(Path::new("/"))
}

fn memory_in(root: &Path) -> usize {
    let machine = fs::read_to_string(root.join("proc/meminfo")).ok().and_then(|text| total(&text));
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_else(|_| "0::/".to_owned());
    let limits = groups.lines().filter_map(|group| limit(root, group));
    machine.into_iter().chain(limits).min().unwrap_or(UNKNOWN)
}

fn total(meminfo: &str) -> Option<usize> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()?.checked_mul(1024)
}

/// The least limit on the way from the root to a group (`number:controllers:path`): version 2 of groups names no controllers.
/// A container may show its own group as the root and yet the path as the machine has it, so that what is not there is
/// passed over. A group without a limit says `max`, or in version 1 more than there is.
fn limit(root: &Path, group: &str) -> Option<usize> {
    let mut words = group.splitn(3, ':').skip(1);
    let (controllers, path) = (words.next()?, words.next()?);
    let (folder, file) = match controllers {
        "" => ("sys/fs/cgroup", "memory.max"),
        some if some.split(',').any(|name| name == "memory") => ("sys/fs/cgroup/memory", "memory.limit_in_bytes"),
        _ => return None,
    };
    let path: PathBuf = Path::new(path).components().filter(|part| matches!(part, Component::Normal(_))).collect();
    let bytes = |group: &Path| {
        let text = fs::read_to_string(root.join(folder).join(group).join(file)).ok()?;
        text.trim().parse().ok()
    };
    path.ancestors().filter_map(bytes).min()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{UNKNOWN, memory_in, total};

    #[test]
    fn the_memory_of_the_machine() {
        let text = "MemFree: 7 kB\nMemTotal:       24117248 kB\nMemAvailable: 9 kB\n";
        assert_eq!(total(text), Some(24_117_248 * 1024));
        assert_eq!(total("MemTotal: many kB"), None);
        assert_eq!(total(""), None);
    }

    #[test]
    fn the_least_limit_of_the_groups_holds() {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        assert_eq!(memory_in(root.path()), UNKNOWN);
        put("proc/meminfo", "MemTotal: 1000 kB\n");
        assert_eq!(memory_in(root.path()), 1_024_000);
        // The root of a container, where nothing names the group.
        put("sys/fs/cgroup/memory.max", "900000\n");
        assert_eq!(memory_in(root.path()), 900_000);
        put("proc/self/cgroup", "2:cpu,memory:/jobs/one\n1:cpuset:/\n0::/system.slice/haetae.service\n");
        assert_eq!(memory_in(root.path()), 900_000);
        put("sys/fs/cgroup/system.slice/haetae.service/memory.max", "max\n");
        put("sys/fs/cgroup/system.slice/memory.max", "700000\n");
        assert_eq!(memory_in(root.path()), 700_000);
        put("sys/fs/cgroup/memory/jobs/one/memory.limit_in_bytes", "500000\n");
        put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(memory_in(root.path()), 500_000);
    }
}
