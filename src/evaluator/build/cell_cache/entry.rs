//! What is kept of a cell: what rustc has made and said, and what of the world it has looked at.
//!
//! A file has a digest of all that follows in its first line, a header in JSON in its second, and then what rustc said and
//! the shared library, as they are.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::PathBuf;

/// A compiled cell, or one that does not compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::evaluator::build) struct Entry {
    /// Files that the cell's text includes, with the digests of what was in them.
    pub(in crate::evaluator::build) files: Vec<(PathBuf, String)>,
    /// Environment variables that it asks for, with their values; `None` for one that was not set.
    pub(in crate::evaluator::build) variables: Vec<(String, Option<String>)>,
    /// The types of the variables that the cell defines without writing them, by name.
    pub(in crate::evaluator::build) types: Vec<(String, String)>,
    /// What evcxr would say of a variable that it cannot store.
    pub(in crate::evaluator::build) refused: Option<String>,
    /// Whether it compiles.
    pub(in crate::evaluator::build) success: bool,
    /// rustc's messages.
    pub(in crate::evaluator::build) said: Vec<u8>,
    /// The shared library, if rustc has made one.
    pub(in crate::evaluator::build) library: Option<Vec<u8>>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    files: Vec<(PathBuf, String)>,
    variables: Vec<(String, Option<String>)>,
    types: Vec<(String, String)>,
    refused: Option<String>,
    success: bool,
    said: usize,
    has_library: bool,
}

impl Entry {
    /// The content of its file.
    pub(super) fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        let mut rest = serde_json::to_vec(&Header {
            files: self.files.clone(),
            variables: self.variables.clone(),
            types: self.types.clone(),
            refused: self.refused.clone(),
            success: self.success,
            said: self.said.len(),
            has_library: self.library.is_some(),
        })?;
        rest.push(b'\n');
        rest.extend_from_slice(&self.said);
        rest.extend_from_slice(self.library.as_deref().unwrap_or_default());
        let mut content = format!("{}\n", hex::encode(Sha256::digest(&rest))).into_bytes();
        content.append(&mut rest);
        Ok(content)
    }

    /// Reads the content of a file; `None` if it is not what was written.
    pub(super) fn parse(content: &[u8]) -> Option<Self> {
        let (digest, rest) = line(content)?;
        if hex::encode(Sha256::digest(rest)).as_bytes() != digest {
            return None;
        }
        let (header, rest) = line(rest)?;
        let header: Header = serde_json::from_slice(header).ok()?;
        let (said, library) = rest.split_at_checked(header.said)?;
        Some(Self {
            files: header.files,
            variables: header.variables,
            types: header.types,
            refused: header.refused,
            success: header.success,
            said: said.to_owned(),
            library: header.has_library.then(|| library.to_owned()),
        })
    }
}

/// The first line, without its end, and what follows.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((&bytes[..end], &bytes[end + 1..]))
}
