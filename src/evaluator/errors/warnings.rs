//! The warnings of a cell that compiled, for whichever thread has compiled it.

use super::colours;
use super::diagnostics::{Diagnostic, Sources};
use loopbook_channel::MimeBundle;

/// What is shown below the cell with this number of what rustc has said; `None` if nothing is.
pub fn of(cell: u32, said: &[serde_json::Value], sources: &Sources) -> Option<MimeBundle> {
    let not_stored = sources.get(cell).map(|source| source.not_stored.clone()).unwrap_or_default();
    let texts: Vec<String> = said
        .iter()
        .filter_map(Diagnostic::from_json)
        .filter(|diagnostic| diagnostic.level == "warning" && !is_told_by_the_note(diagnostic, &not_stored))
        .filter(|diagnostic| diagnostic.place(sources).is_some_and(|(number, _, _)| number == cell))
        .map(|diagnostic| diagnostic.render(sources, &[]))
        .collect();
    (!texts.is_empty()).then(|| colours::bundle(&texts.join("\n\n")))
}

/// Nobody writes `let f = …` at the end of a cell to have it unused: that it is not kept is what there is to say.
fn is_told_by_the_note(diagnostic: &Diagnostic, not_stored: &[String]) -> bool {
    let name = diagnostic.message.strip_prefix("unused variable: `").and_then(|rest| rest.strip_suffix('`'));
    name.is_some_and(|name| not_stored.iter().any(|not_stored| not_stored == name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluator::cell::{Notebook, prepare};
    use crate::evaluator::errors::diagnostics::Source;
    use serde_json::json;
    use std::sync::Arc;

    fn shown(message: &str, not_stored: &[&str]) -> bool {
        let prepared = prepare(1, "let f = 1;", &Notebook::default()).expect("a good cell");
        let line = prepared.rust.clone();
        let not_stored = not_stored.iter().map(|name| (*name).to_owned()).collect();
        let source = Source { number: 1, code: "let f = 1;".into(), map: Some(prepared.map), not_stored };
        let sources = Sources::default();
        sources.insert(Arc::new(source));
        let column = line.find("f = 1").expect("it is there") + 1;
        let span = json!({
            "line_start": 1, "line_end": 1, "column_start": column, "column_end": column + 1, "is_primary": true,
            "label": null, "text": [{ "text": line }], "suggested_replacement": null, "expansion": null,
        });
        let said = json!({ "message": message, "level": "warning", "code": null, "spans": [span], "children": [] });
        of(1, &[said], &sources).is_some()
    }

    #[test]
    fn what_is_not_kept_is_not_called_unused_as_well() {
        assert!(shown("unused variable: `f`", &[]) && shown("unused variable: `f`", &["g"]));
        assert!(!shown("unused variable: `f`", &["g", "f"]));
        assert!(shown("variable does not need to be mutable", &["f"]));
    }
}
