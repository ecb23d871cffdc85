//! The clock of everything that is counted: the processor's own counter where it is steady, since every poll reads it
//! twice.

use counter::CLOCK;
use std::sync::LazyLock;
use std::time::Duration;

#[cfg(not(miri))]
mod counter {
    use quanta::Clock;
    use std::sync::LazyLock;

    /// Found out once how fast the counter runs, which takes about a millisecond.
    pub(super) static CLOCK: LazyLock<Clock> = LazyLock::new(Clock::new);
}

/// Miri knows no such counter.
#[cfg(miri)]
mod counter {
    use std::sync::LazyLock;
    use std::time::Instant;

    pub(super) static CLOCK: LazyLock<Clock> = LazyLock::new(|| Clock(Instant::now()));

    /// Nanoseconds since it was made.
    pub(super) struct Clock(Instant);

    impl Clock {
        pub(super) fn raw(&self) -> u64 {
            self.0.elapsed().as_nanos() as u64 + 1
        }

        pub(super) fn delta_as_nanos(&self, from: u64, to: u64) -> u64 {
            to - from
        }
    }
}

static BEGAN: LazyLock<Moment> = LazyLock::new(Moment::now);

/// A point in time, in ticks of the counter: it fits into an atomic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(crate) u64);

impl Moment {
    /// This moment.
    #[inline]
    pub(crate) fn now() -> Self {
        Self(CLOCK.raw())
    }

    /// The time from `earlier` to this; zero if that is later.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        ticks(self.0.saturating_sub(earlier.0))
    }

    /// The time from this to now.
    pub(crate) fn elapsed(self) -> Duration {
        Self::now().since(self)
    }
}

/// When the loop began: the moment that all times shown to people count from.
pub(crate) fn began() -> Moment {
    *BEGAN
}

/// A number of ticks as a duration.
pub(crate) fn ticks(ticks: u64) -> Duration {
    Duration::from_nanos(CLOCK.delta_as_nanos(0, ticks))
}

/// About how many ticks a duration has.
pub(crate) fn in_ticks(duration: Duration) -> u64 {
    const SAMPLE: u64 = 1 << 40;
    let per_nanosecond = SAMPLE as f64 / ticks(SAMPLE).as_nanos() as f64;
    (duration.as_nanos() as f64 * per_nanosecond) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn it_runs_as_fast_as_the_systems_clock() {
        let around = Instant::now();
        let ours = Moment::now();
        let within = Instant::now();
        while within.elapsed() < Duration::from_millis(50) {
            std::hint::spin_loop();
        }
        // Whatever keeps this thread between two readings makes no difference to which of them is longer.
        let within = within.elapsed().as_secs_f64();
        let ours = ours.elapsed().as_secs_f64();
        let around = around.elapsed().as_secs_f64();
        assert!(within * 0.9 <= ours && ours <= around * 1.1, "{within} s, {ours} s, {around} s");
    }

    #[test]
    fn what_is_later_is_not_negative() {
        let now = Moment::now();
        assert_eq!(now.since(Moment(now.0 + 5)), Duration::ZERO);
    }
}
