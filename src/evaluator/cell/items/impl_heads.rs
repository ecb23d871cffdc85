//! What an `impl` is for, in words that do not change when its parameters are renamed, ordered or bounded otherwise.
//!
//! Two blocks of which the compiler would have only one get the same words. It does not tell types apart by their
//! lifetimes, so these are left out.

use crate::evaluator::cell::parse::syntax::meaningful_tokens;
use ra_ap_syntax::ast::{self, AstNode, HasGenericParams, HasName};
use ra_ap_syntax::{SyntaxKind, SyntaxToken};
use std::collections::BTreeMap;

/// The trait, if there is one, and the type that a block is for.
pub(in crate::evaluator::cell) fn head(block: &ast::Impl) -> Option<String> {
    let this = block.self_ty()?;
    let mut tokens = Vec::new();
    if let Some(of) = block.trait_() {
        tokens.extend(meaningful_tokens(of.syntax()));
    }
    let (type_start, rest) = (tokens.len(), meaningful_tokens(this.syntax()));
    tokens.extend(rest);
    let parameters = block.generic_param_list().into_iter().flat_map(|list| list.generic_params());
    let names = parameters.filter_map(|parameter| match parameter {
        ast::GenericParam::TypeParam(parameter) => parameter.name(),
        ast::GenericParam::ConstParam(parameter) => parameter.name(),
        ast::GenericParam::LifetimeParam(_) => None,
    });
    let mut writer =
        Writer { words: Vec::new(), parameters: names.map(|name| (bare(name.text()).to_owned(), None)).collect() };
    writer.write(&tokens[..type_start]);
    if type_start > 0 {
        writer.words.push("for".to_owned());
    }
    writer.write(&tokens[type_start..]);
    Some(writer.words.join(" "))
}

/// A name as it is without having been written raw.
fn bare(name: &str) -> &str {
    name.trim_start_matches("r#")
}

struct Writer {
    words: Vec<String>,
    /// The block's parameters, and their numbers in the order in which they are first named.
    parameters: BTreeMap<String, Option<usize>>,
}

impl Writer {
    fn write(&mut self, tokens: &[SyntaxToken]) {
        use SyntaxKind::{COLON2, COMMA, CRATE_KW, FOR_KW, L_ANGLE, LIFETIME_IDENT, PLUS, R_ANGLE, SELF_KW};
        let kind = |index: usize| tokens.get(index).map(SyntaxToken::kind);
        let mut index = 0;
        while let Some(token) = tokens.get(index) {
            let next = kind(index + 1);
            index += 1;
            match token.kind() {
                // With what separates it from its neighbours.
                LIFETIME_IDENT if self.ends_in("+") => drop(self.words.pop()),
                LIFETIME_IDENT => index += usize::from(matches!(next, Some(COMMA | PLUS))),
                R_ANGLE if self.ends_in("<") => drop(self.words.pop()),
                R_ANGLE if self.ends_in(",") => {
                    self.words.pop();
                    self.words.push(">".to_owned());
                }
                // `for<'a>`
                FOR_KW if next == Some(L_ANGLE) => {}
                CRATE_KW | SELF_KW if next == Some(COLON2) => index += 1,
                COLON2 if !self.ends_in_name() => {}
                _ => {
                    let word = self.word(token, next);
                    self.words.push(word);
                }
            }
        }
    }

    fn word(&mut self, token: &SyntaxToken, next: Option<SyntaxKind>) -> String {
        let text = bare(token.text());
        // `a::T` and `<T = u8>` are other names.
        let is_other = self.ends_in("::") || next == Some(SyntaxKind::EQ);
        let count = self.parameters.values().flatten().count();
        match self.parameters.get_mut(text).filter(|_| !is_other) {
            Some(number) => format!("#{}", number.get_or_insert(count)),
            None => text.to_owned(),
        }
    }

    fn ends_in(&self, word: &str) -> bool {
        self.words.last().is_some_and(|last| last == word)
    }

    /// Whether what is written ends so that a path can go on behind it.
    fn ends_in_name(&self) -> bool {
        self.words.last().is_some_and(|last| last.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '>'))
            && !["for", "dyn", "mut", "const"].iter().any(|keyword| self.ends_in(keyword))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ra_ap_syntax::{Edition, SourceFile};

    fn head_of(code: &str) -> String {
        let file = SourceFile::parse(code, Edition::Edition2024);
        assert!(file.errors().is_empty(), "{code}: {:?}", file.errors());
        head(&file.syntax_node().children().find_map(ast::Impl::cast).expect("an impl")).expect("a head")
    }

    #[test]
    fn what_the_compiler_has_only_once_has_one_head() {
        for (one, other) in [
            ("impl<T: Mammal> Mammal for Vec<T> {}", "impl<M> Mammal for Vec<M> where M: Mammal {}"),
            ("impl<A, B> X<A> for Y<B> {}", "impl<U, V: Copy> X<V> for Y<U,> {}"),
            ("impl<'a> X for A<'a> {}", "impl X for A<'_> {}"),
            ("impl<'a, T> X for A<'a, T> {}", "impl<T, 'b> X for A<'b, T> where T: 'b {}"),
            ("impl<'a> X for &'a str {}", "impl X for &str {}"),
            ("impl X for Box<dyn Y + 'static> {}", "impl X for Box<dyn Y> {}"),
            ("impl X for Box<dyn 'static + Y> {}", "impl X for Box<dyn Y> {}"),
            ("impl X for Box<dyn for<'a> Fn(&'a u8)> {}", "impl X for Box<dyn Fn(&u8)> {}"),
            ("impl<const N: usize> X for [u8; N] {}", "impl<const LEN: usize> X for [u8; LEN] {}"),
            ("impl crate::a::X for self::B {}", "impl a::X for B {}"),
            ("impl ::std::fmt::Debug for B {}", "impl std::fmt::Debug for B {}"),
            ("unsafe impl Send for B {}", "impl !Send for B {}"),
            ("impl<T: X> Y for T {}", "impl<U: Z + ?Sized> Y for U {}"),
            ("impl<T> W<T> { fn f() {} }", "impl<U: Copy> W<U> { fn g() {} }"),
            ("impl<T> X for r#type<T> {}", "impl<r#U> X for r#type<r#U> {}"),
        ] {
            assert_eq!(head_of(one), head_of(other));
        }
    }

    #[test]
    fn what_can_be_there_side_by_side_has_heads_of_its_own() {
        for (one, other) in [
            ("impl From<A> for X {}", "impl From<B> for X {}"),
            ("impl<T> X for Vec<T> {}", "impl X for Vec<u8> {}"),
            ("impl<A, B> X<A> for Y<B> {}", "impl<A> X<A> for Y<A> {}"),
            ("impl std::fmt::Write for A {}", "impl std::io::Write for A {}"),
            ("impl X for (A,) {}", "impl X for (A) {}"),
            ("impl X for &A {}", "impl X for &mut A {}"),
            ("impl<T> X for a::T {}", "impl<T> X for T {}"),
            ("impl<T> X<T = u8> for A {}", "impl<T> X<U = u8> for A {}"),
            ("impl W<f32> {}", "impl W<f64> {}"),
            ("impl<const N: usize> X for [u8; N] {}", "impl X for [u8; 3] {}"),
        ] {
            assert_ne!(head_of(one), head_of(other));
        }
    }
}
