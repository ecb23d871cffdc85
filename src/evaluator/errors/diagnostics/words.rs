//! Rewording of the compiler's labels and notes for the user of a notebook.

/// Names of ours that a user has never written, as the user wrote them.
pub(super) fn readable(text: &str) -> String {
    let text = text.replace("lb_mutex", "mutex").replace("evcxr_variable_store", "end of the cell");
    let text = without_places(&text);
    without_slots(&text.replace("loopbook::__private::LocalSlot<", "std::thread::LocalKey<"))
}

/// `{closure@src/lib.rs:33:16: 33:23}`, in labels `{closure@lib.rs:33:16}`, names a line that nobody knows; which
/// closure is meant, a span shows.
fn without_places(text: &str) -> String {
    let text = text.replace("@src/lib.rs:", "@lib.rs:");
    let mut parts = text.split("@lib.rs:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.find('}').map_or(part, |end| &part[end..]))
}

/// A static's type stands in a slot of ours.
fn without_slots(text: &str) -> String {
    const SLOT: &str = "loopbook::__private::Slot<";
    let Some((before, rest)) = text.split_once(SLOT) else { return text.to_owned() };
    let mut open = 1;
    let end = rest.char_indices().find(|(at, c)| {
        match c {
            '<' => open += 1,
            '>' if !rest[..*at].ends_with('-') => open -= 1,
            _ => {}
        }
        open == 0
    });
    let Some((end, _)) = end else { return format!("{before}{}", without_slots(rest)) };
    format!("{before}{}{}", &rest[..end], without_slots(&rest[end + 1..]))
}

/// Notes that are true of the compiled file only, or advise what a notebook does otherwise.
pub(super) fn is_noise(note: &str) -> bool {
    let ours = [
        "on by default",
        "originates in the macro `::loopbook::",
        "`loopbook::__private::",
        "use `cargo add ",
        "you might be missing a crate named",
        "you might be missing a type parameter",
    ];
    ours.iter().any(|text| note.contains(text))
}
