//! A progress bar around an iterator.

use crate::show::display::DisplayHandle;
use crate::support::{bundle, units};
use loopbook_channel::{Escaped, MimeBundle, grouped};
use serde_json::Value;
use std::{
    ops::Range,
    time::{Duration, Instant},
};

/// Goes through an iterator, or through `0..n`, and shows how far it has got, at most five times a second.
///
/// ```
/// let mut sum = 0;
/// for n in loopbook::progress(vec![1, 2, 3]) {
///     sum += n;
/// }
/// for n in loopbook::progress(10) {
///     sum += n;
/// }
/// assert_eq!(sum, 51);
/// ```
pub fn progress<Kind, T: IntoProgress<Kind>>(work: T) -> Progress<T::Steps> {
    let steps = work.into_steps();
    let (least, most) = steps.size_hint();
    let total = most.filter(|&most| most == least);
    let now = Instant::now();
    Progress { steps, total, done: 0, began: now, shown: now, ended: false, handle: None }
}

/// The iterator that [`progress`] gives.
#[derive(Debug)]
pub struct Progress<I> {
    steps: I,
    total: Option<usize>,
    done: usize,
    began: Instant,
    shown: Instant,
    ended: bool,
    handle: Option<DisplayHandle>,
}

impl<I: Iterator> Iterator for Progress<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        const BETWEEN_UPDATES: Duration = Duration::from_millis(200);
        if self.handle.is_none() {
            self.began = Instant::now();
            self.show();
        } else if !self.ended {
            self.done += 1;
            if self.shown.elapsed() >= BETWEEN_UPDATES {
                self.show();
            }
        }
        let step = self.steps.next();
        if step.is_none() && !self.ended {
            self.ended = true;
            self.show();
        }
        step
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.steps.size_hint()
    }
}

impl<I: ExactSizeIterator> ExactSizeIterator for Progress<I> {}

impl<I> Progress<I> {
    fn show(&mut self) {
        self.shown = Instant::now();
        let bundle = bar(self.done, self.total, self.began.elapsed());
        match &self.handle {
            Some(handle) => handle.replace(bundle),
            None => self.handle = Some(DisplayHandle::show(bundle)),
        }
    }
}

impl<I> Drop for Progress<I> {
    fn drop(&mut self) {
        // A loop that was left early shows where.
        if self.handle.is_some() && !self.ended {
            self.show();
        }
    }
}

/// What [`progress`] takes: anything to iterate over, or a number of steps.
///
/// ```
/// assert_eq!(loopbook::progress(3_u8).collect::<Vec<_>>(), [0, 1, 2]);
/// assert_eq!(loopbook::progress("ab".chars()).count(), 2);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither an iterator nor a number of steps",
    label = "progress cannot go through this"
)]
pub trait IntoProgress<Kind> {
    /// The steps.
    type Steps: Iterator;

    /// Makes the iterator.
    fn into_steps(self) -> Self::Steps;
}

/// Says that a type implements [`IntoProgress`] by being something to iterate over.
#[derive(Debug, Clone, Copy)]
pub enum ByIterator {}

/// Says that a type implements [`IntoProgress`] by being a number.
#[derive(Debug, Clone, Copy)]
pub enum ByCount {}

impl<I: IntoIterator> IntoProgress<ByIterator> for I {
    type Steps = I::IntoIter;

    fn into_steps(self) -> I::IntoIter {
        self.into_iter()
    }
}

macro_rules! by_count {
    ($($number:ty),+) => {
        $(impl IntoProgress<ByCount> for $number {
            type Steps = Range<$number>;

            fn into_steps(self) -> Range<$number> {
                0..self
            }
        })+
    };
}
by_count!(u8, i8, u16, i16, u32, i32, u64, i64, usize, isize);

fn bar(done: usize, total: Option<usize>, time: Duration) -> MimeBundle {
    const WIDTH: usize = 30;
    let status = status(done, total, time);
    let (text, value) = match total {
        Some(total) => {
            let part = if total == 0 { 1.0 } else { done as f64 / total as f64 };
            let filled = (part * WIDTH as f64) as usize;
            let (full, empty) = ("█".repeat(filled), "·".repeat(WIDTH - filled));
            (format!("{:3.0} % |{full}{empty}| {status}", part * 100.0), format!(" value=\"{part:.4}\""))
        }
        None => (status.clone(), String::new()),
    };
    let mut bundle = bundle::text(text);
    let html = format!("<progress{value} style=\"width:20em\"></progress> {}", Escaped(&status));
    bundle.insert("text/html".to_owned(), Value::String(html));
    bundle
}

/// Steps done, steps per second, time taken and time left.
fn status(done: usize, total: Option<usize>, time: Duration) -> String {
    let number = |count: usize| grouped(count as u64);
    let mut status = total.map_or_else(|| number(done), |total| format!("{}/{}", number(done), number(total)));
    if done == 0 {
        return status;
    }
    let seconds = time.as_secs_f64().max(1e-6);
    status += &format!(" · {:.1}/s · {}", done as f64 / seconds, units::duration(time));
    if let Some(left) = total.map(|total| total.saturating_sub(done)).filter(|&left| left > 0) {
        let left = Duration::from_secs_f64((seconds * left as f64 / done as f64).min(1e9));
        status += &format!(" · {} left", units::duration(left));
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_says_how_far_how_fast_and_how_long() {
        let bundle = bar(15, Some(60), Duration::from_secs(10));
        assert_eq!(
            bundle["text/plain"],
            " 25 % |███████·······················| 15/60 · 1.5/s · 10.00 s · 30.00 s left"
        );
        assert!(bundle["text/html"].as_str().is_some_and(|html| html.contains("value=\"0.2500\"")));
    }

    #[test]
    fn work_of_unknown_length_is_counted() {
        assert_eq!(bar(4, None, Duration::from_secs(2))["text/plain"], "4 · 2.0/s · 2.00 s");
        assert_eq!(bar(0, Some(0), Duration::ZERO)["text/plain"], format!("100 % |{}| 0/0", "█".repeat(30)));
    }
}
