//! `impl` blocks and other items without a name.
//!
//! evcxr keeps items by name and attaches one without a name to the named item before it in the same cell; without
//! such an item it keeps every version for ever, and the second run of the cell is E0119. So each gets a name: an empty
//! enum on the same line, which stands for what is implemented.

use super::edits::Edits;
use crate::evaluator::cell::items::impls::ImplName;
use crate::evaluator::cell::items::impls::implements;
use crate::evaluator::cell::items::type_name;
use crate::evaluator::cell::notebook::Notebook;
use crate::evaluator::cell::parse::syntax::{Place, Tree, hash};
use ra_ap_syntax::ast::{self};
use std::collections::{BTreeMap, BTreeSet};

/// Names the items without a name. Gives the names of this cell, each with what it stands for, or with `None` if it is
/// taken away.
pub(in crate::evaluator::cell) fn rewrite(
    tree: &Tree,
    notebook: &Notebook,
    edits: &mut Edits,
) -> Vec<(String, Option<ImplName>)> {
    let types: BTreeSet<String> = tree.items().filter_map(|(_, item)| defined_type(&item)).collect();
    let mut named: Vec<(String, Option<ImplName>)> = Vec::new();
    let mut taken: BTreeSet<String> = BTreeSet::new();
    // Where to go on looking for a free number, so that many blocks of one type do not look from the first each time.
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    for (place, item) in tree.items() {
        let Some((implements, owner)) = implements(&item) else { continue };
        let replaced =
            notebook.impls.iter().filter(|(name, old)| old.implements.excludes(&implements) && !taken.contains(*name));
        let mut replaced: Vec<String> = replaced.map(|(name, _)| name.clone()).collect();
        if replaced.is_empty() {
            let base = format!("lb_impl_{:016x}", hash([implements.key.clone()]));
            let number = numbers.entry(base.clone()).or_default();
            replaced.push(loop {
                let name = if *number == 0 { base.clone() } else { format!("{base}_{number}") };
                *number += 1;
                if !notebook.impls.contains_key(&name) && !taken.contains(&name) {
                    break name;
                }
            });
        }
        taken.extend(replaced.iter().cloned());
        // The first takes the new text, the others lose theirs; the item must stand behind its own.
        for (index, name) in replaced.into_iter().enumerate().rev() {
            edits.before(start(&place), declaration(&name));
            let owner = owner.clone().filter(|owner| types.contains(owner));
            let stands_for = ImplName { implements: implements.clone(), owner };
            named.push((name, (index == 0).then_some(stands_for)));
        }
    }
    take_away(tree, notebook, &mut named, edits);
    named
}

/// A type that is defined again loses what was implemented in the cell of its last definition.
fn take_away(tree: &Tree, notebook: &Notebook, named: &mut Vec<(String, Option<ImplName>)>, edits: &mut Edits) {
    for (place, item) in tree.items() {
        let Some(owner) = defined_type(&item) else { continue };
        for (name, old) in &notebook.impls {
            let is_kept = named.iter().any(|(other, _)| other == name);
            if old.owner.as_ref() == Some(&owner) && !is_kept {
                edits.before(start(&place), declaration(name));
                named.push((name.clone(), None));
            }
        }
    }
}

fn declaration(name: &str) -> String {
    format!("#[allow(non_camel_case_types, dead_code)] enum {name} {{}} ")
}

fn start(place: &Place) -> usize {
    place.range(place.node.clone()).start
}

fn defined_type(item: &ast::Item) -> Option<String> {
    type_name(item).map(|name| name.text().to_string())
}

#[cfg(test)]
mod tests {
    use crate::evaluator::cell::{Notebook, prepare};

    /// The names of the items without a name, in the order of the text.
    fn names(rust: &str) -> Vec<&str> {
        rust.match_indices("enum lb_impl_").map(|(at, _)| rust[at + 5..].split(' ').next().expect("a name")).collect()
    }

    fn run(notebook: &mut Notebook, code: &str) -> String {
        let prepared = prepare(1, code, notebook).expect("a good cell");
        notebook.learn(&prepared);
        prepared.rust
    }

    #[test]
    fn the_same_impl_has_the_same_name() {
        let notebook = &mut Notebook::default();
        let first = run(notebook, "impl Drop for G { fn drop(&mut self) {} }");
        let second = run(notebook, "impl  Drop for /* x */ G {\n fn drop(&mut self) { f() } }");
        assert_eq!(names(&first), names(&second));
        assert!(first.contains("{} impl/*lb:1:1*/ Drop"), "{first}");
        assert_ne!(names(&first), names(&run(notebook, "impl Clone for G {}")));
    }

    #[test]
    fn renamed_parameters_and_moved_bounds_make_no_other_impl() {
        let notebook = &mut Notebook::default();
        let first = run(notebook, "impl<T: Mammal> Mammal for Vec<T> {}\nimpl Mammal for &Dog {}");
        let second = run(notebook, "impl<'a> Mammal for &'a Dog {} impl<M> Mammal for Vec<M> where M: Mammal {}");
        let (mut first, mut second) = (names(&first), names(&second));
        first.sort_unstable();
        second.sort_unstable();
        assert_eq!(first, second);
    }

    #[test]
    fn own_impls_of_a_type_exclude_each_other_by_what_they_define() {
        let notebook = &mut Notebook::default();
        let both = run(notebook, "impl A { fn a() {} }\nimpl A { fn b() {} }");
        let [a, b] = names(&both)[..] else { panic!("{both}") };
        assert_ne!(a, b);
        assert_eq!(names(&run(notebook, "impl A { fn b() {} fn c() {} }")), [b]);
        let all = run(notebook, "impl A { fn a() {} fn c() {} }");
        assert_eq!(names(&all).len(), 2, "one is replaced, one is emptied: {all}");
        assert_eq!(names(&all)[1], a);
        assert_eq!(notebook.impls.len(), 1);
    }

    #[test]
    fn a_type_that_is_defined_again_sheds_the_impls_of_its_cell() {
        let notebook = &mut Notebook::default();
        let first = run(notebook, "struct P;\nimpl std::fmt::Debug for P {}");
        run(notebook, "impl Clone for P {}");
        let second = run(notebook, "#[derive(Debug)]\nstruct P;");
        assert_eq!(names(&first), names(&second));
        assert!(second.contains("{} #/*lb:1:1*/[derive(Debug)]"), "{second}");
        assert_eq!(notebook.impls.len(), 1, "the other cell's impl stays");
        assert_eq!(names(&run(notebook, "struct P;")), [""; 0]);
    }
}
