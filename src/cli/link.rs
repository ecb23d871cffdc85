//! The link by which shells find the program. Jupyter does not need it.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::places::is_in_path;

/// Makes `link` lead to `program`, unless there is something of somebody else's. Gives a line about what is there now:
/// an installation without the link works.
pub(super) fn make(link: &Path, program: &Path) -> String {
    let at = link.display();
    let run_it = format!("run {} instead", program.display());
    let Some(directory) = link.parent() else { return format!("{at} cannot be one; {run_it}") };
    match place(link, program) {
        Ok(true) if is_in_path(directory) => format!("{at}"),
        Ok(true) => format!("{at}; put {} into PATH to run `loopbook`", directory.display()),
        Ok(false) => format!("{at} is not ours and stays as it is; {run_it}"),
        Err(error) => format!("{at} could not be made: {error}; {run_it}"),
    }
}

/// Removes `link` if it leads to `program`. Says whether it did.
pub(super) fn remove(link: &Path, program: &Path) -> io::Result<bool> {
    let is_ours = is_ours(link, program);
    if is_ours {
        fs::remove_file(link)?;
    }
    Ok(is_ours)
}

/// Whether `link` leads to `program`, which need not exist.
pub(super) fn is_ours(link: &Path, program: &Path) -> bool {
    fs::read_link(link).is_ok_and(|target| target == program)
}

/// Says whether the link leads to the program now.
fn place(link: &Path, program: &Path) -> io::Result<bool> {
    if is_ours(link, program) {
        return Ok(true);
    }
    match fs::symlink_metadata(link) {
        // Left by an installation that was removed by hand.
        Ok(found) if found.is_symlink() && !link.exists() => fs::remove_file(link)?,
        Ok(_) => return Ok(false),
        Err(_) => {}
    }
    if let Some(directory) = link.parent() {
        fs::create_dir_all(directory)?;
    }
    symlink(program, link)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn program(root: &Path) -> PathBuf {
        let program = root.join("share/loopbook/bin/loopbook");
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        fs::write(&program, "").unwrap();
        program
    }

    #[test]
    fn a_link_is_made_with_its_directory_and_removed_again() {
        let root = tempfile::tempdir().unwrap();
        let (program, link) = (program(root.path()), root.path().join("new/bin/loopbook"));
        for _ in 0..2 {
            let told = make(&link, &program);
            assert!(told.contains("into PATH"), "{told}");
            assert!(is_ours(&link, &program));
        }
        assert!(remove(&link, &program).unwrap());
        assert!(!remove(&link, &program).unwrap());
    }

    #[test]
    fn what_somebody_else_put_there_is_neither_replaced_nor_removed() {
        let root = tempfile::tempdir().unwrap();
        let (program, link) = (program(root.path()), root.path().join("loopbook"));
        let other = root.path().join("other");
        fs::write(&other, "theirs").unwrap();
        fs::write(&link, "theirs").unwrap();
        for _ in 0..2 {
            assert!(make(&link, &program).contains("not ours"));
            assert!(!remove(&link, &program).unwrap());
            assert_eq!(fs::read(&link).unwrap(), b"theirs");
            fs::remove_file(&link).unwrap();
            symlink(&other, &link).unwrap();
        }
    }

    #[test]
    fn a_link_that_leads_nowhere_is_replaced() {
        let root = tempfile::tempdir().unwrap();
        let (program, link) = (program(root.path()), root.path().join("loopbook"));
        symlink(root.path().join("gone"), &link).unwrap();
        make(&link, &program);
        assert!(is_ours(&link, &program));
    }
}
