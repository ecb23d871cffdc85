//! `kernel_info`: what the kernel says about itself.

use super::{Okay, PROTOCOL_VERSION, content, execute::OK};
use serde::Serialize;

/// Optional parts of the protocol that the kernel has, by the names that front ends look for.
const FEATURES: &[&str] = &["kernel subshells", "iopub_welcome"];

/// `kernel_info_reply`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KernelInfoReply {
    status: Okay,
    protocol_version: &'static str,
    implementation: &'static str,
    implementation_version: &'static str,
    language_info: LanguageInfo,
    banner: String,
    help_links: Vec<HelpLink>,
    /// Names of optional parts of the protocol (JEP 92).
    supported_features: &'static [&'static str],
}

impl KernelInfoReply {
    /// The reply of a kernel whose cells are compiled by this version of Rust.
    pub fn new(rust_version: &str) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        let link = |text, url| HelpLink { text, url };
        Self {
            status: OK,
            protocol_version: PROTOCOL_VERSION,
            implementation: "loopbook",
            implementation_version: version,
            language_info: LanguageInfo {
                name: "rust",
                version: rust_version.to_owned(),
                mimetype: "text/rust",
                file_extension: ".rs",
                pygments_lexer: "rust",
                codemirror_mode: "rust",
                nbconvert_exporter: "script",
            },
            banner: format!("Loopbook {version}: async Rust {rust_version}, on one event loop. Commands: :help"),
            help_links: vec![
                link("The Rust Standard Library", "https://doc.rust-lang.org/std/"),
                link("Asynchronous Programming in Rust", "https://rust-lang.github.io/async-book/"),
                link("async-std", "https://docs.rs/async-std/latest/async_std/"),
            ],
            supported_features: FEATURES,
        }
    }
}

/// `language_info`: nbconvert and front ends highlight and export by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LanguageInfo {
    /// `rust`
    pub name: &'static str,
    /// Of the compiler.
    pub version: String,
    /// Of a file of code.
    pub mimetype: &'static str,
    /// With its dot.
    pub file_extension: &'static str,
    /// For nbconvert.
    pub pygments_lexer: &'static str,
    /// For front ends.
    pub codemirror_mode: &'static str,
    /// `script`: nbconvert's own exporter for code of any language.
    pub nbconvert_exporter: &'static str,
}

/// An entry of the front end's help menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct HelpLink {
    /// What the menu says.
    pub text: &'static str,
    /// Where it leads.
    pub url: &'static str,
}

content! { KernelInfoReply => "kernel_info_reply" }
