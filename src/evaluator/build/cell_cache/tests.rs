//! Tests of the directory of compiled cells.

use super::*;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

fn entry(library: &[u8]) -> Entry {
    Entry {
        files: vec![("data.txt".into(), "0123".into())],
        variables: vec![("HOME".into(), Some("/h".into())), ("NONE".into(), None)],
        types: vec![("x".into(), "::std::vec::Vec<u8>".into())],
        refused: Some("it is a closure".into()),
        success: true,
        said: b"{\"a\":1}\nwarning\n".to_vec(),
        library: Some(library.to_owned()),
    }
}

fn set_age(cache: &Path, name: &str, age: Duration) {
    let file = OpenOptions::new().write(true).open(cache.join(NAME).join(name)).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

#[test]
fn what_was_kept_comes_back_and_only_its_owner_can_read_it() {
    let root = tempfile::tempdir().unwrap();
    let cells = CellCache::open_with(&root.path().join("cache"), BYTES).unwrap();
    assert_eq!(cells.get("a"), None);
    cells.put("a", &entry(b"\x7fELF\n\n")).unwrap();
    assert_eq!(cells.get("a"), Some(entry(b"\x7fELF\n\n")));
    let failed = Entry { success: false, library: None, ..entry(b"") };
    cells.put("b", &failed).unwrap();
    assert_eq!(cells.get("b"), Some(failed));
    let mode = |path: PathBuf| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!((mode(root.path().join("cache/cells")), mode(root.path().join("cache/cells/a"))), (0o700, 0o600));
    assert_eq!(cells.usage().unwrap().0, 2);
    cells.clear().unwrap();
    assert_eq!(cells.usage().unwrap(), (0, 0));
}

#[test]
fn a_damaged_entry_is_never_taken_for_a_cell() {
    let root = tempfile::tempdir().unwrap();
    let cells = CellCache::open_with(root.path(), BYTES).unwrap();
    let path = root.path().join("cells/a");
    cells.put("a", &entry(b"library")).unwrap();
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        for content in [damaged, whole[..at].to_vec()] {
            fs::write(&path, content).unwrap();
            assert_eq!(cells.get("a"), None, "byte {at}");
            assert!(!path.exists());
        }
    }
    fs::write(&path, &whole).unwrap();
    assert!(cells.get("a").is_some());
}

#[test]
fn what_was_not_used_for_longest_goes_first() {
    let root = tempfile::tempdir().unwrap();
    let size = entry(&[0; 1000]).to_bytes().unwrap().len() as u64;
    let cells = CellCache::open_with(root.path(), 3 * size).unwrap();
    for (name, hours) in [("a", 3), ("b", 2), ("c", 1)] {
        cells.put(name, &entry(&[0; 1000])).unwrap();
        set_age(root.path(), name, Duration::from_secs(hours * 3600));
    }
    cells.touch("a");
    cells.put("d", &entry(&[0; 1000])).unwrap();
    let kept: Vec<bool> = ["a", "b", "c", "d"].iter().map(|name| cells.get(name).is_some()).collect();
    assert_eq!(kept, [true, false, true, true]);
    cells.put("e", &entry(&[0; 10_000])).unwrap();
    assert_eq!(cells.get("e"), None, "larger than all may be");
    assert_eq!(cells.usage().unwrap(), (3, 3 * size));
}

#[test]
fn what_a_killed_process_has_left_is_swept_and_what_another_one_writes_is_not() {
    let root = tempfile::tempdir().unwrap();
    let cells = CellCache::open_with(root.path(), BYTES).unwrap();
    for name in [".new-left", ".new-being-written"] {
        fs::write(root.path().join("cells").join(name), "half").unwrap();
    }
    set_age(root.path(), ".new-left", ABANDONED * 2);
    cells.put("a", &entry(b"")).unwrap();
    assert_eq!(cells.usage().unwrap().0, 1);
    let exists = |name: &str| root.path().join("cells").join(name).exists();
    assert!(!exists(".new-left") && exists(".new-being-written"));
}

#[test]
fn a_directory_that_others_could_have_filled_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let refused = |cache: &Path| CellCache::open_with(cache, BYTES).unwrap_err().to_string();
    let open = root.path().join("open");
    fs::create_dir_all(open.join("cells")).unwrap();
    fs::set_permissions(open.join("cells"), fs::Permissions::from_mode(0o750)).unwrap();
    assert!(refused(&open).contains("open to other users"));
    let link = root.path().join("link");
    fs::create_dir_all(&link).unwrap();
    fs::create_dir(root.path().join("elsewhere")).unwrap();
    symlink(root.path().join("elsewhere"), link.join("cells")).unwrap();
    assert!(refused(&link).contains("not a directory"));
    if rustix::process::geteuid().is_root() {
        let foreign = root.path().join("foreign");
        drop(CellCache::open_with(&foreign, BYTES).unwrap());
        std::os::unix::fs::chown(foreign.join("cells"), Some(12345), None).unwrap();
        assert!(refused(&foreign).contains("belongs to somebody else"));
    }
}

#[test]
fn kernels_that_keep_and_make_room_at_once_do_not_disturb_each_other() {
    let root = tempfile::tempdir().unwrap();
    let size = entry(&[0; 1000]).to_bytes().unwrap().len() as u64;
    let cells = CellCache::open_with(root.path(), 5 * size).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let cells = &cells;
            scope.spawn(move || {
                for number in 0..50 {
                    cells.put(&format!("{thread}-{number}"), &entry(&[thread; 1000])).unwrap();
                    let found = cells.get(&format!("{thread}-{number}"));
                    assert!(found.is_none_or(|found| found == entry(&[thread; 1000])));
                }
            });
        }
    });
    cells.put("last", &entry(&[0; 1000])).unwrap();
    assert!(cells.usage().unwrap().1 <= 5 * size);
}
