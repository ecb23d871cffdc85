//! Second tries: a cell prepared once more, with what its first compilation has shown.

use super::Binding;
use super::prepared::{PreparedCell, prepare_from};
use super::rewrites::findings::{Finding, Why};
use super::rewrites::mutex_variable::{MUTEX, RENAMED_MUTEX};
use super::rewrites::origin::Origin;
use super::rewrites::unstored::drop_of;

impl PreparedCell {
    /// The cell without a trace of which `.await` it stands at; `None` if it has none already. What the compiler says of it is
    /// what it would say of the cell as typed.
    ///
    /// ```
    /// use loopbook_kernel::evaluator::cell::{Notebook, prepare};
    /// let prepared = prepare(3, "f().await;", &Notebook::default()).unwrap();
    /// assert_eq!(prepared.rust, "/*lb:3:1*/::loopbook::__private::at(f(), &(3, 1, 1, \"f()\")).await;");
    /// assert_eq!(prepared.without_await_marks().unwrap().rust, "/*lb:3:1*/f().await;");
    /// ```
    pub fn without_await_marks(&self) -> Option<Self> {
        let origin = Origin { unwatched: true, ..self.origin.clone() };
        prepare_from(origin).ok().filter(|unwatched| unwatched.rust != self.rust)
    }

    /// The cell with the initialiser of `variable` in `::loopbook::keep(…)`; `None` if no `let` of the cell's top level
    /// gives just that name, without a type, to a value.
    ///
    /// ```
    /// use loopbook_kernel::evaluator::cell::{Notebook, prepare};
    /// let prepared = prepare(3, "let f = fetch(1);", &Notebook::default()).unwrap();
    /// let kept = prepared.boxing("f").unwrap();
    /// assert_eq!(kept.rust, "/*lb:3:1*/let f = ::loopbook::keep(fetch(1));");
    /// ```
    pub fn boxing(&self, variable: &str) -> Option<Self> {
        let variable = if variable == RENAMED_MUTEX { MUTEX } else { variable };
        let mut origin = self.origin.clone();
        origin.kept.push(variable.to_owned());
        let kept = prepare_from(origin).ok()?;
        (kept.rust != self.rust).then_some(kept)
    }

    /// The cell without a look at the value of its last expression; `None` if it takes none already. For values whose
    /// type is anybody's guess, as that of `task::spawn(async { panic!() }).await`: as a statement, the compiler takes
    /// `()`.
    ///
    /// ```
    /// use loopbook_kernel::evaluator::cell::{Notebook, prepare};
    /// let prepared = prepare(3, "f()", &Notebook::default()).unwrap();
    /// assert_eq!(prepared.without_value().unwrap().rust, "/*lb:3:1*/f();");
    /// ```
    pub fn without_value(&self) -> Option<Self> {
        let origin = Origin { unshown: true, ..self.origin.clone() };
        prepare_from(origin).ok().filter(|unshown| unshown.rust != self.rust)
    }

    /// The cell as typed, but for what makes it a cell: without ticks, and without a trace of which `.await` it stands at.
    /// `None` if it has none of either already. What the compiler says of it is what it would say of the cell in a file.
    ///
    /// ```
    /// use loopbook_kernel::evaluator::cell::{Notebook, prepare};
    /// let mut notebook = Notebook::default();
    /// notebook.ticks = true;
    /// let prepared = prepare(3, "loop {}", &notebook).unwrap();
    /// assert_eq!(prepared.rust, "/*lb:3:1*/::loopbook::__show!(loop {::loopbook::__tick!();});");
    /// assert_eq!(prepared.as_typed().unwrap().rust, "/*lb:3:1*/::loopbook::__show!(loop {});");
    /// ```
    pub fn as_typed(&self) -> Option<Self> {
        let mut origin = Origin { unwatched: true, ..self.origin.clone() };
        origin.notebook.ticks = false;
        prepare_from(origin).ok().filter(|typed| typed.rust != self.rust)
    }

    /// The cell with what was learnt; `None` if that changes nothing.
    ///
    /// ```
    /// use loopbook_kernel::evaluator::cell::{Notebook, Finding, Why, prepare};
    /// let prepared = prepare(3, "let f = make();", &Notebook::default()).unwrap();
    /// let learnt = prepared.having_learnt(&[Finding::NotKept("f".into(), Why::Closure)]).unwrap();
    /// assert_eq!(learnt.rust, "/*lb:3:1*/::loopbook::__unstored!(let f = make(););");
    /// ```
    pub fn having_learnt(&self, findings: &[Finding]) -> Option<Self> {
        let mut origin = self.origin.clone();
        // What is not kept comes first: the others are about that.
        let mut findings = findings.to_vec();
        findings.sort();
        for finding in &findings {
            let typed = |name: &String| if name == RENAMED_MUTEX { MUTEX.to_owned() } else { name.clone() };
            match finding {
                // rust-analyzer often knows the types of a pattern's variables only one by one.
                Finding::NotKept(name, Why::Unknown) if !origin.typed_from_behind.contains(&typed(name)) => {
                    let defines = |binding: &&Binding| binding.names.contains(name);
                    let binding = self.lets.iter().rfind(defines).into_iter();
                    origin.typed_from_behind.extend(binding.flat_map(|binding| &binding.names).map(typed));
                    origin.typed_from_behind.insert(typed(name));
                }
                Finding::NotKept(name, why) => {
                    origin.kept.retain(|kept| *kept != typed(name));
                    origin.not_kept.insert(typed(name), why.clone());
                }
                Finding::Ends(guard, moved) => {
                    let is_local = origin.not_kept.contains_key(&typed(guard))
                        || self.unstored.iter().any(|local| local.name == typed(guard));
                    let was_tried = origin.ends.contains_key(&typed(guard)) || self.rust.contains(&drop_of(guard));
                    if is_local && !was_tried {
                        origin.ends.insert(typed(guard), true);
                    } else {
                        origin.not_kept.insert(typed(moved), Why::Borrowed);
                    }
                }
                Finding::Moves(name) => drop(origin.ends.insert(typed(name), false)),
            }
        }
        let learnt = prepare_from(origin).ok()?;
        (learnt.rust != self.rust).then_some(learnt)
    }

    /// The cell without boxes: its lazy futures are not kept, and why; `None` if none was boxed.
    pub fn unboxed(&self, why: &Why) -> Option<Self> {
        let not_kept = self.origin.kept.iter().map(|name| Finding::NotKept(name.clone(), why.clone()));
        self.having_learnt(&not_kept.collect::<Vec<_>>())
    }
}
