//! Whether a place of a cell lies in a block.

use super::nesting;
use super::syntax::Tree;
use super::{SHALLOW, on_a_large_stack};
use ra_ap_syntax::{SyntaxKind, SyntaxNode};

/// Whether what stands at a byte offset of a cell, without its commands, stands in a closure or an `async` block.
///
/// ```
/// use loopbook_kernel::evaluator::cell::is_in_block;
/// let code = "f(v); spawn(async move { v.len() }); g(|| v)";
/// let places: Vec<_> = code.match_indices('v').map(|(at, _)| is_in_block(code, at)).collect();
/// assert_eq!(places, [false, true, true, true]);
/// ```
pub fn is_in_block(code: &str, offset: usize) -> bool {
    let scan = nesting::scan(code);
    scan.fault.is_none()
        && on_a_large_stack(scan.longest > SHALLOW, || {
            let (_, Some(tree)) = Tree::parse_broken(code) else { return false };
            let token = tree.tokens().filter(|(start, _)| *start <= offset).last();
            token.is_some_and(|(_, token)| token.parent_ancestors().any(|node| is_block(&node)))
        })
}

fn is_block(node: &SyntaxNode) -> bool {
    let is_async = || node.children_with_tokens().any(|child| child.kind() == SyntaxKind::ASYNC_KW);
    node.kind() == SyntaxKind::CLOSURE_EXPR || (node.kind() == SyntaxKind::BLOCK_EXPR && is_async())
}
