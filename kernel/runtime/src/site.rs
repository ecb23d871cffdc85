//! From a place in compiled code to the cell and line that the user wrote.
//!
//! Every cell is compiled as `src/lib.rs`, with the items of earlier cells in it. The kernel puts a mark
//! `/*lb:CELL:LINE*/` on each line of a cell; when a cell is loaded, the marks are read from the file that was just
//! compiled and kept under the path of its shared object, which is what `dladdr` gives for a [`Location`] in it.

use crate::sync::lock;
use loopbook_channel::{SOURCE_ENV, Site};
use std::collections::HashMap;
use std::ffi::{CStr, OsString, c_void};
use std::panic::Location;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

/// The file of every cell, as rustc writes it into locations.
const CELL_FILE: &str = "src/lib.rs";

static SOURCE: OnceLock<Option<OsString>> = OnceLock::new();
/// What was resolved before, by address: a location is a static of an object that is never unloaded.
static RESOLVED: Mutex<Option<HashMap<usize, Option<Site>>>> = Mutex::new(None);
static LIBRARIES: Mutex<Option<HashMap<Vec<u8>, Arc<Marks>>>> = Mutex::new(None);

/// Line of the compiled file to execution count and line of the cell.
type Marks = HashMap<u32, (u32, u32)>;

/// The place in a cell, or, for code outside of cells, `file:line:column`.
pub(crate) fn resolve(location: &'static Location<'static>) -> (Option<Site>, Option<String>) {
    match in_cell(location) {
        Some(site) => (Some(site), None),
        None => (None, Some(format!("{}:{}:{}", short(location.file()), location.line(), location.column()))),
    }
}

/// Remembers where the source of each cell is written; read once, while the child's environment still says so.
pub(crate) fn remember_source() {
    SOURCE.get_or_init(|| std::env::var_os(SOURCE_ENV));
}

/// Reads the marks of the cell that was just loaded from the shared object `library`.
pub(crate) fn learn(library: &CStr) {
    if let Some(Some(source)) = SOURCE.get() {
        learn_from(library, Path::new(source));
    }
}

/// Reads the marks of the cell that was compiled from `source` to the shared object `library`.
pub(crate) fn learn_from(library: &CStr, source: &Path) {
    // Without the source, places are unknown, and nothing else is lost.
    let Ok(text) = std::fs::read(source) else { return };
    let marks = Arc::new(parse(&String::from_utf8_lossy(&text)));
    lock(&LIBRARIES).get_or_insert_default().insert(library.to_bytes().to_vec(), marks);
}

/// The place in a cell, if it is one.
pub(crate) fn in_cell(location: &'static Location<'static>) -> Option<Site> {
    if location.file() != CELL_FILE {
        return None;
    }
    let address = std::ptr::from_ref(location).addr();
    *lock(&RESOLVED).get_or_insert_default().entry(address).or_insert_with(|| look_up(location))
}

fn look_up(location: &'static Location<'static>) -> Option<Site> {
    let marks = lock(&LIBRARIES).as_ref()?.get(library_of(std::ptr::from_ref(location).cast())?.to_bytes()).cloned()?;
    let &(cell, line) = marks.get(&location.line())?;
    Some(Site { cell, line, column: location.column() })
}

/// The path from which the shared object around a static was loaded.
pub(crate) fn library_of(address: *const c_void) -> Option<&'static CStr> {
    // SAFETY: all-zero is a valid `Dl_info`, which is a struct of pointers.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: `dladdr` only compares the address with the segments of loaded objects and fills `info`.
    let found = unsafe { libc::dladdr(address, &mut info) };
    if found == 0 || info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: the name lives as long as the object is loaded, and cells are never unloaded.
    Some(unsafe { CStr::from_ptr(info.dli_fname) })
}

/// Finds the first mark of each line.
fn parse(text: &str) -> Marks {
    let numbered = text.lines().zip(1..);
    numbered.filter_map(|(line, number)| Some((number, mark(line)?))).collect()
}

fn mark(line: &str) -> Option<(u32, u32)> {
    let mut rest = line;
    loop {
        rest = rest.split_once("/*lb:")?.1;
        let inside = rest.split_once("*/").and_then(|(inside, _)| inside.split_once(':'));
        if let Some((Ok(cell), Ok(line))) = inside.map(|(cell, line)| (cell.parse(), line.parse())) {
            return Some((cell, line));
        }
    }
}

/// A path of a dependency without the machine's own part: from the crate's directory on.
fn short(file: &str) -> &str {
    let Some(at) = file.find("/registry/src/") else { return file };
    let inside = &file[at + "/registry/src/".len()..];
    inside.split_once('/').map_or(file, |(_, path)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_mark_of_a_line_counts_wherever_it_stands() {
        let marks = parse("use x;\n/*lb:3:1*/let a = 1;\nfn /*lb:2:7*/ f() {} /*lb:9:9*/\n/*lb:x*/ /*lb:4:5*/\n");
        assert_eq!(marks, HashMap::from([(2, (3, 1)), (3, (2, 7)), (4, (4, 5))]));
    }

    #[test]
    fn a_place_in_a_dependency_starts_at_its_crate() {
        assert_eq!(short("/h/.cargo/registry/src/index-1/futures-0.3/src/lib.rs"), "futures-0.3/src/lib.rs");
        assert_eq!(short("src/x.rs"), "src/x.rs");
    }
}
