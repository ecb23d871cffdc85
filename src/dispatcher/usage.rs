//! The figures of `usage_reply`: memory and processor time of the kernel and its machine.

use crate::wire::{HostMemory, Usage};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use sysinfo::{Pid, Process, ProcessRefreshKind, ProcessesToUpdate, System};

/// Measures. Processor time is that since the measurement before.
#[derive(Debug, Clone, Default)]
pub(super) struct Meter(Arc<Mutex<Option<System>>>);

impl Meter {
    /// Looks at every process of the machine, which takes milliseconds: not for the dispatcher's own loop.
    ///
    /// # Errors
    /// A sentence, if the operating system does not say.
    pub(super) fn measure(&self) -> Result<Usage, String> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let system = match &mut *kept {
            Some(system) => system,
            none => none.insert(System::new().map_err(|error| format!("the machine cannot be measured: {error}"))?),
        };
        let wanted = ProcessRefreshKind::nothing().with_cpu().with_memory().without_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::All, true, wanted);
        system.refresh_cpu_usage();
        system.refresh_memory();
        let ours = descendants(system);
        let processes = || ours.iter().filter_map(|pid| system.process(*pid));
        let (total, available) = (system.total_memory(), system.available_memory());
        Ok(Usage {
            hostname: System::host_name().unwrap_or_default(),
            pid: std::process::id(),
            kernel_cpu: processes().map(Process::cpu_usage).sum(),
            kernel_memory: processes().map(Process::memory).sum(),
            host_cpu_percent: system.global_cpu_usage(),
            cpu_count: system.cpus().len(),
            host_virtual_memory: HostMemory {
                total,
                available,
                used: system.used_memory(),
                free: system.free_memory(),
                percent: percent(total.saturating_sub(available), total),
            },
        })
    }
}

/// This process and all that it, or one of those, has started.
fn descendants(system: &System) -> HashSet<Pid> {
    let mut found = HashSet::from([Pid::from_u32(std::process::id())]);
    loop {
        let known = found.len();
        let started_by_us = |process: &&Process| process.parent().is_some_and(|parent| found.contains(&parent));
        let more: Vec<Pid> = system.processes().values().filter(started_by_us).map(Process::pid).collect();
        found.extend(more);
        if found.len() == known {
            return found;
        }
    }
}

/// With one decimal, as ipykernel has it.
fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64 * 1000.0).round() / 10.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_uses_some_of_the_machines_memory() {
        let usage = Meter::default().measure().expect("the machine can be measured");
        let host = usage.host_virtual_memory;
        assert!(usage.kernel_memory > 0 && usage.kernel_memory < host.total, "{usage:?}");
        assert!(host.available <= host.total && (0.0..=100.0).contains(&host.percent), "{usage:?}");
        assert!(usage.cpu_count > 0 && usage.pid == std::process::id());
    }

    #[test]
    fn processes_that_we_start_count_as_ours() {
        let meter = Meter::default();
        let mut child = std::process::Command::new("sleep").arg("60").spawn().expect("there is a program `sleep`");
        meter.measure().expect("the machine can be measured");
        let found = descendants(meter.0.lock().expect("nothing panics here").as_ref().expect("it has measured"));
        assert!(found.contains(&Pid::from_u32(child.id())));
        child.kill().and_then(|()| child.wait()).expect("it can be ended");
    }
}
