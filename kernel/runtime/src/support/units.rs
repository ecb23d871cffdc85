//! Quantities with units.

use std::time::Duration;

/// A duration with the unit that suits it: `12 µs`, `1.5 ms`, `2.00 s`, `3 min 5 s`, `2 h 1 min`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds >= 3600 {
        return format!("{} h {} min", seconds / 3600, seconds % 3600 / 60);
    }
    if seconds >= 60 {
        return format!("{} min {} s", seconds / 60, seconds % 60);
    }
    let micros = duration.as_nanos() as f64 / 1e3;
    // The limits are where the rounded number would read 1000.
    if micros < 999.5 {
        format!("{micros:.0} µs")
    } else if micros < 999_950.0 {
        format!("{:.1} ms", micros / 1e3)
    } else {
        format!("{:.2} s", micros / 1e6)
    }
}

/// The same of a number of seconds, which is never negative.
pub(crate) fn seconds(seconds: f64) -> String {
    duration(Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX))
}

#[cfg(test)]
mod tests {
    use super::duration;
    use std::time::Duration;

    #[test]
    fn each_size_has_its_unit() {
        let of = |nanos| duration(Duration::from_nanos(nanos));
        assert_eq!(of(0), "0 µs");
        assert_eq!(of(12_400), "12 µs");
        assert_eq!(of(999_600), "1.0 ms");
        assert_eq!(of(1_540_000), "1.5 ms");
        assert_eq!(of(999_960_000), "1.00 s");
        assert_eq!(of(185_000_000_000), "3 min 5 s");
        assert_eq!(of(7_290_000_000_000), "2 h 1 min");
    }
}
