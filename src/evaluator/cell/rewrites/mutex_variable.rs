//! A variable called `mutex`: evcxr has one of that name around every cell and would be shadowed, or shadow.

use super::edits::Edits;
use crate::evaluator::cell::parse::syntax::{Place, Tree};
use ra_ap_syntax::ast;
use ra_ap_syntax::{AstNode, NodeOrToken, SyntaxKind, SyntaxNode, SyntaxToken};

/// The name that is renamed in every cell.
pub const MUTEX: &str = "mutex";

/// What it is renamed to. Show [`MUTEX`] to users.
pub const RENAMED_MUTEX: &str = "lb_mutex";

/// Renames variables and functions called [`MUTEX`], but no fields, methods, modules or types.
pub(in crate::evaluator::cell) fn rewrite(tree: &Tree, edits: &mut Edits) {
    if !tree.root().node.text().to_string().contains(MUTEX) {
        return;
    }
    let named: Vec<_> = tree.tokens().filter(|(_, token)| is_named(token)).collect();
    // What is imported under that name cannot be renamed here.
    if named.iter().any(|(_, token)| token.parent_ancestors().any(|node| node.kind() == SyntaxKind::USE)) {
        return;
    }
    for (at, token) in named {
        match role(&token) {
            Role::Other => {}
            Role::Variable => edits.replace(at..at + MUTEX.len(), RENAMED_MUTEX),
            Role::Shorthand => edits.replace(at..at + MUTEX.len(), format!("{MUTEX}: {RENAMED_MUTEX}")),
            Role::ShorthandPattern { before } => {
                edits.open(at - before, 0, format!("{MUTEX}: "));
                edits.replace(at..at + MUTEX.len(), RENAMED_MUTEX);
            }
        }
    }
    for place in tree.descendants().filter(|place| place.node.kind() == SyntaxKind::TOKEN_TREE) {
        format_string(&place, edits);
    }
}

enum Role {
    /// A variable or function.
    Variable,
    /// `S { mutex }`.
    Shorthand,
    /// `S { ref mut mutex }`, the pattern beginning `before` bytes before the name.
    ShorthandPattern { before: usize },
    /// Something else that is called so.
    Other,
}

fn is_named(token: &SyntaxToken) -> bool {
    token.kind() == SyntaxKind::IDENT && token.text() == MUTEX
}

fn role(token: &SyntaxToken) -> Role {
    let Some(parent) = token.parent() else { return Role::Other };
    match parent.kind() {
        SyntaxKind::NAME => parent.parent().map_or(Role::Other, |owner| role_of_name(token, &owner)),
        SyntaxKind::NAME_REF => role_of_use(&parent),
        SyntaxKind::TOKEN_TREE => role_in_macro(token, &parent),
        _ => Role::Other,
    }
}

fn role_of_name(token: &SyntaxToken, owner: &SyntaxNode) -> Role {
    match owner.kind() {
        SyntaxKind::IDENT_PAT => {
            let field = owner.parent().and_then(ast::RecordPatField::cast);
            if field.is_some_and(|field| field.name_ref().is_none()) {
                let before = token.text_range().start() - owner.text_range().start();
                return Role::ShorthandPattern { before: before.into() };
            }
            Role::Variable
        }
        SyntaxKind::FN | SyntaxKind::CONST | SyntaxKind::STATIC => {
            let is_free = owner
                .parent()
                .is_some_and(|list| !matches!(list.kind(), SyntaxKind::ASSOC_ITEM_LIST | SyntaxKind::EXTERN_ITEM_LIST));
            if is_free { Role::Variable } else { Role::Other }
        }
        _ => Role::Other,
    }
}

/// A path of one name, used as a value.
fn role_of_use(name: &SyntaxNode) -> Role {
    let path = name.parent().and_then(|segment| segment.parent()).and_then(ast::Path::cast);
    let Some(path) = path.filter(|path| path.qualifier().is_none()) else { return Role::Other };
    let is_global = path.segment().is_some_and(|segment| segment.coloncolon_token().is_some());
    let value = path.syntax().parent().filter(|parent| parent.kind() == SyntaxKind::PATH_EXPR && !is_global);
    let Some(value) = value else { return Role::Other };
    match value.parent().and_then(ast::RecordExprField::cast) {
        Some(field) if field.name_ref().is_none() => Role::Shorthand,
        _ => Role::Variable,
    }
}

/// The arguments of a macro are tokens only, so its neighbours tell.
fn role_in_macro(token: &SyntaxToken, tree: &SyntaxNode) -> Role {
    if tree.ancestors().any(|node| node.kind() == SyntaxKind::ATTR) {
        return Role::Other;
    }
    let (before, second) =
        (neighbour(token, Side::Before), neighbour(token, Side::Before).and_then(|t| neighbour(&t, Side::Before)));
    let (after, later) =
        (neighbour(token, Side::After), neighbour(token, Side::After).and_then(|t| neighbour(&t, Side::After)));
    let is = |token: &Option<SyntaxToken>, text: &str| token.as_ref().is_some_and(|token| token.text() == text);
    let is_member = is(&before, ".") && !is(&second, ".");
    let in_path = (is(&before, ":") && is(&second, ":")) || (is(&after, ":") && is(&later, ":"));
    let is_call = is(&after, "!") && !is(&later, "=");
    let in_braces = tree.first_token().is_some_and(|brace| brace.kind() == SyntaxKind::L_CURLY);
    let is_field = is(&after, ":") && in_braces && (is(&before, "{") || is(&before, ","));
    let is_argument_name = is(&after, "=") && !is(&later, "=") && !is(&later, ">") && is(&before, ",");
    if is(&before, "$") || is_member || in_path || is_call || is_field || is_argument_name {
        return Role::Other;
    }
    let of_type = |brace: SyntaxToken| neighbour(&brace, Side::Before).is_some_and(|t| t.kind() == SyntaxKind::IDENT);
    let in_record = in_braces && tree.first_token().is_some_and(of_type);
    if in_record && (is(&before, "{") || is(&before, ",")) && (is(&after, "}") || is(&after, ",")) {
        return Role::Shorthand;
    }
    Role::Variable
}

enum Side {
    Before,
    After,
}

/// The next token that means something.
fn neighbour(token: &SyntaxToken, side: Side) -> Option<SyntaxToken> {
    let step = |token: &SyntaxToken| match side {
        Side::Before => token.prev_token(),
        Side::After => token.next_token(),
    };
    std::iter::successors(step(token), step).find(|token| !token.kind().is_trivia())
}

/// A format string names the variable in its braces.
fn format_string(tree: &Place, edits: &mut Edits) {
    if !tree.node.text().to_string().contains(MUTEX) {
        return;
    }
    let Some(index) = format_argument(&tree.node) else { return };
    let tokens: Vec<_> = tree.node.children_with_tokens().filter_map(NodeOrToken::into_token).collect();
    let solid: Vec<_> = tokens.iter().filter(|token| !token.kind().is_trivia()).collect();
    let mut arguments = solid.windows(2).filter(|pair| matches!(pair[0].text(), "(" | "[" | "{" | ","));
    // Logging macros may have others before it, with a name each.
    let format = arguments.by_ref().skip(index).map(|pair| pair[1]).find(|token| token.kind() == SyntaxKind::STRING);
    let is_given = solid.windows(2).any(|pair| is_named(pair[0]) && pair[1].kind() == SyntaxKind::EQ);
    let Some(format) = format.filter(|_| !is_given) else { return };
    let start = tree.range(format.clone()).start;
    for at in named_in(format.text()) {
        edits.replace(start + at..start + at + MUTEX.len(), RENAMED_MUTEX);
    }
}

/// Macros with a format string, by the number of arguments before it.
const FORMATS: [&[&str]; 3] = [
    &[
        "print",
        "println",
        "eprint",
        "eprintln",
        "format",
        "format_args",
        "panic",
        "todo",
        "unimplemented",
        "unreachable",
        "trace",
        "debug",
        "info",
        "warn",
        "error",
        "bail",
        "anyhow",
    ],
    &["write", "writeln", "assert", "debug_assert", "ensure"],
    &["assert_eq", "assert_ne", "debug_assert_eq", "debug_assert_ne"],
];

/// Which argument of the macro with these arguments is a format string.
fn format_argument(tree: &SyntaxNode) -> Option<usize> {
    // Inside of another macro's arguments, a call is only tokens: `name ! ( … )`.
    let bang = tree.first_token().and_then(|open| neighbour(&open, Side::Before)).filter(|bang| bang.text() == "!")?;
    let name = neighbour(&bang, Side::Before)?;
    FORMATS.iter().position(|names| names.contains(&name.text()))
}

/// Where a format string takes the variable: `{mutex}`, `{mutex:?}`, `{:mutex$}`.
fn named_in(literal: &str) -> impl Iterator<Item = usize> + '_ {
    let offsets = literal.match_indices(MUTEX).map(|(at, _)| at);
    offsets.filter(|at| {
        let (before, after) = (&literal[..*at], &literal[at + MUTEX.len()..]);
        let braces = before.bytes().rev().take_while(|byte| *byte == b'{').count();
        let is_value = braces % 2 == 1 && after.starts_with(['}', ':']);
        let is_width = after.starts_with('$') && before.ends_with([':', '.', '<', '>', '^', '+', '#', '0']);
        is_value || is_width
    })
}

#[cfg(test)]
mod tests {
    use crate::evaluator::cell::tests::unmarked;

    fn check(code: &str, expected: &str) {
        assert_eq!(unmarked(code), expected, "{code}");
    }

    #[test]
    fn variables_and_functions_are_renamed() {
        check("let mutex = 1; f(mutex, &mutex);", "let lb_mutex = 1; f(lb_mutex, &lb_mutex);");
        check("fn mutex(mutex: u8) { mutex } mutex();", "fn lb_mutex(lb_mutex: u8) { lb_mutex } lb_mutex();");
        check("f(|mutex| mutex.mutex.mutex());", "f(|lb_mutex| lb_mutex.mutex.mutex());");
    }

    #[test]
    fn fields_paths_and_types_keep_their_name() {
        for code in [
            "struct S { mutex: u8 }",
            "mod mutex {}",
            "a::mutex::b();",
            "mutex::b();",
            "trait T { fn mutex(); }",
            "let x = S { mutex: 1 };",
            "use a::mutex; f(mutex);",
            "mutex!();",
            "p!(a.mutex, mutex::b, S { mutex: 1 });",
            "#[a(mutex)] fn f() {}",
            "'mutex: loop {};",
            "println!(\"mutex {{mutex}}\");",
            "let m = mutex!(1);",
        ] {
            check(code, code);
        }
    }

    #[test]
    fn shorthands_are_written_out() {
        check("let s = S { mutex, a };", "let s = S { mutex: lb_mutex, a };");
        check("let S { ref mut mutex, .. } = s;", "let S { mutex: ref mut lb_mutex, .. } = s;");
        check("p!(S { mutex });", "p!(S { mutex: lb_mutex });");
    }

    #[test]
    fn format_strings_name_it_in_their_braces() {
        check("println!(\"{mutex:?} {}\", mutex);", "println!(\"{lb_mutex:?} {}\", lb_mutex);");
        check("f(format!(\"{{mutex}} {mutex}\",));", "f(format!(\"{{mutex}} {lb_mutex}\",));");
        check("p!(format!(\"{:mutex$}\", 1));", "p!(format!(\"{:lb_mutex$}\", 1));");
        check("assert_eq!(1, 2, \"{mutex}\");", "assert_eq!(1, 2, \"{lb_mutex}\");");
        check("info!(target: \"{mutex}\", \"{mutex}\");", "info!(target: \"{mutex}\", \"{lb_mutex}\");");
    }

    #[test]
    fn other_strings_and_arguments_of_that_name_stay() {
        for code in ["println!(\"{mutex}\", mutex = 1);", "println!(\"{}\", \"{mutex}\");", "f(\"{mutex}\");"] {
            check(code, code);
        }
    }
}
