//! The signs for what a task waits for: line drawings in a square of eight by eight, as paths of SVG.

/// The path for a wait as [`super::Span::waits`] calls it; `None` for what has no sign.
pub(super) fn of(waits: &str) -> Option<&'static str> {
    let path = match waits.split([' ', ',']).next()? {
        // A clock.
        "sleep" | "timeout" => "M4 .5a3.5 3.5 0 1 0 .01 0M4 2v2l1.5 1",
        // Two rings, linked.
        "task" => "M.5 4a2 2 0 1 0 4 0a2 2 0 1 0-4 0M3.5 4a2 2 0 1 0 4 0a2 2 0 1 0-4 0",
        // A padlock.
        "lock" => "M1.5 3.5h5v4h-5zM2.5 3.5V2a1.5 1.5 0 0 1 3 0v1.5",
        // An arrow into a box, and one out of it.
        "send" => "M4.5 1h3v6h-3M0 4h5M3.5 2.5L5 4L3.5 5.5",
        "receive" => "M3.5 1h-3v6h3M3 4h5M6.5 2.5L8 4L6.5 5.5",
        // A bell.
        "condvar" => "M.5 6.5h7M1.5 6.5v-2a2.5 2.5 0 0 1 5 0v2M4 2V.5",
        // An arrow in front of a bar.
        "barrier" => "M7 .5v7M0 4h5M3.5 2.5L5 4L3.5 5.5",
        _ => return None,
    };
    Some(path)
}

/// What the signs mean.
pub(super) const LEGEND: &str = "Signs on waits: a clock for a timer, a padlock for a lock, an arrow into or out of a box for a channel, linked rings \
     for a task.";

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn every_sort_of_wait_has_its_sign() {
        let waits = ["sleep", "task 7", "lock #5", "send #3", "receive #3", "condvar #1", "barrier #2"];
        let signs: std::collections::HashSet<_> = waits.iter().map(|waits| of(waits).expect("a sign")).collect();
        assert_eq!(signs.len(), waits.len());
        assert_eq!(of("timeout"), of("sleep"));
        assert_eq!(of("something else"), None);
    }
}
