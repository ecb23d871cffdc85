//! A cell as evcxr compiles it: taken apart by statements, each on lines of its own, items first, the rest in a future
//! that ends by storing the variables. After evcxr 0.22's `code_block.rs`, `eval_context.rs` and `use_trees.rs`.

use super::parts::{Kind, item_name, parts, variables};
use ra_ap_syntax::ast::{self, AstNode, HasName};
use std::collections::BTreeSet;

const PRELUDE: [(&str, &str); 10] = [
    ("task", "use async_std::task;"),
    ("Duration", "use std::time::Duration;"),
    ("Instant", "use std::time::Instant;"),
    ("display", "use loopbook::display;"),
    ("gather", "use loopbook::gather;"),
    ("gather_all", "use loopbook::gather_all;"),
    ("input", "use loopbook::input;"),
    ("race", "use loopbook::race;"),
    ("try_gather", "use loopbook::try_gather;"),
    ("try_gather_all", "use loopbook::try_gather_all;"),
];

const PUT: &str = "evcxr_variable_store.put_variable(";

/// What the kernel's rustc makes of evcxr's generated code (`thin.rs` among the shims).
const STORE: &str = "use ::loopbook::__private::variables as evcxr_internal_runtime;
#[unsafe(no_mangle)]
pub extern \"C\" fn run_user_code_1(
mut evcxr_variable_store: *mut evcxr_internal_runtime::VariableStore)
  -> *mut evcxr_internal_runtime::VariableStore {
if evcxr_variable_store.is_null() {
  evcxr_variable_store = evcxr_internal_runtime::create_variable_store();
}
let evcxr_variable_store = unsafe {&mut *evcxr_variable_store};
::loopbook::__private::run_cell(::std::boxed::Box::pin(async {
";

const END: &str = "}));
evcxr_variable_store
}
";

/// The file that evcxr compiles for what the preprocessing pass has made of a cell.
pub(crate) fn file(rust: &str) -> String {
    let parts = parts(rust);
    let (mut attributes, mut items, mut statements) = (String::new(), String::new(), String::new());
    let mut defined = BTreeSet::new();
    let mut from = start(rust);
    for (index, part) in parts.iter().enumerate() {
        let end = parts.get(index + 1).map_or(rust.len(), |next| next.range.start);
        let segment = format!("{}\n", rust[from..end].strip_suffix('\n').unwrap_or(&rust[from..end]));
        from = end;
        match (part.kind, ast::Use::cast(part.node.clone())) {
            (Kind::Attribute, _) => attributes += &segment,
            (Kind::Item, Some(node)) => {
                for (name, code) in node.use_tree().map(|tree| imports(&tree, &[])).unwrap_or_default() {
                    items += &format!("{code}\n");
                    defined.insert(name);
                }
            }
            // evcxr does not know what a macro defines.
            (Kind::Item, None) if ast::Item::can_cast(part.node.kind()) => {
                items += &segment;
                defined.extend(item_name(&part.node));
            }
            _ => statements += &segment,
        }
    }
    for name in variables(&parts) {
        statements += &format!("{PUT}stringify!({name}), {name});\n");
    }
    let prelude = PRELUDE.iter().filter(|(name, _)| !defined.contains(*name));
    let prelude: String = prelude.map(|(_, code)| format!("{code}\n")).collect();
    let allow = "#![allow(unused_imports, unused_mut, dead_code)]\n";
    format!("{allow}{attributes}{prelude}{items}{STORE}{statements}{END}")
}

/// The file with a `main` that runs the cell. Variables are not stored: evcxr finds out by trying which are moved by then.
pub(crate) fn program(rust: &str) -> String {
    let file = file(rust);
    let lines = file.split_inclusive('\n').filter(|line| !line.starts_with(PUT));
    lines.collect::<String>() + "fn main() { run_user_code_1(std::ptr::null_mut()); }\n"
}

/// evcxr drops comments and blank lines at the top.
fn start(rust: &str) -> usize {
    let is_ignored = |line: &&str| line.starts_with("//") || line.trim().is_empty();
    rust.split_inclusive('\n').take_while(is_ignored).map(str::len).sum()
}

/// evcxr keeps the imports one by one, and only their names.
fn imports(tree: &ast::UseTree, prefix: &[String]) -> Vec<(String, String)> {
    let Some(mut path) = tree.path() else { return Vec::new() };
    let import = |name: &str, path: &[String]| {
        let path = if path.last().is_some_and(|last| last == name) {
            path.join("::")
        } else {
            format!("{} as {name}", path.join("::"))
        };
        vec![(name.to_owned(), format!("use {path};"))]
    };
    if path.segment().is_some_and(|segment| segment.self_token().is_some()) {
        return prefix.last().map(|last| import(last, prefix)).unwrap_or_default();
    }
    let mut names = Vec::new();
    loop {
        let Some(segment) = path.segment() else { break };
        let krate = || segment.crate_token().map(|token| token.text().to_owned());
        names.extend(segment.name_ref().map(|name| name.text().to_string()).or_else(krate));
        let Some(qualifier) = path.qualifier() else { break };
        path = qualifier;
    }
    names.extend(prefix.iter().rev().cloned());
    names.reverse();
    if let Some(list) = tree.use_tree_list() {
        return list.use_trees().flat_map(|tree| imports(&tree, &names)).collect();
    }
    if let Some(rename) = tree.rename() {
        return import(rename.name().map_or("_".to_owned(), |name| name.text().to_string()).as_str(), &names);
    }
    if tree.star_token().is_some() {
        names.push("*".to_owned());
    }
    let last = names.last().cloned().unwrap_or_default();
    import(&last, &names)
}
