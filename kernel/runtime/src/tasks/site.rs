//! Sites: from a place in compiled code to the cell and line that the user wrote.
//!
//! Every cell is compiled as `src/lib.rs`, with the items of earlier cells in it. The kernel puts a [`Mark`] on each
//! line and statement of a cell; when a cell is loaded, the marks are read from the file that was just compiled and
//! kept under the path of its shared object, which is what `dladdr` gives for a [`Location`] in it. What stands in
//! which column of a marked line is known from the kernel.
//!
//! What user code reads from a [`Location`] itself stays the place in `src/lib.rs`: rustc has no `#line`, a path can
//! only be remapped by its beginning, and a `Location` cannot be made. Backtraces have no symbols (`-Cstrip=symbols`)
//! that could be mapped.

use crate::support::sync::lock;
use loopbook_channel::{CompiledLine, Mark, SOURCE_ENV, Site};
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
static LIBRARIES: Mutex<Option<HashMap<Vec<u8>, Arc<Library>>>> = Mutex::new(None);
/// By the number of the cell.
static COLUMNS: Mutex<Option<HashMap<u32, Arc<Columns>>>> = Mutex::new(None);

/// What is known of a shared object.
struct Library {
    /// The first mark of each line of the file that it was compiled from.
    marks: HashMap<u32, Mark>,
    /// Of the cells that these name. Another cell may have the same number later.
    columns: HashMap<u32, Arc<Columns>>,
}

/// The lines of a cell as they were compiled, by line and number of the mark.
type Columns = HashMap<(u32, u32), CompiledLine>;

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

/// Remembers where the columns of a cell stand when it is compiled.
pub(crate) fn learn_columns(number: u32, lines: Vec<CompiledLine>) {
    let lines = lines.into_iter().map(|line| ((line.line, line.nth), line)).collect();
    lock(&COLUMNS).get_or_insert_default().insert(number, Arc::new(lines));
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
    let marks = parse(&String::from_utf8_lossy(&text));
    let known = lock(&COLUMNS);
    let columns = marks.values().filter_map(|mark| Some((mark.cell, known.as_ref()?.get(&mark.cell)?.clone())));
    let columns = columns.collect();
    drop(known);
    let learnt = Arc::new(Library { marks, columns });
    lock(&LIBRARIES).get_or_insert_default().insert(library.to_bytes().to_vec(), learnt);
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
    let path = library_of(std::ptr::from_ref(location).cast())?;
    let library = lock(&LIBRARIES).as_ref()?.get(path.to_bytes()).cloned()?;
    let &Mark { cell, line, nth } = library.marks.get(&location.line())?;
    let compiled = library.columns.get(&cell).and_then(|columns| columns.get(&(line, nth)));
    Some(Site { cell, line, column: compiled.and_then(|compiled| compiled.column(location.column())) })
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
fn parse(text: &str) -> HashMap<u32, Mark> {
    let numbered = text.lines().zip(1..);
    numbered.filter_map(|(line, number)| Some((number, Mark::find(line)?.1))).collect()
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
        let marks = parse("use x;\n/*lb:3:1*/let a = 1;\nfn /*lb:2:7:2*/ f() {} /*lb:9:9*/\n/*lb:x*/ /*lb:4:5*/\n");
        let mark = |cell, line, nth| Mark { cell, line, nth };
        assert_eq!(marks, HashMap::from([(2, mark(3, 1, 0)), (3, mark(2, 7, 2)), (4, mark(4, 5, 0))]));
    }

    #[test]
    fn a_place_in_a_dependency_starts_at_its_crate() {
        assert_eq!(short("/h/.cargo/registry/src/index-1/futures-0.3/src/lib.rs"), "futures-0.3/src/lib.rs");
        assert_eq!(short("src/x.rs"), "src/x.rs");
    }
}
