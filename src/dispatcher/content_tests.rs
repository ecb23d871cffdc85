//! What is a block, and what only looks like one.

use super::*;

fn text(text: &str) -> Piece {
    Piece::Text(text.to_owned())
}

fn show(bundle: &[(&str, &str)]) -> Piece {
    Piece::Show(bundle.iter().map(|(mime, body)| ((*mime).to_owned(), (*body).into())).collect())
}

/// All pieces, adjacent text joined, of text that comes in pieces of `size` bytes.
fn scan(input: &str, size: usize) -> Vec<Piece> {
    let mut scanner = Scanner::default();
    let mut pieces: Vec<Piece> = Vec::new();
    let mut chunks = Vec::new();
    let mut rest = input;
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(rest.ceil_char_boundary(size));
        chunks.push(chunk);
        rest = after;
    }
    for found in chunks.into_iter().flat_map(|chunk| scanner.push(chunk)).collect::<Vec<_>>() {
        add(&mut pieces, found);
    }
    for found in scanner.release() {
        add(&mut pieces, found);
    }
    pieces
}

fn add(pieces: &mut Vec<Piece>, piece: Piece) {
    match (pieces.last_mut(), piece) {
        (Some(Piece::Text(last)), Piece::Text(more)) => last.push_str(&more),
        (_, piece) => pieces.push(piece),
    }
}

#[test]
fn a_block_is_shown_and_the_text_around_it_stays() {
    let input = "a\nEVCXR_BEGIN_CONTENT text/html\n<b>é</b>\n<i>\nEVCXR_END_CONTENT\nz";
    for size in 1..=input.len() {
        assert_eq!(scan(input, size), [text("a\n"), show(&[("text/html", "<b>é</b>\n<i>")]), text("z")], "size {size}");
    }
}

#[test]
fn adjacent_blocks_are_one_thing_in_several_forms() {
    let block = |mime: &str, body: &str| format!("EVCXR_BEGIN_CONTENT {mime}\n{body}\nEVCXR_END_CONTENT\n");
    let input =
        block("text/html", "1") + &block("text/plain", "2") + &block("text/html", "3") + "\n" + &block("a/b", "");
    for size in [1, 7, 1000] {
        assert_eq!(
            scan(&input, size),
            [
                show(&[("text/html", "1"), ("text/plain", "2")]),
                show(&[("text/html", "3")]),
                text("\n"),
                show(&[("a/b", "")])
            ]
        );
    }
}

#[test]
fn an_empty_block_needs_no_line_of_its_own() {
    assert_eq!(scan("EVCXR_BEGIN_CONTENT text/plain\nEVCXR_END_CONTENT\n", 5), [show(&[("text/plain", "")])]);
}

#[test]
fn json_travels_as_json() {
    let pieces = scan("EVCXR_BEGIN_CONTENT application/geo+json\n{\"a\":[1]}\nEVCXR_END_CONTENT\n", 9);
    let bundle = MimeBundle::from([("application/geo+json".to_owned(), serde_json::json!({"a": [1]}))]);
    assert_eq!(pieces, [Piece::Show(bundle)]);
}

#[test]
fn what_only_looks_like_a_marker_is_text() {
    for input in [
        "EVCXR_EXECUTION_COMPLETE\nEVCXR_PANIC_NOTIFICATION\nEVCXR_INPUT_REQUEST:x\n",
        "xEVCXR_BEGIN_CONTENT text/plain\n1\nEVCXR_END_CONTENT\n",
        "EVCXR_BEGIN_CONTENT nonsense\n1\nEVCXR_END_CONTENT\n",
        "EVCXR_BEGIN_CONTENT text/plain\n1\nEVCXR_END_CONTENT",
        "EVCXR_BEGIN_CONTENT text/plain\n",
        "EVCXR_BEGIN_CONTENT text/plain",
        "EVCXR_BEGIN_CONTENT \n\nEVCXR_END_CONTENT\n",
        "EVCXR_END_CONTENT\n",
        "\nEVCXR_BEGIN\nE",
        "E",
    ] {
        for size in [1, 3, 1000] {
            assert_eq!(scan(input, size), [text(input)]);
        }
    }
    let endless = BEGIN.to_owned() + &"x".repeat(1000) + "\nEVCXR_END_CONTENT\n";
    assert_eq!(scan(&endless, 100), [text(&endless)]);
}

#[test]
fn a_possible_marker_waits_briefly_but_a_block_waits_for_its_end() {
    let mut scanner = Scanner::default();
    assert_eq!(scanner.push("EVC"), []);
    assert!(scanner.holds_briefly());
    assert_eq!(scanner.release_brief(), [text("EVC")]);
    assert_eq!(scanner.push("XR_BEGIN_CONTENT a/b\n1\n"), [text("XR_BEGIN_CONTENT a/b\n1\n")]);
    assert_eq!(scanner.push("EVCXR_BEGIN_CONTENT a/b\n1"), []);
    assert!(scanner.holds() && !scanner.holds_briefly());
    assert_eq!(scanner.release_brief(), []);
    assert_eq!(scanner.push("\nEVCXR_END_CONTENT\n"), []);
    assert_eq!(scanner.release_brief(), [show(&[("a/b", "1")])]);
}

#[test]
fn a_block_that_never_ends_costs_linear_time() {
    let mut scanner = Scanner::default();
    scanner.push("EVCXR_BEGIN_CONTENT text/plain\n");
    let lines = 200_000;
    for _ in 0..lines {
        assert_eq!(scanner.push("a line\n"), []);
    }
    let pieces = scanner.release();
    assert!(matches!(&pieces[..], [Piece::Text(text)] if text.len() > lines * 7), "not all came back");
}
