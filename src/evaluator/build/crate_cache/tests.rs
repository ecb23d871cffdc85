//! Tests of compiled crates that are kept.

use super::*;

struct Machine {
    root: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let machine = Self { root: tempfile::tempdir().unwrap() };
        machine.write("template/key/crate/target/host/debug/deps/libloopbook.so", "runtime");
        machine.write("template/key/crate/target/host/debug/deps/libfutures-1.rlib", "futures");
        machine
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.root.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn cache(&self) -> CrateCache {
        CrateCache {
            directory: self.root.path().join(NAME).join("key"),
            template: self.root.path().join("template/key/crate/target"),
            bytes: BYTES,
        }
    }

    /// A kernel's `target`, with the template's files linked.
    fn kernel(&self, name: &str) -> PathBuf {
        let target = self.root.path().join("work").join(name).join("crate/target");
        let files = ["libloopbook.so", "libfutures-1.rlib"].map(|name| Path::new("host/debug/deps").join(name));
        put(&files, &self.cache().template, &target).unwrap();
        target
    }

    /// What cargo makes of a crate.
    fn compile(target: &Path, name: &str) {
        for (file, text) in [
            (format!("host/debug/deps/lib{name}-0123456789abcdef.rlib"), "rlib"),
            (format!("host/debug/.fingerprint/{name}-0123456789abcdef/lib-{name}"), "fingerprint"),
            ("host/debug/deps/libctx.so".to_owned(), "cell"),
        ] {
            let path = target.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
}

fn of(names: &[&str]) -> BTreeSet<Package> {
    names.iter().map(|name| ((*name).to_owned(), "1.0.0".to_owned(), "registry".to_owned())).collect()
}

fn has(target: &Path, name: &str) -> bool {
    let fingerprint = target.join(format!("host/debug/.fingerprint/{name}-0123456789abcdef/lib-{name}"));
    target.join(format!("host/debug/deps/lib{name}-0123456789abcdef.rlib")).exists() && fingerprint.exists()
}

#[test]
fn what_one_kernel_has_compiled_is_there_for_those_that_want_it() {
    let machine = Machine::new();
    let (cache, one) = (machine.cache(), machine.kernel("one"));
    Machine::compile(&one, "serde");
    cache.keep(&of(&["serde"]), &one).unwrap();
    cache.keep(&of(&["serde"]), &one).unwrap();
    assert_eq!(cache.sets().unwrap().len(), 1);
    let (two, three) = (machine.kernel("two"), machine.kernel("three"));
    cache.link(&of(&["serde", "regex"]), &two).unwrap();
    cache.link(&of(&["regex"]), &three).unwrap();
    assert!(has(&two, "serde") && !has(&three, "serde"));
    assert!(!two.join("host/debug/deps/libctx.so").exists());
    Machine::compile(&two, "regex");
    cache.keep(&of(&["serde", "regex"]), &two).unwrap();
    let four = machine.kernel("four");
    cache.link(&of(&["serde", "regex"]), &four).unwrap();
    assert!(has(&four, "serde") && has(&four, "regex"));
}

#[test]
fn what_is_damaged_or_half_done_is_not_used() {
    let machine = Machine::new();
    let (cache, one, two) = (machine.cache(), machine.kernel("one"), machine.kernel("two"));
    Machine::compile(&one, "serde");
    cache.keep(&of(&["serde"]), &one).unwrap();
    let [set] = &cache.sets().unwrap()[..] else { panic!("one set") };
    fs::write(set.join("target/host/debug/deps/libserde-0123456789abcdef.rlib"), "").unwrap();
    machine.write("compiled/key/.new-1/target/host/debug/deps/libregex-0123456789abcdef.rlib", "half");
    cache.link(&of(&["serde", "regex"]), &two).unwrap();
    assert!(!has(&two, "serde") && !has(&two, "regex"));
    assert!(cache.sets().unwrap().is_empty());
}

#[test]
fn a_kernel_with_another_runtime_or_the_same_crate_compiled_anew_takes_nothing() {
    let machine = Machine::new();
    let (cache, one) = (machine.cache(), machine.kernel("one"));
    Machine::compile(&one, "serde");
    Machine::compile(&one, "regex");
    cache.keep(&of(&["serde", "regex"]), &one).unwrap();
    let (two, three) = (machine.kernel("two"), machine.kernel("three"));
    fs::remove_file(two.join("host/debug/deps/libloopbook.so")).unwrap();
    fs::write(two.join("host/debug/deps/libloopbook.so"), "another").unwrap();
    cache.link(&of(&["serde", "regex"]), &two).unwrap();
    Machine::compile(&three, "serde");
    cache.link(&of(&["serde", "regex"]), &three).unwrap();
    assert!(!has(&two, "serde") && !has(&three, "regex"));
    cache.keep(&of(&["other"]), &two).unwrap();
    assert_eq!(cache.sets().unwrap().len(), 1);
}

#[test]
fn the_oldest_goes_first_and_all_of_a_template_that_is_gone() {
    let machine = Machine::new();
    let (cache, one, two) = (machine.cache(), machine.kernel("one"), machine.kernel("two"));
    Machine::compile(&one, "serde");
    cache.keep(&of(&["serde"]), &one).unwrap();
    machine.write("compiled/gone/set/contents", "{}");
    Machine::compile(&two, "regex");
    CrateCache { bytes: 20, ..cache.clone() }.keep(&of(&["regex"]), &two).unwrap();
    let [left] = &cache.sets().unwrap()[..] else { panic!("one set is left") };
    assert_eq!(Contents::read(left).unwrap().packages, of(&["regex"]));
    assert!(!machine.root.path().join("compiled/gone").exists());
}

#[test]
fn packages_that_somebody_may_edit_are_not_kept() {
    let package = |name: &str, source: &str| format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n{source}\n");
    let registry = "source = \"registry\"";
    let ours = package("ctx", "") + &package("futures", registry);
    let with = |more: &str| packages(&(ours.clone() + more), &ours);
    assert_eq!(with(&package("serde", registry)), Some(of(&["serde"])));
    assert_eq!(with(""), Some(BTreeSet::new()));
    assert_eq!(with(&package("mine", "")), None);
}
