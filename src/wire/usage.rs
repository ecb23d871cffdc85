//! What the kernel costs, in the words of ipykernel's `usage_reply`, which front ends show.

use super::{Okay, content, execute::OK};
use serde::Serialize;

/// `usage_reply`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UsageReply {
    status: Okay,
    #[serde(flatten)]
    usage: Usage,
}

impl UsageReply {
    /// A reply with these figures.
    pub fn new(usage: Usage) -> Self {
        Self { status: OK, usage }
    }
}

/// The kernel and the machine, at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Usage {
    /// Name of the machine.
    pub hostname: String,
    /// Process id of the kernel.
    pub pid: u32,
    /// Processor time of the kernel and all processes that it started since the last request, in percent of one processor.
    pub kernel_cpu: f32,
    /// Their memory, in bytes.
    pub kernel_memory: u64,
    /// How busy all processors are, in percent.
    pub host_cpu_percent: f32,
    /// How many processors there are.
    pub cpu_count: usize,
    /// The machine's memory.
    pub host_virtual_memory: HostMemory,
}

/// The machine's memory, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct HostMemory {
    /// All that there is.
    pub total: u64,
    /// What can be had without swapping.
    pub available: u64,
    /// What is taken.
    pub used: u64,
    /// What nothing uses.
    pub free: u64,
    /// What cannot be had, in percent of all.
    pub percent: f64,
}

content! { UsageReply => "usage_reply" }
