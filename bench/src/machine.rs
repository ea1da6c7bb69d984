//! Facts of the machine and of this process, as Linux tells them.

use std::fs;

use crate::Result;

/// The most memory that this process had, in KiB.
pub(crate) fn peak_kib() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = field(&status, "VmHWM:").ok_or("no VmHWM in /proc/self/status")?;
    Ok(line.trim_end_matches(" kB").parse()?)
}

/// What the page says of the machine.
pub(crate) fn facts() -> String {
    let read = |file| fs::read_to_string(file).unwrap_or_default();
    let (cpu, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let model = field(&cpu, "model name\t:").unwrap_or("a processor without a name");
    let kib: u64 = field(&memory, "MemTotal:")
        .and_then(|text| text.trim_end_matches(" kB").parse().ok())
        .unwrap_or(0);
    let system = read("/proc/sys/kernel/osrelease");
    format!(
        "{cores} cores of {model}, {} GiB, Linux {}",
        kib >> 20,
        system.trim()
    )
}

fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(value.trim())
}
