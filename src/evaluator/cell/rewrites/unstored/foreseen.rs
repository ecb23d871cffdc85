//! Variables of which it can be seen, without asking the compiler, that no later cell can have them: closures, iterators
//! over closures, and what borrows from a variable.
//!
//! What is not foreseen costs compilations that fail, so the everyday forms are here; where a form may also be something
//! that can be kept, it is not.

use super::lets::Let;
use crate::evaluator::cell::notebook::Notebook;
use crate::evaluator::cell::rewrites::findings::Why;
use ra_ap_syntax::ast::{self, HasArgList, HasGenericArgs};
use ra_ap_syntax::{AstNode, SyntaxKind};
use std::collections::BTreeMap;

/// Methods of containers and strings whose result holds references into them.
const BORROWING: [&str; 27] = [
    "as_bytes",
    "as_mut_slice",
    "as_slice",
    "as_str",
    "chunks",
    "first",
    "get",
    "get_mut",
    "iter",
    "iter_mut",
    "keys",
    "last",
    "lines",
    "matches",
    "rsplit",
    "split",
    "split_at",
    "split_once",
    "split_whitespace",
    "splitn",
    "trim",
    "trim_end",
    "trim_start",
    "values",
    "values_mut",
    "windows",
    "entry",
];

/// Methods of theirs whose result is an iterator that borrows them, over values of its own.
const BORROWING_ITERATORS: [&str; 4] = ["bytes", "char_indices", "chars", "drain"];

/// Methods of an iterator that make an iterator of it, and of nothing else that has a `map`.
const SEQUENCES: [&str; 16] = [
    "by_ref",
    "chain",
    "char_indices",
    "chars",
    "drain",
    "enumerate",
    "into_keys",
    "into_values",
    "iter_mut",
    "lines",
    "peekable",
    "rev",
    "skip",
    "split_whitespace",
    "step_by",
    "windows",
];

/// Methods of an iterator that make another one, which holds the closure that they are given.
const WITH_CLOSURES: [&str; 11] = [
    "filter",
    "filter_map",
    "flat_map",
    "inspect",
    "map",
    "map_while",
    "scan",
    "skip_while",
    "successors",
    "take_while",
    "then",
];

/// Methods after which a borrow, or an iterator of borrows, is still one.
const STILL_BORROWS: [&str; 23] = [
    "as_deref",
    "as_ref",
    "by_ref",
    "chain",
    "enumerate",
    "expect",
    "filter",
    "last",
    "max",
    "max_by",
    "max_by_key",
    "min",
    "min_by",
    "min_by_key",
    "next",
    "nth",
    "or_default",
    "or_insert",
    "peekable",
    "rev",
    "skip",
    "unwrap",
    "unwrap_or",
];

/// Methods after which an iterator is still an iterator over the same values.
const STILL_ITERATES: [&str; 8] = ["by_ref", "chain", "enumerate", "peekable", "rev", "skip", "step_by", "filter"];

/// Methods without arguments whose result, or the value in their result, locks what they are called on.
const LOCKING: [&str; 7] = ["borrow", "borrow_mut", "lock", "read", "try_lock", "upgradable_read", "write"];

/// Types that can be borrowed from, by the last name of their path.
const CONTAINERS: [&str; 9] =
    ["BTreeMap", "BTreeSet", "BinaryHeap", "HashMap", "HashSet", "LinkedList", "String", "Vec", "VecDeque"];

/// Types that lock what they hold.
const LOCKS: [&str; 3] = ["Mutex", "RefCell", "RwLock"];

/// Owners through which a lock is called.
const OWNERS: [&str; 3] = ["Arc", "Box", "Rc"];

/// What a variable is, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Container,
    Lock,
    /// It holds its value itself.
    Owner,
    /// A reference, or anything.
    Unknown,
}

/// What is foreseen of a `let`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Foreseen {
    pub(in crate::evaluator::cell) why: Why,
    /// The variable that stays locked as long as this one is there.
    pub(in crate::evaluator::cell) locks: Option<String>,
}

/// What is foreseen of each of these `let`s, which are those of the cell's top level, in order.
pub(super) fn foresee(lets: &[Let], notebook: &Notebook) -> Vec<Option<Foreseen>> {
    let stored = notebook.variable_types.iter().map(|(name, ty)| (name.clone(), kind_of_type(ty)));
    let mut kinds: BTreeMap<String, Kind> = stored.collect();
    let mut found = Vec::new();
    for statement in lets {
        found.push(of_let(&statement.node, &kinds));
        let kind = statement.node.ty().map(|ty| kind_of_type(&ty.syntax().text().to_string()));
        let kind = kind.or_else(|| statement.node.initializer().map(|value| kind_of_value(&value)));
        let is_single = matches!(statement.node.pat(), Some(ast::Pat::IdentPat(_)));
        let kind = kind.filter(|_| is_single).unwrap_or(Kind::Unknown);
        kinds.extend(statement.names.iter().map(|name| (name.text.clone(), kind)));
    }
    found
}

fn of_let(node: &ast::LetStmt, kinds: &BTreeMap<String, Kind>) -> Option<Foreseen> {
    let value = without_parens(node.initializer().filter(|_| node.ty().is_none())?);
    let pattern = node.pat()?;
    let is_single = matches!(pattern, ast::Pat::IdentPat(_));
    if is_single && holds_closure(&value) {
        return Some(Foreseen { why: Why::Closure, locks: None });
    }
    if is_single && is_iterator_over_closures(&value) {
        return Some(Foreseen { why: Why::Chain, locks: None });
    }
    // `&x` in a pattern copies what is behind the reference.
    if pattern.syntax().descendants().any(|node| node.kind() == SyntaxKind::REF_PAT) {
        return None;
    }
    if borrows(&value, kinds, is_single) {
        return Some(Foreseen { why: Why::Borrows, locks: None });
    }
    let locked = locked(&value, kinds).filter(|_| is_single)?;
    Some(Foreseen { why: Why::Borrows, locks: Some(locked) })
}

/// A closure, or one in a box or a vector.
fn holds_closure(value: &ast::Expr) -> bool {
    match value {
        ast::Expr::ClosureExpr(_) => true,
        ast::Expr::CallExpr(call) => {
            let function = call.expr().map(|function| function.syntax().text().to_string()).unwrap_or_default();
            let wraps = ["Box::new", "Rc::new", "Arc::new", "Some"].contains(&function.as_str());
            let argument = call.arg_list().and_then(|arguments| arguments.args().next());
            wraps && matches!(argument, Some(ast::Expr::ClosureExpr(_)))
        }
        _ => false,
    }
}

/// `v.iter().map(|n| n * 2)`: the type of such an iterator, or stream, holds that of the closure.
fn is_iterator_over_closures(value: &ast::Expr) -> bool {
    let Some(Chain { root, calls }) = Chain::of(value) else { return false };
    let is_range = matches!(&root, ast::Expr::RangeExpr(_));
    let is_sequence = |call: &Call| {
        let takes = call.name == "take" && call.arguments == 1;
        let iterates = ["iter", "into_iter"].contains(&call.name.as_str()) && !is_option(&root);
        iterates || takes || SEQUENCES.contains(&call.name.as_str())
    };
    let holds = |call: &Call| call.has_closure && WITH_CLOSURES.contains(&call.name.as_str());
    let stays = |call: &Call| holds(call) || is_sequence(call) || ["zip", "cloned", "copied"].contains(&&*call.name);
    let Some(first) = calls.iter().position(holds) else { return false };
    let begins = is_range || calls[..first].iter().any(is_sequence);
    begins && calls[first..].iter().all(stays)
}

fn is_option(root: &ast::Expr) -> bool {
    let text = root.syntax().text().to_string();
    text.starts_with("Some(") || text.starts_with("Ok(")
}

/// A reference to a variable, or what holds references into one.
fn borrows(value: &ast::Expr, kinds: &BTreeMap<String, Kind>, is_single: bool) -> bool {
    let kind_of = |expr: &ast::Expr| variable(expr).and_then(|name| kinds.get(&name).copied());
    if let ast::Expr::RefExpr(reference) = value {
        return reference.raw_token().is_none()
            && match reference.expr().map(without_parens) {
                Some(ast::Expr::IndexExpr(index)) => {
                    index.base().is_some_and(|base| kind_of(&base) == Some(Kind::Container))
                }
                // What a reference leads to may live for ever.
                Some(ast::Expr::FieldExpr(field)) => {
                    field.expr().is_some_and(|owner| kind_of(&owner) == Some(Kind::Owner))
                }
                Some(place) => kind_of(&place).is_some(),
                None => false,
            };
    }
    let Some(Chain { root, calls }) = Chain::of(value) else { return false };
    let (Some(first), Some(Kind::Container)) = (calls.first(), kind_of(&root)) else { return false };
    let rest = &calls[1..];
    let collects = |call: &Call| call.name == "collect" && CONTAINERS.iter().any(|name| call.collects(name));
    let is_among = |names: &[&str]| rest.iter().all(|call| names.contains(&call.name.as_str()));
    let still_borrows = rest.iter().all(|call| STILL_BORROWS.contains(&call.name.as_str()) || collects(call));
    // Of what `enumerate` gives, one half is a number.
    let splits = !is_single && rest.iter().any(|call| call.name == "enumerate");
    if BORROWING.contains(&first.name.as_str()) {
        return still_borrows && !splits;
    }
    is_single && BORROWING_ITERATORS.contains(&first.name.as_str()) && is_among(&STILL_ITERATES)
}

/// The variable that `m.lock().unwrap()` locks.
fn locked(value: &ast::Expr, kinds: &BTreeMap<String, Kind>) -> Option<String> {
    let Chain { root, calls } = Chain::of(value)?;
    let name = variable(&root).filter(|name| kinds.get(name) == Some(&Kind::Lock))?;
    let (first, rest) = calls.split_first()?;
    let opens = |call: &Call| ["unwrap", "expect"].contains(&call.name.as_str());
    (first.arguments == 0 && LOCKING.contains(&first.name.as_str()) && rest.iter().all(opens)).then_some(name)
}

/// Methods called one after the other; `.await` and `?` between them do not count.
struct Chain {
    root: ast::Expr,
    calls: Vec<Call>,
}

struct Call {
    name: String,
    arguments: usize,
    has_closure: bool,
    /// The text of its `::<…>`.
    generics: String,
}

impl Call {
    /// Whether what it collects into is certainly this container, of whatever comes. A string holds no references.
    fn collects(&self, container: &str) -> bool {
        let ty = self.generics.trim_start_matches([':', '<', ' ']);
        container != "String" && ty.strip_prefix(container).is_some_and(|rest| rest.starts_with('<'))
    }
}

impl Chain {
    fn of(value: &ast::Expr) -> Option<Self> {
        let mut calls = Vec::new();
        let mut root = value.clone();
        loop {
            root = match &root {
                ast::Expr::MethodCallExpr(call) => {
                    let arguments: Vec<_> = call.arg_list().map(|list| list.args().collect()).unwrap_or_default();
                    let has_closure = arguments.iter().any(|argument| matches!(argument, ast::Expr::ClosureExpr(_)));
                    let name = call.name_ref()?.text().to_string();
                    let generics = call.generic_arg_list().map(|list| list.syntax().text().to_string());
                    let generics = generics.unwrap_or_default();
                    calls.push(Call { name, arguments: arguments.len(), has_closure, generics });
                    call.receiver()?
                }
                ast::Expr::AwaitExpr(awaited) => awaited.expr()?,
                ast::Expr::TryExpr(tried) => tried.expr()?,
                ast::Expr::ParenExpr(paren) => paren.expr()?,
                _ => break,
            };
        }
        calls.reverse();
        Some(Self { root, calls })
    }
}

fn without_parens(expr: ast::Expr) -> ast::Expr {
    match &expr {
        ast::Expr::ParenExpr(paren) => paren.expr().map_or(expr.clone(), without_parens),
        _ => expr,
    }
}

fn variable(expr: &ast::Expr) -> Option<String> {
    let ast::Expr::PathExpr(path) = expr else { return None };
    path.path()?.as_single_name_ref().map(|name| name.text().to_string())
}

/// By the text of a type.
fn kind_of_type(ty: &str) -> Kind {
    let ty = ty.trim();
    if ty.starts_with('&') || ty == "_" || ty.is_empty() {
        return Kind::Unknown;
    }
    if ty.starts_with('[') {
        return Kind::Container;
    }
    let (path, arguments) = ty.split_once('<').unwrap_or((ty, ""));
    kind_of_name(path.rsplit("::").next().unwrap_or_default().trim(), || kind_of_type(arguments))
}

fn kind_of_name(name: &str, inner: impl FnOnce() -> Kind) -> Kind {
    if CONTAINERS.contains(&name) {
        Kind::Container
    } else if LOCKS.contains(&name) || OWNERS.contains(&name) && inner() == Kind::Lock {
        Kind::Lock
    } else {
        Kind::Owner
    }
}

/// By what a variable is set to.
fn kind_of_value(value: &ast::Expr) -> Kind {
    match value {
        ast::Expr::ArrayExpr(_) => Kind::Container,
        ast::Expr::RecordExpr(_) => Kind::Owner,
        ast::Expr::MacroExpr(call) => {
            let name = call
                .macro_call()
                .and_then(|call| crate::evaluator::cell::rewrites::macro_arguments::macro_name(&call))
                .unwrap_or_default();
            if ["vec", "format"].contains(&name.as_str()) { Kind::Container } else { Kind::Unknown }
        }
        ast::Expr::CallExpr(call) => {
            let function = call.expr().map(|function| function.syntax().text().to_string()).unwrap_or_default();
            let Some((ty, "new" | "from" | "with_capacity" | "default")) = function.rsplit_once("::") else {
                return Kind::Unknown;
            };
            let ty = ty.split("::<").next().unwrap_or_default().rsplit("::").next().unwrap_or_default();
            let argument = || call.arg_list().and_then(|arguments| arguments.args().next());
            let kind = kind_of_name(ty, || argument().map_or(Kind::Unknown, |argument| kind_of_value(&argument)));
            // Another type's `new` may give a reference.
            if kind == Kind::Owner { Kind::Unknown } else { kind }
        }
        ast::Expr::MethodCallExpr(call) => {
            let name = call.name_ref().map(|name| name.text().to_string()).unwrap_or_default();
            if ["collect", "to_owned", "to_string", "to_vec"].contains(&name.as_str()) {
                Kind::Container
            } else {
                Kind::Unknown
            }
        }
        _ => Kind::Unknown,
    }
}
