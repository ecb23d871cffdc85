//! What long values look like.

use super::*;
use std::collections::{BTreeMap, HashMap, HashSet, LinkedList, VecDeque};

/// What a value shows as that is known to be a collection.
fn known<C: Debug + Items>(value: &C) -> String {
    debug(value, Some(value))
}

/// What a value shows as of which nothing is known.
fn unknown(value: impl Debug) -> String {
    debug(&value, None)
}

#[derive(Debug)]
#[allow(dead_code)]
struct Measured {
    name: String,
    values: Vec<f64>,
    unit: Option<&'static str>,
}

#[test]
fn what_is_short_is_shown_as_it_is() {
    let thousand: Vec<u32> = (0..1_000).collect();
    for text in [known(&thousand), unknown(&thousand)] {
        assert_eq!(text, format!("{thousand:?}"));
    }
    assert_eq!(quoted("a\"b\n"), r#""a\"b\n""#);
    assert_eq!(shown_text("a\nb"), "a\nb");
    assert_eq!(message("no"), "no");
}

#[test]
fn a_list_shows_its_ends_and_its_length() {
    let many: Vec<u32> = (0..100_000).collect();
    for text in [known(&many), unknown(&many), known(&VecDeque::from(many.clone()))] {
        let (list, note) = text.split_once('\n').expect("a note");
        assert!(list.starts_with("[0, 1, 2, ") && list.ends_with(", 99998, 99999]"), "{list}");
        assert!(list.contains(", 19, … 99,970 more …, 99990, "), "{list}");
        assert_eq!(note, "100,000 items in all; `loopbook::whole(&value)` shows all of it");
    }
    assert_eq!(known(&[7_u64; 9_999].as_slice()).lines().count(), 2);
}

#[test]
fn maps_and_sets_do_too() {
    let map: BTreeMap<u32, String> = (0..100_000).map(|n| (n, format!("value {n}"))).collect();
    for text in [known(&map), unknown(&map)] {
        assert!(text.starts_with("{0: \"value 0\", 1: \"value 1\", "), "{text}");
        assert!(
            text.contains("… 99,970 more …") && text.contains("99999: \"value 99999\"}\n100,000 items in all"),
            "{text}"
        );
    }
    let hashed: HashMap<u32, u32> = (0..100_000).map(|n| (n, n)).collect();
    assert!(known(&hashed).contains("… 99,980 more …}\n100,000 items"), "no end without an order: {}", known(&hashed));
    let set: HashSet<u32> = hashed.into_keys().collect();
    assert!(known(&set).contains("… 99,980 more …}"));
    let list: LinkedList<u32> = (0..100_000).collect();
    assert!(known(&list).ends_with("99999]\n100,000 items in all; `loopbook::whole(&value)` shows all of it"));
}

#[test]
fn long_text_shows_its_ends() {
    let text = "é".repeat(500_000) + &"\"".repeat(500_000);
    let shown = quoted(&text);
    let (quote, note) = shown.split_once('\n').expect("a note");
    assert!(quote.starts_with("\"éé") && quote.ends_with("\\\"\\\"\"") && quote.contains("… 995,000 characters …"));
    assert_eq!(note, "1,000,000 characters in all; `loopbook::whole(&value)` shows all of it");
    let plain = shown_text(&text);
    assert!(plain.starts_with("éé") && plain.ends_with("\"\"") && plain.contains("… 980,000 characters in between: "));
    let lines = shown_text(&"a line\n".repeat(100_000));
    assert_eq!(lines.lines().count(), 1_001);
    assert!(lines.contains("\n… 99,000 lines in between: `loopbook::whole(&value)` shows all of it …\n"));
    assert!(message(&text).chars().count() < 21_000);
}

#[test]
fn nested_values_are_shortened_where_they_are_long() {
    let measured = |length| Measured { name: "x".repeat(length), values: vec![0.5; length], unit: Some("m") };
    let text = unknown(measured(100_000));
    assert!(text.starts_with("Measured { name: \"xxx") && text.contains("xxx\", values: [0.5, 0.5, "), "{text}");
    assert!(text.contains("0.5, … 99,970 more …, 0.5, ") && text.contains("], unit: Some(\"m\") }\n"), "{text}");
    assert!(text.ends_with("characters in all; `loopbook::whole(&value)` shows all of it"), "{text}");
    let text = known(&vec![vec![1_u8; 100_000]; 100]);
    assert!(text.starts_with("[[1, 1, 1, ") && text.contains("1, … 99,970 more …, 1, "), "{text}");
    assert!(text.contains("100 items in all") && text.len() < 10_000, "{text}");
    assert!(unknown(Ok::<_, ()>(vec![0; 100_000])).starts_with("Ok([0, 0, "));
}

#[test]
fn quotes_and_brackets_within_text_are_no_structure() {
    let odd = [('[', "]\",{"), ('\'', "\\"), ('"', "'"), ('\\', "("), ('🦀', "}")];
    let many: Vec<_> = odd.iter().cycle().take(5_000).collect();
    let text = unknown(&many);
    assert!(text.starts_with(r#"[('[', "]\",{"), ('\'', "\\"), ('"', "'"), ('\\', "("), ('🦀', "}"), "#), "{text}");
    assert!(text.contains("… 4,970 more …, ") && text.contains("5,000 items in all"), "{text}");
}

#[test]
fn a_debug_that_writes_what_it_likes_stays_short() {
    struct Odd(&'static str);
    impl Debug for Odd {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            (0..100_000).try_for_each(|_| f.write_str(self.0))
        }
    }
    for piece in ["[", "]", "{ ", "(", ")", "\"", "'", "\\", ",", " ", "a, b", "[1, 2, ", "é", "'\\u{1}'", "x { y: 1, "]
    {
        let text = unknown(Odd(piece));
        assert!(text.chars().count() < 8_000, "{piece}: {} characters", text.chars().count());
        assert!(text.lines().count() <= 2, "{piece}");
    }
}

#[test]
fn a_value_that_never_ends_is_left_early() {
    struct Endless;
    impl Debug for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("[")?;
            (0..).try_for_each(|n| write!(f, "{}, ", n % 2))
        }
    }
    let text = unknown(Endless);
    assert!(text.starts_with("[0, 1, ") && text.contains("… at least "), "{text}");
    assert!(text.contains("\nThis is only the beginning"), "{text}");
    let text = known(&vec![Some(Endless), None]);
    assert!(text.contains("None]\n2 items in all"), "{text}");
}

#[test]
fn a_debug_that_fails_shows_what_it_has_written() {
    struct Fails;
    impl Debug for Fails {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("so far")?;
            Err(fmt::Error)
        }
    }
    assert_eq!(unknown(Fails), "so far");
}
