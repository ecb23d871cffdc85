//! Predictions: how long a cell will take, said before, and compared when it has ended.

use crate::inspect::loop_stats::seconds;
use crate::running::{cell, interrupts};
use crate::support::{bundle, sync::lock, units};
use crate::tasks::{context, outbox};
use loopbook_channel::{CellId, DisplayKind, Escaped, ToKernel};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// So many predictions are remembered.
const REMEMBERED: usize = 1_000;
/// A prediction this near is a good one: as a ratio of the longer time to the shorter.
const NEAR: f64 = 1.2;

/// What takes less than this takes no time, for people.
const HARDLY: Duration = Duration::from_millis(1);

static OPEN: Mutex<Vec<Open>> = Mutex::new(Vec::new());
static SETTLED: Mutex<VecDeque<Prediction>> = Mutex::new(VecDeque::new());

/// Says how many seconds the rest of the cell will take. When the cell has ended, what it took is shown beside it.
///
/// It takes a number or a `Duration`. Put it into the first line of the cell, and say what you think: a wrong prediction
/// teaches more than a right one. [`predictions`](crate::predictions) has all of them.
///
/// ```
/// use loopbook::predict;
/// predict!(0.5);
/// std::thread::sleep(std::time::Duration::from_millis(10));
/// ```
///
/// # Panics
/// If the number is negative or no number.
#[macro_export]
macro_rules! predict {
    ($seconds:expr $(,)?) => {
        $crate::__private::predict($seconds)
    };
}

/// How long a cell was predicted to take, and how long it took; see [`predict!`](crate::predict!). Durations are
/// seconds in JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Prediction {
    /// Number of the cell.
    pub cell: Option<u32>,
    /// What was said.
    #[serde(serialize_with = "seconds")]
    pub said: Duration,
    /// What it took, from the prediction to the end of the cell.
    #[serde(serialize_with = "seconds")]
    pub took: Duration,
    /// Whether the cell ended well. One that fails or is interrupted says little about time.
    pub ended_well: bool,
}

/// The predictions of all cells that have ended, in that order; the latest 1,000.
///
/// ```
/// for prediction in loopbook::predictions() {
///     println!("said {:?}, took {:?}", prediction.said, prediction.took);
/// }
/// ```
pub fn predictions() -> Vec<Prediction> {
    lock(&SETTLED).iter().cloned().collect()
}

/// A prediction whose cell runs.
struct Open {
    of: CellId,
    cell: Option<u32>,
    said: Duration,
    since: Instant,
}

/// What [`predict!`](crate::predict!) takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Guess(f64);

impl From<f64> for Guess {
    fn from(seconds: f64) -> Self {
        Self(seconds)
    }
}

impl From<i32> for Guess {
    fn from(seconds: i32) -> Self {
        Self(seconds.into())
    }
}

impl From<Duration> for Guess {
    fn from(time: Duration) -> Self {
        Self(time.as_secs_f64())
    }
}

/// See [`predict!`](crate::predict!).
#[track_caller]
pub fn predict(guess: impl Into<Guess>) {
    let Guess(seconds) = guess.into();
    let Ok(said) = Duration::try_from_secs_f64(seconds) else {
        panic!("`predict!({seconds})`: a prediction is a number of seconds, from 0 up");
    };
    let of = context::current_cell();
    if !interrupts::is_running(of) {
        // A task that has outlived its cell, or no cell at all: there is no end to compare with.
        return;
    }
    let (here, number) = cell::here();
    let cell = if here == of { number } else { context::current().and_then(|record| record.number) };
    lock(&OPEN).push(Open { of, cell, said, since: Instant::now() });
}

/// A cell has ended: shows what it took, if that was predicted. What the cell has printed must be out already.
pub(crate) fn settle(cell: CellId, ended_well: bool) {
    let open: Vec<Open> = lock(&OPEN).extract_if(.., |open| open.of == cell).collect();
    for open in open {
        let prediction = Prediction { cell: open.cell, said: open.said, took: open.since.elapsed(), ended_well };
        let data = prediction.bundle();
        let metadata = Map::new();
        outbox::send(&ToKernel::Display { cell, kind: DisplayKind::Display, data, metadata, display_id: None });
        let mut settled = lock(&SETTLED);
        if settled.len() == REMEMBERED {
            settled.pop_front();
        }
        settled.push_back(prediction);
    }
}

impl Prediction {
    /// What it took as a multiple of what was said: 3.0 if it took three times as long.
    ///
    /// ```
    /// let ratios: Vec<f64> = loopbook::predictions().iter().map(|prediction| prediction.ratio()).collect();
    /// # assert!(ratios.is_empty());
    /// ```
    pub fn ratio(&self) -> f64 {
        let of = |time: Duration| time.max(HARDLY).as_secs_f64();
        of(self.took) / of(self.said)
    }

    fn sentence(&self) -> String {
        let (said, took) = (time(self.said), time(self.took));
        if !self.ended_well {
            return format!("You said {said}. The cell was ended after {took}, so there is nothing to compare.");
        }
        let ratio = self.ratio();
        let compared = if self.took < HARDLY && self.said >= 10 * HARDLY {
            "next to nothing. Was there anything to wait for?".to_owned()
        } else if (1.0 / NEAR..=NEAR).contains(&ratio) {
            "well predicted.".to_owned()
        } else if ratio > 1.0 {
            format!("{} times as long. What was waited for, one after the other?", times(ratio))
        } else {
            format!("{} times as fast. What went on at the same time?", times(1.0 / ratio))
        };
        format!("You said {said}, it took {took}: {compared}")
    }

    fn bundle(&self) -> loopbook_channel::MimeBundle {
        let sentence = self.sentence();
        let longest = self.said.max(self.took).as_secs_f64().max(1e-9);
        let bar = |name: &str, of: Duration, color: &str| {
            format!(
                "<tr><td style=\"text-align:left;white-space:nowrap\">{name}</td><td style=\"text-align:left;width:100%\">\
                 <div style=\"width:{:.1}%;min-width:1px;height:10px;background:{color}\"></div></td><td style=\"white-space:nowrap\">{}</td></tr>",
                100.0 * of.as_secs_f64() / longest,
                time(of)
            )
        };
        let html = format!(
            "<div>{}</div><table style=\"border-collapse:collapse;font-size:90%;width:100%;max-width:420px;table-layout:auto\">{}{}</table>",
            Escaped(&sentence),
            bar("you said", self.said, "#808080"),
            bar("it took", self.took, "#2f7ed8")
        );
        let mut bundle = bundle::text(sentence);
        bundle.insert("text/html".to_owned(), Value::String(html));
        bundle
    }
}

/// Seconds with one digit behind the point, or a smaller unit.
fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if (0.095..60.0).contains(&seconds) { format!("{seconds:.1} s") } else { units::duration(time) }
}

fn times(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.1}") } else { format!("{ratio:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(said: u64, took: u64) -> String {
        let (said, took) = (Duration::from_millis(said), Duration::from_millis(took));
        Prediction { cell: Some(3), said, took, ended_well: true }.sentence()
    }

    #[test]
    fn what_is_said_of_a_prediction_is_kind_and_exact() {
        assert!(sentence(2_000, 6_010).starts_with("You said 2.0 s, it took 6.0 s: 3.0 times as long."));
        assert!(sentence(6_000, 2_010).starts_with("You said 6.0 s, it took 2.0 s: 3.0 times as fast."));
        assert_eq!(sentence(2_000, 2_150), "You said 2.0 s, it took 2.1 s: well predicted.");
        assert!(sentence(60, 4).starts_with("You said 60.0 ms, it took 4.0 ms: 15 times as fast."));
        assert!(sentence(1_000, 0).starts_with("You said 1.0 s, it took 0 µs: next to nothing."));
        assert_eq!(sentence(0, 0), "You said 0 µs, it took 0 µs: well predicted.");
    }

    #[test]
    fn a_prediction_is_settled_when_its_cell_ends() {
        // As the cell of a subshell, so that no other test sees it.
        let cell = 9_001;
        lock(&OPEN).push(Open { of: cell, cell: Some(7), said: Duration::from_secs(2), since: Instant::now() });
        settle(cell + 1, true);
        assert!(!predictions().iter().any(|prediction| prediction.cell == Some(7)));
        settle(cell, false);
        let settled = predictions().into_iter().find(|prediction| prediction.cell == Some(7)).expect("settled");
        assert!(!settled.ended_well && settled.sentence().starts_with("You said 2.0 s. The cell was ended after"));
        assert!(settled.bundle()["text/html"].as_str().is_some_and(|html| html.contains("it took")));
        settle(cell, true);
        assert_eq!(predictions().iter().filter(|prediction| prediction.cell == Some(7)).count(), 1);
    }

    #[test]
    fn numbers_and_durations_are_predictions() {
        assert_eq!([Guess::from(2), Guess::from(2.0), Guess::from(Duration::from_secs(2))], [Guess(2.0); 3]);
        // Outside of a cell there is nothing to compare with.
        predict(2);
        crate::predict!(0.5);
        assert!(std::panic::catch_unwind(|| predict(-1)).is_err());
    }
}
