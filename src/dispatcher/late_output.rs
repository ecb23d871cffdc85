//! Late output: where it goes if its cell is done already.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Environment variable with the name of a [`LateOutput`].
pub const LATE_OUTPUT_ENV: &str = "LOOPBOOK_LATE_OUTPUT";

/// Where output of a cell goes when the cell is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LateOutput {
    /// Under the cell that caused it.
    #[default]
    Own,
    /// Under the cell that runs, or the last one that ran, each line prefixed by the cell that caused it.
    Current,
}

impl std::str::FromStr for LateOutput {
    type Err = UnknownLateOutput;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "own" => Ok(Self::Own),
            "current" => Ok(Self::Current),
            _ => Err(UnknownLateOutput(text.to_owned())),
        }
    }
}

/// A policy that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no place for late output; write `own` (under the cell that caused it) or `current`")]
pub struct UnknownLateOutput(String);

/// The policy of a running kernel; clones switch the same one.
///
/// ```
/// use loopbook_kernel::dispatcher::{LateOutput, LateOutputSwitch};
/// let switch = LateOutputSwitch::new("current".parse().unwrap());
/// switch.clone().set(LateOutput::Own);
/// assert_eq!(switch.get(), LateOutput::Own);
/// ```
#[derive(Debug, Clone, Default)]
pub struct LateOutputSwitch(Arc<AtomicBool>);

impl LateOutputSwitch {
    /// A switch in this position.
    pub fn new(policy: LateOutput) -> Self {
        let switch = Self::default();
        switch.set(policy);
        switch
    }

    /// A switch in the position that [`LATE_OUTPUT_ENV`] names, [`LateOutput::Own`] if it is not set. What is no policy
    /// is logged and ignored.
    pub fn from_env() -> Self {
        let Ok(text) = std::env::var(LATE_OUTPUT_ENV) else { return Self::default() };
        let policy = text.parse().unwrap_or_else(|error: UnknownLateOutput| {
            tracing::warn!("{LATE_OUTPUT_ENV}: {error}");
            LateOutput::default()
        });
        Self::new(policy)
    }

    /// Its position.
    pub fn get(&self) -> LateOutput {
        if self.0.load(Ordering::Relaxed) { LateOutput::Current } else { LateOutput::Own }
    }

    /// Holds for what is printed from now on.
    pub fn set(&self, policy: LateOutput) {
        self.0.store(policy == LateOutput::Current, Ordering::Relaxed);
    }
}
