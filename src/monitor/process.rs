//! Memory and processor time of this process, and its limits.
//!
//! Before: the operating system. After: `monitor`, and the gauges of the process. What the system does not provide is zero.

use std::time::Instant;

use sysinfo::{MemoryRefreshKind, Pid, ProcessRefreshKind, ProcessesToUpdate, RefreshKind, System};

use crate::telemetry::names;

/// What the process uses.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// In RAM, bytes.
    pub memory_bytes: u64,
    /// Its limit, bytes; 0: not known.
    pub memory_limit_bytes: u64,
    /// Share of the cores it may use, since the last sample; 0 to 1.
    pub cpu: f64,
}

impl Usage {
    /// Share of the memory it may use, 0 to 1.
    pub fn memory(&self) -> f64 {
        super::share(self.memory_bytes, self.memory_limit_bytes)
    }
}

/// This process, as the system sees it.
pub(super) struct Process {
    system: Option<System>,
    id: Option<Pid>,
    limit_bytes: u64,
    cores: f64,
    last: Option<(Instant, u64)>,
}

impl Process {
    /// `limit_bytes`: 0 for the limit of the control group, or the memory of the machine if there is none.
    pub(super) fn new(limit_bytes: u64) -> Self {
        let ram = MemoryRefreshKind::nothing().with_ram();
        let system = System::new_with_specifics(RefreshKind::nothing().with_memory(ram)).ok();
        let of_system = |system: &System| {
            let machine = system.total_memory();
            let group = system.cgroup_limits().map(|limits| limits.total_memory).filter(|limit| *limit > 0);
            group.map_or(machine, |limit| limit.min(machine))
        };
        let limit_bytes = match limit_bytes {
            0 => system.as_ref().map_or(0, of_system),
            given => given,
        };
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        #[expect(clippy::cast_precision_loss, reason = "a few cores")]
        Self { system, id: sysinfo::get_current_pid().ok(), limit_bytes, cores: cores as f64, last: None }
    }

    /// Measures, and sets the gauges.
    pub(super) fn measure(&mut self) -> Usage {
        let (Some(system), Some(id)) = (&mut self.system, self.id) else { return Usage::default() };
        let what = ProcessRefreshKind::nothing().with_memory().with_cpu();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[id]), false, what);
        let Some(process) = system.process(id) else { return Usage::default() };
        let (memory_bytes, milliseconds) = (process.memory(), process.accumulated_cpu_time());
        let now = Instant::now();
        let last = self.last.replace((now, milliseconds));
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let cpu = last.map_or(0.0, |(at, before)| {
            let used = milliseconds.saturating_sub(before) as f64 / 1000.0;
            used / (now.duration_since(at).as_secs_f64().max(0.001) * self.cores)
        });
        #[expect(clippy::cast_precision_loss, reason = "gauges")]
        {
            metrics::gauge!(names::MEMORY_BYTES).set(memory_bytes as f64);
            metrics::gauge!(names::MEMORY_LIMIT_BYTES).set(self.limit_bytes as f64);
        }
        metrics::counter!(names::CPU_SECONDS).absolute(milliseconds / 1000);
        Usage { memory_bytes, memory_limit_bytes: self.limit_bytes, cpu }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_some_memory_of_a_limit() {
        let usage = Process::new(0).measure();
        assert!(usage.memory_bytes > 1 << 20, "{usage:?}");
        assert!(usage.memory_limit_bytes > usage.memory_bytes, "{usage:?}");
        assert!(usage.memory() > 0.0 && usage.memory() < 1.0);
        assert_eq!(Process::new(1 << 40).measure().memory_limit_bytes, 1 << 40);
    }
}
