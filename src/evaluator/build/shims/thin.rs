//! evcxr's generated code around a cell, by one call of the runtime each.
//!
//! evcxr writes into every cell a module with its store of variables, the making of a runtime, and a `catch_unwind`: nearly a
//! thousand functions that rustc compiles anew each time, for `1 + 1`. The runtime has them compiled
//! (`kernel/runtime/src/process/variables.rs`, `executor/cell_body.rs` there), and is called by as many lines as evcxr wrote.

/// Begins the module with the store.
const MODULE: &str = "\nmod evcxr_internal_runtime {\n";
/// Stands in its place: behind all items of the notebook.
pub const STORE: &str = "\nuse ::loopbook::__private::variables as evcxr_internal_runtime;";
/// Follows it: the cell's function, its name left out.
const FUNCTION: &str = "\n#[unsafe(no_mangle)]\npub extern \"C\" fn run_user_code_";
/// Says that the function uses the store.
const PARAMETER: &str = "\nmut evcxr_variable_store: *mut evcxr_internal_runtime::VariableStore)\n";
/// Makes the runtime.
const RUNTIME: &str = "evcxr_variable_store.lazy_arc(\"evcxr_tokio_runtime\"";
/// Stand around that: where it begins without and with `catch_unwind`, and where the cell begins.
const START: &str = "\nlet mut mutex";
const CATCH: &str = "\nmatch std::panic::catch_unwind(\n  std::panic::AssertUnwindSafe(||{";
const BODY: &str = ".block_on(async {\n";
/// Stand behind the cell: the end of its body, without and with evcxr's own `?`, and of `catch_unwind`.
const END: &str = "\n});\n";
const WITH_ERRORS: &str = "\nOk::<(), EvcxrUserCodeError>(())";
const CAUGHT: &str = "})) { \n  Ok(_) => {}\n  Err(_) => {\n    println!(\"EVCXR_PANIC_NOTIFICATION\");\n}}\n";

/// The text of a cell's crate with calls in the place of what is the same in every cell. The text itself if it has none of
/// that; an error if evcxr does not write it as it did.
pub(super) fn thin(text: &str) -> Result<String, Unknown> {
    let Some(parameter) = text.rfind(PARAMETER) else { return Ok(text.to_owned()) };
    let function = text[..parameter].rfind(FUNCTION).ok_or(Unknown)?;
    let module = text[..function].rfind(MODULE).ok_or(Unknown)?;
    let head = &text[module..function];
    let body = with_short_body(&text[function..])?;
    Ok([&text[..module], STORE, &same_lines(head, STORE), &body].concat())
}

/// evcxr's generated code is not the one that we know: a fault of ours.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unknown;

/// The function with a call of the runtime around its body, if it has one.
fn with_short_body(function: &str) -> Result<String, Unknown> {
    let Some(runtime) = function.find(RUNTIME) else { return Ok(function.to_owned()) };
    let start = function[..runtime].rfind(START).ok_or(Unknown)?;
    let body = function[runtime..].find(BODY).ok_or(Unknown)? + runtime + BODY.len();
    let end = function.rfind(END).filter(|end| *end + 1 >= body).ok_or(Unknown)?;
    let (start, rest) = match function[..start].strip_suffix(CATCH) {
        Some(before) => (before.len(), function[end + END.len()..].strip_prefix(CAUGHT).ok_or(Unknown)?),
        None => (start, &function[end + END.len()..]),
    };
    let has_errors = function[body..end].ends_with(WITH_ERRORS);
    let call = if has_errors { "run_cell_with_errors" } else { "run_cell" };
    let call = format!("\n::loopbook::__private::{call}(::std::boxed::Box::pin(async {{");
    let before = same_lines(&function[start..body - 1], &call);
    let behind = same_lines(&function[end..function.len() - rest.len()], "\n}));\n");
    Ok([&function[..start], &before, &call, "\n", &function[body..end], "\n}));\n", &behind, rest].concat())
}

/// As many newlines as `new` lacks to be as long as `old`.
fn same_lines(old: &str, new: &str) -> String {
    let lines = |text: &str| text.matches('\n').count();
    "\n".repeat(lines(old).saturating_sub(lines(new)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(open: &str, close: &str) -> String {
        format!(
            "{FUNCTION}7({PARAMETER}  -> *mut evcxr_internal_runtime::VariableStore {{\n{open}\
             .block_on(async {{\nuser(\"\n}});\n\");\nstore(x);{close}\nput(a);\n}}\n"
        )
    }

    fn text(open: &str, close: &str) -> String {
        format!("fn item() {{}}{MODULE}pub struct VariableStore;\n// such as\n}}{}", function(open, close))
    }

    fn line_of(text: &str, word: &str) -> usize {
        text.lines().position(|line| line.contains(word)).unwrap()
    }

    const MAKE: &str =
        "let mut mutex =\nevcxr_variable_store.lazy_arc(\"evcxr_tokio_runtime\", ||\nx); match mutex {}\n";

    #[test]
    fn the_cell_is_called_by_the_runtime_and_keeps_its_lines() {
        let caught = text(&format!("{}\n{MAKE}", &CATCH[1..]), &format!("{END}{}", CAUGHT.trim_end()));
        let plain = text(MAKE, END.trim_end());
        let errors = text(MAKE, &format!("{WITH_ERRORS}{}", END.trim_end()));
        for (text, call) in [(&caught, "run_cell("), (&plain, "run_cell("), (&errors, "run_cell_with_errors(")] {
            let thin = thin(text).unwrap();
            assert!(thin.contains(call) && thin.contains("variables as evcxr_internal_runtime;"), "{thin}");
            for word in ["fn item", "run_user_code_7", "user(\"", "store(x)", "put(a)"] {
                assert_eq!(line_of(&thin, word), line_of(text, word), "{word} in {thin}");
            }
            for word in ["mutex", "catch_unwind", "println", "struct VariableStore", "block_on"] {
                assert!(!thin.contains(word), "{word} in {thin}");
            }
            assert_eq!(thin.matches("}));").count(), 1, "{thin}");
        }
    }

    #[test]
    fn what_has_nothing_of_it_stays_and_what_is_strange_is_an_error() {
        assert_eq!(thin("fn a() {}\n"), Ok("fn a() {}\n".to_owned()));
        assert_eq!(
            thin(&text("evcxr_variable_store.lazy_arc(\"evcxr_tokio_runtime\"\n", END.trim_end())),
            Err(Unknown)
        );
        assert_eq!(thin(&function(MAKE, END.trim_end())), Err(Unknown));
    }

    #[test]
    fn a_cell_without_a_body_has_the_store_of_the_runtime() {
        let text = format!("fn item() {{}}{MODULE}pub struct S;\n}}{FUNCTION}1({PARAMETER}{{ x }}\n");
        let thin = thin(&text).unwrap();
        assert!(!thin.contains("struct S") && thin.ends_with("{ x }\n"), "{thin}");
        assert_eq!(thin.lines().count(), text.lines().count());
    }
}
