//! Where lost variables have gone, for the error of a later cell that asks for one.
//!
//! This is the only record of it. A name that comes back, as a variable or as an item, is forgotten here.

use super::diagnostics::{Diagnostic, Takes};
use super::not_stored;
use super::report::quoted;
use crate::evaluator::cell::{MUTEX, RENAMED_MUTEX, Unstored, Why};
use loopbook_channel::cell_label;
use std::collections::BTreeMap;

/// The variables that are gone.
#[derive(Debug, Default)]
pub struct Gone {
    names: BTreeMap<String, Went>,
}

/// Where one has gone: in which cell and line, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Went {
    /// The cell's execution count; 0 if it happened while no cell ran.
    pub cell: u32,
    /// The line, if it is known.
    pub line: Option<u32>,
    /// How.
    pub how: How,
}

/// How a variable goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// Something else has it now.
    Taken(Takes),
    /// Its own cell did not keep it.
    NotKept(Why),
    /// A cell that failed had used it up while defining it anew.
    Lost,
    /// The cell that was to define it failed.
    Failed,
    /// The cell that was to define it did not compile.
    NotCompiled,
    /// The definition of its type was changed, of these types.
    Redefined(Vec<String>),
    /// By this command.
    Command(&'static str),
    /// With the process that runs the cells.
    Died,
}

impl Gone {
    /// Notes where a variable went.
    pub fn note(&mut self, name: &str, cell: u32, line: Option<u32>, how: How) {
        let name = name_as_typed(name);
        self.names.insert(name.to_owned(), Went { cell, line, how });
    }

    /// Notes that a cell does not keep a variable.
    pub fn note_local(&mut self, local: &Unstored, cell: u32) {
        let (line, how) = match &local.why {
            Why::MovedByAwait(line) => (*line, How::Taken(Takes::Await)),
            why => (local.line, How::NotKept(why.clone())),
        };
        self.note(&local.name, cell, Some(line), how);
    }

    /// These names mean something again.
    pub fn forget<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) {
        for name in names {
            self.names.remove(name_as_typed(name));
        }
    }

    /// Whether this cell was noted as where a variable went.
    pub fn is_noted(&self, name: &str, cell: u32) -> bool {
        self.names.get(name_as_typed(name)).is_some_and(|went| went.cell == cell)
    }

    /// A sentence about where a variable has gone, and what to do; `None` if it is not known to be gone.
    pub fn about(&self, name: &str) -> Option<(String, Vec<String>)> {
        let name = name_as_typed(name);
        self.names.get(name).map(|went| (went.sentence(name), went.help(name)))
    }

    /// Lets errors of this cell about names that are gone say where they went.
    pub fn explain(&self, diagnostics: &mut [Diagnostic], cell: u32) {
        for diagnostic in diagnostics {
            // The same code is for types.
            let is_value =
                ["cannot find value", "cannot find function"].iter().any(|words| diagnostic.message.starts_with(words));
            let is_unknown = is_value && diagnostic.error_code() == Some("E0425");
            let name = diagnostic.message.split('`').nth(1).filter(|_| is_unknown);
            let Some((name, went)) = name.and_then(|name| self.names.get_key_value(name_as_typed(name))) else {
                continue;
            };
            if let Some(types) = went.hidden_in(cell) {
                let message =
                    format!("`{name}` cannot be used in a cell that changes the definition of {}", quoted(types));
                let help = "its value is one of the old definition, and stays as long as this cell fails: make it anew";
                diagnostic.retell(message, "gone as soon as this cell runs", &[help.to_owned()]);
                continue;
            }
            let (message, help) = (went.sentence(name), went.help(name));
            diagnostic.retell(message, went.label(), &help);
        }
    }
}

impl Went {
    /// The types that this cell changes, if that is why the name means nothing in it.
    fn hidden_in(&self, cell: u32) -> Option<&[String]> {
        match &self.how {
            How::Redefined(types) if self.cell == cell && !types.is_empty() => Some(types),
            _ => None,
        }
    }

    fn place(&self) -> String {
        let cell = cell_label(self.cell);
        self.line.map_or(cell.clone(), |line| format!("{cell}, line {line}"))
    }

    fn sentence(&self, name: &str) -> String {
        let place = self.place();
        match &self.how {
            How::Taken(Takes::Await | Takes::Futures) => {
                format!("`{name}` was moved in {place}, and a future can be awaited only once")
            }
            How::Taken(Takes::Part) => format!("a part of `{name}` was moved in {place}, so the rest was not kept"),
            How::Taken(Takes::Drop) => format!("`{name}` was dropped in {place}"),
            How::Taken(_) => format!("`{name}` was moved in {place}"),
            How::NotKept(why) => format!("`{name}` of {place}, was not kept: {}", not_stored::words(why)),
            How::Lost => format!("`{name}` was lost in {place}, which used it, then defined it anew, and failed"),
            How::Failed => format!("`{name}` was never made: {place}, which defines it, failed"),
            How::NotCompiled => format!("`{name}` was never made: {place}, which defines it, did not compile"),
            How::Redefined(types) if types.is_empty() => {
                format!("`{name}` was given up in {place}, where its type was changed")
            }
            How::Redefined(types) => {
                format!("`{name}` was dropped in {place}, which changed the definition of {}", quoted(types))
            }
            How::Command(command) => format!("`{name}` went with `{command}` in {place}"),
            How::Died if self.cell == 0 => format!("`{name}` went with the process that ran the cells"),
            How::Died => format!("`{name}` went with the process that ran the cells, which ended in {place}"),
        }
    }

    fn label(&self) -> &'static str {
        match self.how {
            How::Failed | How::NotCompiled => "was never made",
            _ => "no longer exists",
        }
    }

    fn help(&self, name: &str) -> Vec<String> {
        let then = match &self.how {
            How::Taken(takes) => how_to_keep(*takes, name),
            How::NotKept(why) => return vec![not_stored::help(why).to_owned()],
            How::Failed | How::NotCompiled => return vec!["correct that cell and run it again".to_owned()],
            _ => None,
        };
        let then = then.map(|then| format!("; {then}")).unwrap_or_default();
        vec![format!("run the cell again that makes `{name}`{then}")]
    }
}

/// What lets a variable stay where it was taken away.
fn how_to_keep(takes: Takes, name: &str) -> Option<String> {
    let clone = format!("`let {name}2 = {name}.clone();`");
    Some(match takes {
        Takes::Await => format!("to use what it gives in both places, keep that, as in `let r = {name}.await;`"),
        Takes::Futures => {
            format!("to use what its futures give in both places, keep that, as in `let r = gather_all({name}).await;`")
        }
        Takes::All { clones: true } => {
            format!("to use it in both places, give a reference, as in `&{name}`, or `{name}.clone()`")
        }
        Takes::All { clones: false } => format!("to use it in both places, give a reference, as in `&{name}`"),
        Takes::Block { clones: true } => {
            format!("to use it in both places, write {clone} before, and use `{name}2` in the block or closure")
        }
        Takes::Block { clones: false } => {
            format!(
                "to use it in both places, put it into an `Arc`, as in `let {name} = Arc::new({name});`, then {clone}"
            )
        }
        Takes::Call { clones: true } => {
            format!("the method takes the whole value: to use it in both places, call it on `{name}.clone()`")
        }
        Takes::Call { clones: false } => {
            "the method takes the whole value: to use what it gives in both places, keep that in a variable".to_owned()
        }
        Takes::Part => "to keep the whole, give a clone of the part, or a reference to it".to_owned(),
        Takes::Drop => return None,
    })
}

fn name_as_typed(name: &str) -> &str {
    if name == RENAMED_MUTEX { MUTEX } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn unknown(name: &str) -> Diagnostic {
        let help = json!({ "message": "a local variable with a similar name exists", "level": "help" });
        let json = json!({
            "message": format!("cannot find value `{name}` in this scope"), "level": "error",
            "code": { "code": "E0425" }, "children": [help],
        });
        Diagnostic::from_json(&json).expect("a diagnostic")
    }

    #[test]
    fn an_unknown_name_is_told_where_it_went() {
        let mut gone = Gone::default();
        gone.note("p", 52, Some(1), How::Taken(Takes::All { clones: true }));
        gone.note("lb_mutex", 3, None, How::Died);
        let mut errors = [unknown("p"), unknown("q"), unknown("lb_mutex")];
        gone.explain(&mut errors, 60);
        assert_eq!(errors[0].message, "`p` was moved in In[52], line 1");
        assert!(errors[0].children[0].message.contains("`p.clone()`"), "{errors:?}");
        assert_eq!(errors[1].message, "cannot find value `q` in this scope");
        let mut of_type = unknown("p");
        of_type.message = "cannot find type `p` in this scope".to_owned();
        gone.explain(std::slice::from_mut(&mut of_type), 60);
        assert_eq!(of_type.message, "cannot find type `p` in this scope");
        assert_eq!(errors[2].message, "`mutex` went with the process that ran the cells, which ended in In[3]");
        gone.forget(["p", "lb_mutex"]);
        assert_eq!((gone.about("p"), gone.about("mutex")), (None, None));
    }

    #[test]
    fn a_cell_that_changes_a_type_has_not_dropped_its_values_yet() {
        let mut gone = Gone::default();
        gone.note("p", 4, None, How::Redefined(vec!["P".into()]));
        let mut errors = [unknown("p"), unknown("p")];
        let (here, later) = errors.split_at_mut(1);
        gone.explain(here, 4);
        gone.explain(later, 5);
        assert_eq!(here[0].message, "`p` cannot be used in a cell that changes the definition of `P`");
        assert_eq!(later[0].message, "`p` was dropped in In[4], which changed the definition of `P`");
    }

    #[test]
    fn what_a_cell_did_not_keep_says_why_and_how_to_keep_it() {
        let mut gone = Gone::default();
        gone.note_local(&Unstored { name: "f".into(), line: 2, why: Why::Closure, uses_old: false }, 5);
        gone.note_local(&Unstored { name: "h".into(), line: 1, why: Why::MovedByAwait(3), uses_old: false }, 5);
        let (message, help) = gone.about("f").expect("it is gone");
        assert_eq!(message, "`f` of In[5], line 2, was not kept: it is a closure, whose type has no name");
        assert!(help[0].contains("Box<dyn Fn"), "{help:?}");
        let (message, help) = gone.about("h").expect("it is gone");
        assert_eq!(message, "`h` was moved in In[5], line 3, and a future can be awaited only once");
        assert!(help[0].contains("`let r = h.await;`"), "{help:?}");
    }

    #[test]
    fn advice_is_what_would_have_worked() {
        let help = |takes| {
            let mut gone = Gone::default();
            gone.note("v", 1, None, How::Taken(takes));
            gone.about("v").expect("it is gone").1.join("\n")
        };
        let clones = |takes| help(takes).contains("v.clone()");
        for (can, cannot) in [
            (Takes::All { clones: true }, Takes::All { clones: false }),
            (Takes::Call { clones: true }, Takes::Call { clones: false }),
        ] {
            assert!(clones(can) && !clones(cannot), "{} {}", help(can), help(cannot));
        }
        assert!(help(Takes::Block { clones: true }).contains("`let v2 = v.clone();` before"));
        assert!(help(Takes::Block { clones: false }).contains("`let v = Arc::new(v);`"));
        assert!(!clones(Takes::Await) && !help(Takes::Await).contains("&v"), "{}", help(Takes::Await));
        assert_eq!(help(Takes::Drop), "run the cell again that makes `v`");
    }
}
