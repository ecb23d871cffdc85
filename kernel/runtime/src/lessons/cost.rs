//! `cost`: wall-clock time and processor time of a future or a closure.

use crate::inspect::loop_stats::seconds;
use crate::lessons::lab;
use crate::support::{bundle, units};
use crate::tasks::outbox;
use loopbook_channel::{DisplayKind, Escaped, MimeBundle};
use serde::Serialize;
use serde_json::Value;
use std::fmt;
use std::fs;
use std::time::{Duration, Instant};

/// Processor time as a part of wall-clock time: below the first a thing waits, above the second it computes.
const WAITS: f64 = 0.2;
const COMPUTES: f64 = 0.7;
/// The same part, from which on more than one thread computes.
const MANY: f64 = 1.3;
/// A delay is told if it is more than this part of the wall-clock time.
const TOLD: f64 = 0.1;

/// What something gave, and what it took; see [`cost`]. Shows as a sentence with a bar. Durations are seconds in JSON.
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Cost<T> {
    /// What it gave.
    pub output: T,
    /// Time by the clock on the wall.
    #[serde(serialize_with = "seconds")]
    pub wall: Duration,
    /// Processor time, of all threads of the process.
    #[serde(serialize_with = "seconds")]
    pub cpu: Duration,
    /// How long threads of the process were ready to run, and no processor was free: the machine was busy otherwise.
    #[serde(serialize_with = "seconds")]
    pub delayed: Duration,
}

/// Awaits a future and tells what it took: time by the clock on the wall, and processor time.
///
/// The processor time is that of the whole process, so that what a future has done by other threads is counted; so is what
/// other tasks do meanwhile. Measure in a cell that does nothing else.
///
/// ```
/// use std::time::Duration;
/// # use loopbook::facade as async_std;
/// # async_std::task::block_on(async {
/// let waited = loopbook::cost(loopbook::lab::get(Duration::from_millis(50))).await;
/// assert!(waited.wall >= Duration::from_millis(50));
/// println!("{waited}"); // 51.2 ms wall, 0.4 ms CPU: waiting (I/O-bound)
/// assert_eq!(waited.output?.status, 200);
/// # Ok::<(), std::io::Error>(()) }).unwrap();
/// ```
pub async fn cost<F: Future>(future: F) -> Cost<F::Output> {
    let meter = Meter::start();
    let output = future.await;
    meter.stop(output)
}

/// As [`cost`], for code that is no future.
///
/// ```
/// let computed = loopbook::cost_of(|| loopbook::lab::fib(20));
/// assert_eq!(computed.output, 4181);
/// assert!(loopbook::json(&computed).contains("\"cpu\":"));
/// ```
pub fn cost_of<T>(code: impl FnOnce() -> T) -> Cost<T> {
    let meter = Meter::start();
    let output = code();
    meter.stop(output)
}

struct Meter {
    wall: Instant,
    cpu: Duration,
    delayed: Duration,
}

impl Meter {
    fn start() -> Self {
        Self { delayed: delayed(), cpu: lab::process_time(), wall: Instant::now() }
    }

    fn stop<T>(self, output: T) -> Cost<T> {
        let wall = self.wall.elapsed();
        let cpu = lab::process_time().saturating_sub(self.cpu);
        Cost { output, wall, cpu, delayed: delayed().saturating_sub(self.delayed) }
    }
}

/// How long the threads that live have been ready to run without running, all together.
fn delayed() -> Duration {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let nanoseconds = threads.filter_map(|thread| {
        // Time on a processor, time waiting for one, and how often: on systems that count it.
        let counted = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        counted.split_whitespace().nth(1)?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanoseconds.sum())
}

impl<T> Cost<T> {
    /// Processor time as a part of the time by the wall: near 0 for what waits, 1 for what computes on one thread, 2 on
    /// two.
    ///
    /// ```
    /// let computed = loopbook::cost_of(|| loopbook::lab::spin(std::time::Duration::from_millis(20)));
    /// assert!(computed.cpu_share() > 0.0);
    /// ```
    pub fn cpu_share(&self) -> f64 {
        self.cpu.as_secs_f64() / self.wall.as_secs_f64().max(1e-9)
    }

    /// What kept it from being done sooner, in words: `waiting (I/O-bound)`, `computing (CPU-bound)` or in between.
    ///
    /// ```
    /// let slept = loopbook::cost_of(|| std::thread::sleep(std::time::Duration::from_millis(50)));
    /// assert_eq!(slept.verdict(), "waiting (I/O-bound)");
    /// ```
    pub fn verdict(&self) -> &'static str {
        // A thread that only waits for a processor is not waiting for anything that it asked for.
        let wall = self.wall.saturating_sub(self.delayed).max(self.cpu.min(self.wall));
        match self.cpu.as_secs_f64() / wall.as_secs_f64().max(1e-9) {
            share if share < WAITS => "waiting (I/O-bound)",
            share if share < COMPUTES => "partly waiting, partly computing",
            share if share < MANY => "computing (CPU-bound)",
            _ => "computing on several threads (CPU-bound)",
        }
    }

    /// Shows it as the value of a cell.
    #[doc(hidden)]
    pub fn evcxr_display(&self) {
        outbox::display(DisplayKind::Result, self.bundle(), None);
    }

    fn bundle(&self) -> MimeBundle {
        let sentence = self.to_string();
        let html = format!(
            "<div>{}</div><div style=\"width:100%;max-width:300px;height:8px;border:1px solid rgba(128,128,128,.5)\">\
             <div style=\"width:{:.0}%;height:8px;background:#c77f00\"></div></div>\
             <div style=\"font-size:90%;opacity:.8\">filled: processor time, empty: waiting</div>",
            Escaped(&sentence),
            100.0 * self.cpu_share().min(1.0),
        );
        let mut bundle = bundle::text(sentence);
        bundle.insert("text/html".to_owned(), Value::String(html));
        bundle
    }
}

impl<T> fmt::Display for Cost<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} wall, {} CPU", units::duration(self.wall), units::duration(self.cpu))?;
        if self.delayed.as_secs_f64() > TOLD * self.wall.as_secs_f64() {
            write!(f, ", {} without a free processor", units::duration(self.delayed))?;
        }
        write!(f, ": {}", self.verdict())
    }
}

impl<T: fmt::Debug> fmt::Debug for Cost<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}; gave {:?}", self.output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(wall: u64, cpu: u64) -> Cost<&'static str> {
        let (wall, cpu) = (Duration::from_millis(wall), Duration::from_millis(cpu));
        Cost { output: "Data 1", wall, cpu, delayed: Duration::ZERO }
    }

    #[test]
    fn a_cost_says_what_it_was() {
        assert_eq!(of(1000, 2).to_string(), "1.00 s wall, 2.0 ms CPU: waiting (I/O-bound)");
        assert_eq!(of(400, 398).verdict(), "computing (CPU-bound)");
        assert_eq!(of(400, 790).verdict(), "computing on several threads (CPU-bound)");
        assert_eq!(of(400, 200).verdict(), "partly waiting, partly computing");
        assert!(format!("{:?}", of(1, 1)).ends_with("; gave \"Data 1\""));
        assert_eq!(crate::json(&of(1500, 500)), r#"{"output":"Data 1","wall":1.5,"cpu":0.5,"delayed":0.0}"#);
        let delayed = Cost { delayed: Duration::from_millis(300), ..of(610, 305) };
        assert_eq!(
            delayed.to_string(),
            "610.0 ms wall, 305.0 ms CPU, 300.0 ms without a free processor: computing (CPU-bound)"
        );
        assert!(
            of(1000, 500).bundle()["text/html"].as_str().is_some_and(|html| html.contains("<div style=\"width:50%;"))
        );
    }
}
