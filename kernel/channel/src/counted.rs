//! Numbers of things, as people write them: `1 task`, `2 tasks`, `1,000,000 items`.

/// The number and what is counted, which adds an `s` if it is not one.
///
/// ```
/// use loopbook_channel::counted;
/// assert_eq!((counted(1, "task"), counted(2_000, "task")), ("1 task".into(), "2,000 tasks".into()));
/// ```
pub fn counted(count: usize, one: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {one}{plural}", grouped(count as u64))
}

/// A number with commas between groups of three digits.
///
/// ```
/// assert_eq!(loopbook_channel::grouped(1_234_567), "1,234,567");
/// ```
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{counted, grouped};

    #[test]
    fn one_is_singular_and_long_numbers_have_commas() {
        assert_eq!([0, 1, 2].map(|n| counted(n, "task")), ["0 tasks", "1 task", "2 tasks"]);
        assert_eq!(counted(1_234_567, "item"), "1,234,567 items");
        assert_eq!([0, 12, 999, 1_000, 10_000, 100_000].map(grouped), ["0", "12", "999", "1,000", "10,000", "100,000"]);
    }
}
