//! rust-analyzer itself, and its answers as the kernel wants them.

use super::project::Sources;
use crate::evaluator::Completions;
use crate::evaluator::completion::rust_analyzer::{Offer, readable};
use crate::evaluator::completion::text::Text;
use ra_ap_base_db::SourceRoot;
use ra_ap_hir::{ChangeWithProcMacros, PrefixKind};
use ra_ap_ide::{
    AnalysisHost, CallableSnippets, CompletionConfig, CompletionFieldsToResolve, CompletionItem, CompletionItemKind,
    FilePosition, FileRange, HoverConfig, HoverDocFormat, RaFixtureConfig, SubstTyLen,
};
use ra_ap_ide_db::imports::insert_use::{ImportGranularity, InsertUseConfig};
use ra_ap_ide_db::{FxHashMap, SnippetCap, SymbolKind};
use ra_ap_paths::AbsPath;
use ra_ap_syntax::{TextRange, TextSize};
use ra_ap_vfs::file_set::FileSetConfig;
use ra_ap_vfs::{Change, FileId, Vfs, VfsPath};

/// rust-analyzer's state.
#[derive(Default)]
pub(super) struct Host {
    host: AnalysisHost,
    files: Vfs,
    /// The file that is the text, once there is a project.
    file: Option<FileId>,
}

/// What rust-analyzer says of a name.
#[derive(Debug)]
pub(super) struct Hover {
    pub(super) text: String,
    pub(super) html: String,
}

impl Host {
    /// Shows it a project. What it knows of crates that stay as they are it keeps.
    pub(super) fn take_over(&mut self, sources: Sources) {
        let Sources { workspace, files, root } = sources;
        let place: VfsPath = root.clone().into();
        for (path, bytes) in files {
            self.files.set_file_contents(path.into(), Some(bytes));
        }
        let mut change = ChangeWithProcMacros::default();
        for (file, changed) in self.files.take_changes() {
            if let Change::Create(bytes, _) | Change::Modify(bytes, _) = changed.change {
                change.change_file(file, String::from_utf8(bytes).ok());
            }
        }
        // All but the text changes so rarely that it need not be compared each time.
        let mut sets = FileSetConfig::builder();
        sets.add_file_set(root.parent().map(|directory| directory.to_path_buf().into()).into_iter().collect());
        let mut roots = sets.build().partition(&self.files).into_iter();
        let text = roots.next().map(SourceRoot::new_local);
        change.set_roots(text.into_iter().chain(roots.map(SourceRoot::new_library)).collect());
        let id = |path: &VfsPath| self.files.file_id(path).map(|(file, _)| file);
        let mut find = |path: &AbsPath| id(&path.to_path_buf().into());
        let (graph, _) = workspace.to_crate_graph(&mut find, &FxHashMap::default());
        change.set_crate_graph(graph);
        self.file = id(&place);
        self.host.apply_change(change);
    }

    /// Completions at an offset in the code of a text.
    pub(super) fn complete(&mut self, text: Text, cursor: usize) -> Completions {
        let nothing = Completions { start: cursor, end: cursor, items: Vec::new() };
        let Some((position, text)) = self.show(text, cursor) else { return nothing };
        let offers = self.host.analysis().completions(&completion_config(), position, None);
        let offers = offers.ok().flatten().unwrap_or_default();
        let typed = text.whole.get(text.start..text.start + cursor).unwrap_or_default();
        // Some offers replace more: what stands before the dot, too.
        let word = offers.iter().filter_map(replaced).max_by_key(|range| range.start());
        let Some(word) = word else { return nothing };
        let Some(start) = usize::from(word.start()).checked_sub(text.start).filter(|start| *start <= cursor) else {
            return nothing;
        };
        let end = (usize::from(word.end()) - text.start).min(text.length);
        let begun = &typed[start..];
        let fitting = offers.iter().filter(|offer| replaced(offer) == Some(word) && offer.lookup().starts_with(begun));
        let items = readable(fitting.filter_map(offer), begun);
        Completions { start, end, items }
    }

    /// What there is to say of the name that begins at an offset in the code of a text.
    pub(super) fn hover(&mut self, text: Text, at: usize) -> Option<Hover> {
        let (FilePosition { file_id, offset }, _) = self.show(text, at)?;
        let range = FileRange { file_id, range: TextRange::empty(offset) };
        let analysis = self.host.analysis();
        let say = |format| Some(analysis.hover(&hover_config(format), range).ok()??.info.markup.to_string());
        let (text, markdown) = (say(HoverDocFormat::PlainText)?, say(HoverDocFormat::Markdown)?);
        let mut html = String::new();
        pulldown_cmark::html::push_html(&mut html, pulldown_cmark::Parser::new(&markdown));
        // The crate that cells are compiled in is nobody's business.
        let text = text.strip_prefix("ctx\n").unwrap_or(&text).trim_start().to_owned();
        let html = html.replacen("<pre><code class=\"language-rust\">ctx\n</code></pre>\n", "", 1);
        Some(Hover { text, html })
    }

    /// Has it read a text. `None` if there is no project, or the text is too long.
    fn show(&mut self, text: Text, offset: usize) -> Option<(FilePosition, Text)> {
        let file_id = self.file?;
        let mut change = ChangeWithProcMacros::default();
        change.change_file(file_id, Some(text.whole.clone()));
        self.host.apply_change(change);
        let offset = TextSize::new(u32::try_from(text.start + offset).ok()?);
        Some((FilePosition { file_id, offset }, text))
    }
}

/// What an offer replaces, if that is one range.
fn replaced(item: &CompletionItem) -> Option<TextRange> {
    let mut edits = item.text_edit.iter();
    edits.next().filter(|_| edits.next().is_none()).map(|edit| edit.delete)
}

fn offer(item: &CompletionItem) -> Option<Offer> {
    let code = item.text_edit.iter().next()?.insert.clone();
    Some(Offer { code, kind: kind(item.kind), label: item.label.primary.to_string() })
}

/// As Jupyter's completions have it.
fn kind(kind: CompletionItemKind) -> &'static str {
    use SymbolKind as S;
    match kind {
        CompletionItemKind::Keyword => "keyword",
        CompletionItemKind::SymbolKind(symbol) => match symbol {
            S::Function | S::Method => "function",
            S::Macro | S::ProcMacro | S::Derive | S::DeriveHelper | S::Attribute | S::BuiltinAttr => "macro",
            S::Module | S::CrateRoot | S::ToolModule => "module",
            S::Struct | S::Enum | S::Union | S::TypeAlias | S::TypeParam | S::SelfType => "class",
            S::Trait => "trait",
            _ => "instance",
        },
        _ => "instance",
    }
}

/// Names with their arguments, and nothing that would have to be imported first.
fn completion_config() -> CompletionConfig<'static> {
    CompletionConfig {
        enable_postfix_completions: true,
        enable_imports_on_the_fly: false,
        enable_self_on_the_fly: true,
        enable_auto_iter: true,
        enable_auto_await: true,
        enable_private_editable: true,
        // It makes up whole expressions, which takes long.
        enable_term_search: false,
        term_search_fuel: 0,
        full_function_signatures: true,
        callable: Some(CallableSnippets::FillArguments),
        add_colons_to_module: true,
        add_semicolon_to_unit: true,
        snippet_cap: SnippetCap::new(true),
        insert_use: InsertUseConfig {
            granularity: ImportGranularity::Item,
            enforce_granularity: false,
            prefix_kind: PrefixKind::ByCrate,
            group: false,
            skip_glob_imports: false,
        },
        prefer_no_std: false,
        prefer_prelude: false,
        prefer_absolute: false,
        snippets: Vec::new(),
        limit: None,
        fields_to_resolve: CompletionFieldsToResolve::empty(),
        exclude_flyimport: Vec::new(),
        exclude_traits: &[],
        ra_fixture: RaFixtureConfig::default(),
    }
}

fn hover_config(format: HoverDocFormat) -> HoverConfig<'static> {
    HoverConfig {
        links_in_hover: true,
        memory_layout: None,
        documentation: true,
        keywords: true,
        format,
        max_trait_assoc_items_count: None,
        max_fields_count: Some(5),
        max_enum_variants_count: Some(5),
        max_subst_ty_len: SubstTyLen::Unlimited,
        show_drop_glue: false,
        ra_fixture: RaFixtureConfig::default(),
    }
}
