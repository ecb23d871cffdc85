//! The signs for what a task waits for: drawings of a few lines in a square of eight by eight.

use super::{Lane, Timeline};

/// A point in the square.
type Point = (f64, f64);

const CLOCK: &[&[Point]] = &[
    &[(4.0, 0.5), (6.5, 1.5), (7.5, 4.0), (6.5, 6.5), (4.0, 7.5), (1.5, 6.5), (0.5, 4.0), (1.5, 1.5), (4.0, 0.5)],
    HANDS,
];
const HANDS: &[Point] = &[(4.0, 2.0), (4.0, 4.0), (5.5, 5.0)];
const LINK: &[&[Point]] = &[
    &[(0.5, 4.0), (2.5, 2.0), (4.5, 4.0), (2.5, 6.0), (0.5, 4.0)],
    &[(3.5, 4.0), (5.5, 2.0), (7.5, 4.0), (5.5, 6.0), (3.5, 4.0)],
];
const PADLOCK: &[&[Point]] = &[
    &[(1.5, 3.5), (6.5, 3.5), (6.5, 7.5), (1.5, 7.5), (1.5, 3.5)],
    &[(2.5, 3.5), (2.5, 1.5), (3.5, 0.5), (4.5, 0.5), (5.5, 1.5), (5.5, 3.5)],
];
const ARROW: &[Point] = &[(0.0, 4.0), (5.0, 4.0), (3.5, 2.5), (5.0, 4.0), (3.5, 5.5)];
const INTO_A_BOX: &[&[Point]] = &[ARROW, &[(4.5, 1.0), (7.5, 1.0), (7.5, 7.0), (4.5, 7.0)]];
const OUT_OF_A_BOX: &[&[Point]] =
    &[&[(3.0, 4.0), (8.0, 4.0), (6.5, 2.5), (8.0, 4.0), (6.5, 5.5)], &[(3.5, 1.0), (0.5, 1.0), (0.5, 7.0), (3.5, 7.0)]];
const BELL: &[&[Point]] = &[
    &[(0.5, 6.5), (7.5, 6.5)],
    &[(1.5, 6.5), (1.5, 3.5), (3.0, 2.0), (5.0, 2.0), (6.5, 3.5), (6.5, 6.5)],
    &[(4.0, 2.0), (4.0, 0.5)],
];
const BAR: &[&[Point]] = &[ARROW, &[(7.0, 0.5), (7.0, 7.5)]];

/// What the signs mean.
const LEGEND: &str = " Signs on waits: a clock for a timer, a padlock for a lock, an arrow into or out of a box for a channel, \
     linked rings for a task.";

/// The lines of the sign for a wait as [`super::Span::waits`] calls it; none for what has no sign.
pub(super) fn of(waits: &str) -> impl Iterator<Item = [Point; 2]> {
    let strokes = match waits.split([' ', ',']).next() {
        Some("sleep" | "timeout") => CLOCK,
        Some("task") => LINK,
        Some("lock") => PADLOCK,
        Some("send") => INTO_A_BOX,
        Some("receive") => OUT_OF_A_BOX,
        Some("condvar") => BELL,
        Some("barrier") => BAR,
        _ => &[],
    };
    strokes.iter().flat_map(|stroke| stroke.windows(2)).map(|line| [line[0], line[1]])
}

/// The sentence about the signs, if there are any.
pub(super) fn legend(timeline: &Timeline) -> &'static str {
    let waits =
        |lane: &Lane| lane.spans.iter().filter_map(|span| span.waits.as_deref()).any(|waits| of(waits).count() > 0);
    if timeline.lanes.iter().any(waits) { LEGEND } else { "" }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn every_sort_of_wait_has_its_sign() {
        let sign = |waits| format!("{:?}", of(waits).collect::<Vec<_>>());
        let waits = ["sleep", "task 7", "lock #5", "send #3", "receive #3", "condvar #1", "barrier #2", "another"];
        let signs: std::collections::HashSet<_> = waits.iter().map(|waits| sign(waits)).collect();
        assert_eq!(signs.len(), waits.len());
        assert_eq!(sign("timeout"), sign("sleep"));
        assert_eq!(sign("another"), "[]");
    }
}
