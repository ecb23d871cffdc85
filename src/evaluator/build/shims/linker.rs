//! The C compiler that rustc calls to link a cell: rustc's own linker, without what takes long about the way there.
//!
//! `cc` starts `collect2`, which starts a wrapper, which starts `rust-lld`; and that reads every symbol of the standard
//! library and of the runtime, for a library that names a few dozen of them. A shared library may leave names to whoever
//! loads it, so that `rust-lld` needs no more of those two than what they are called: it gets a stub of each, an empty library
//! of the same name. Whatever is out of the ordinary, and whatever fails, goes to `cc` as it came, and so do its words.

use super::rustc::RPATH;
use super::state::State;
use super::times;
use super::{FAILED, process_group};
use crate::evaluator::support::timing::Step;
use rustix::process::Signal;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::iter;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::SystemTime;

/// The name by which rustc calls the C compiler, and by which people know it: errors of rustc's quote it.
pub(super) const NAME: &str = "cc";

/// Where this program has that name, beside the shims: a directory of its own, that only the rustc of cells looks into.
const DIRECTORY: &str = "linker";

/// Where it is known what `cc` adds.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// How `rust-lld` calls that target.
const EMULATION: [&str; 2] = ["-m", "elf_x86_64"];

/// Where distributions keep C libraries; what a directory lacks is looked for in the next.
const LIBRARIES: [&str; 4] = ["/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/lib64", "/usr/lib"];

/// Where gcc keeps its own, in a directory per target and version.
const GCC: &str = "/usr/lib/gcc";

/// Libraries that every cell is linked to. Others are wherever `cc` finds them.
const ORDINARY: [&str; 7] = ["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl", "-lc"];

/// With so many static libraries, which are there without any `:dep`, it takes longer to start threads than to link.
const FEW: usize = 8;

/// Variables by which `cc` looks elsewhere.
const ELSEWHERE: [&str; 3] = ["LIBRARY_PATH", "COMPILER_PATH", "GCC_EXEC_PREFIX"];

/// Has `rustc`, which `command` calls with these arguments, link by us if it can be.
pub(super) fn link_by_us(command: &mut Command, rustc: &Path, arguments: &[OsString]) {
    let Some((directory, path)) = directory(rustc, arguments).zip(env::var_os("PATH")) else { return };
    if let Ok(path) = env::join_paths(iter::once(directory).chain(env::split_paths(&path))) {
        command.env("PATH", path);
    }
}

/// The directory that must come first in the `PATH` of `rustc`, so that we link; `None` if the user has a linker of their own
/// or none at all, or if not all is there that we need.
fn directory(rustc: &Path, arguments: &[OsString]) -> Option<PathBuf> {
    if !is_ordinary(arguments) {
        return None;
    }
    let lld = rustc.parent()?.parent()?.join("lib/rustlib").join(TARGET).join("bin/rust-lld");
    System::of_this_machine().filter(|_| lld.is_file())?;
    // Without a C compiler rustc says so better.
    real_cc()?;
    let ours = Path::new(&env::var_os("RUSTC")?).with_file_name(DIRECTORY);
    ours.join(NAME).is_file().then_some(ours)
}

/// The first `cc` in `PATH` that is not this program.
fn real_cc() -> Option<PathBuf> {
    let ours = env::current_exe().and_then(fs::canonicalize).ok();
    let candidates = env::split_paths(&env::var_os("PATH")?).map(|directory| directory.join(NAME)).collect::<Vec<_>>();
    candidates.into_iter().find(|path| path.is_file() && fs::canonicalize(path).ok() != ours)
}

/// Whether rustc is to link for the target that we know, and the user has said nothing about how.
fn is_ordinary(arguments: &[OsString]) -> bool {
    let text: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
    let is_of_user = |argument: &str| {
        if argument.starts_with(RPATH) {
            return false;
        }
        let argument = argument.strip_prefix("-C").unwrap_or(argument);
        ["linker", "link-", "save-temps"].iter().any(|option| argument.starts_with(option))
    };
    text.windows(2).any(|pair| pair[0] == "--target" && pair[1] == TARGET)
        && !text.iter().any(|argument| is_of_user(argument))
}

/// Links, or becomes `cc`; returns without having linked only if that fails.
pub(super) fn main(arguments: &[OsString]) -> ExitCode {
    process_group::die_with_parent(Signal::KILL);
    let begin = SystemTime::now();
    let state = State::from_environment();
    if let Some(state) = &state
        && let Some(mut linker) = quick(state, arguments)
        && linker.status().is_ok_and(|status| status.success())
    {
        times::note(state, Step::Link, begin);
        return ExitCode::SUCCESS;
    }
    let Some(cc) = real_cc() else {
        eprintln!("error: cannot find {NAME} any more");
        return ExitCode::from(FAILED);
    };
    let error = Command::new(&cc).args(arguments).exec();
    eprintln!("error: cannot run {}: {error}", cc.display());
    ExitCode::from(FAILED)
}

/// `rust-lld` as it is to be called; `None` if only `cc` knows how.
fn quick(state: &State, arguments: &[OsString]) -> Option<Command> {
    if ELSEWHERE.iter().any(|name| env::var_os(name).is_some()) {
        return None;
    }
    let arguments: Vec<&str> = arguments.iter().map(|argument| argument.to_str()).collect::<Option<_>>()?;
    let system = System::of_this_machine()?;
    let lld = lld(&arguments).filter(|lld| lld.is_file())?;
    let linked = system.link(&arguments, |library| stub(state, &lld, library))?;
    let mut command = Command::new(lld);
    command.args(["-flavor", "gnu"]).args(linked).stdout(Stdio::null()).stderr(Stdio::null());
    Some(command)
}

/// The linker behind `-B…/gcc-ld`, by which rustc chooses its own.
fn lld(arguments: &[&str]) -> Option<PathBuf> {
    let wrappers = arguments.iter().find_map(|argument| argument.strip_prefix("-B"))?;
    let wrappers = Path::new(wrappers).to_owned();
    wrappers.ends_with("gcc-ld").then(|| wrappers.with_file_name("rust-lld"))
}

/// What gcc would add to its arguments.
#[derive(Debug)]
struct System {
    gcc: PathBuf,
    libraries: Vec<PathBuf>,
    /// The first two and the last two of the objects that every library is made of.
    objects: [PathBuf; 4],
}

impl System {
    fn of_this_machine() -> Option<Self> {
        Self::find(Path::new(GCC), &LIBRARIES.map(Path::new))
    }

    fn find(gcc: &Path, libraries: &[&Path]) -> Option<Self> {
        let versions = subdirectories(gcc).filter(|target| starts_with(target, "x86_64-"));
        let versions = versions.flat_map(|target| subdirectories(&target).collect::<Vec<_>>());
        let has_all = |directory: &PathBuf| {
            ["crtbeginS.o", "crtendS.o", "libgcc_s.so"].iter().all(|file| directory.join(file).is_file())
        };
        let gcc = versions.filter(has_all).max_by_key(|directory| version(directory))?;
        let libraries: Vec<_> =
            libraries.iter().filter(|directory| directory.is_dir()).map(|path| (*path).to_owned()).collect();
        let in_system = |file: &str| libraries.iter().map(|path| path.join(file)).find(|path| path.is_file());
        let objects = [in_system("crti.o")?, gcc.join("crtbeginS.o"), gcc.join("crtendS.o"), in_system("crtn.o")?];
        Some(Self { gcc, libraries, objects })
    }

    /// What `rust-lld` is to be given for what gcc was; `None` if there is anything among it that is not always there.
    fn link(&self, arguments: &[&str], mut stub: impl FnMut(&Path) -> Option<PathBuf>) -> Option<Vec<OsString>> {
        let [crti, begin, end, crtn] = &self.objects;
        let mut linked: Vec<OsString> = EMULATION.map(OsString::from).into();
        linked.push("--hash-style=gnu".into());
        if arguments.iter().filter(|argument| argument.ends_with(".rlib")).count() <= FEW {
            linked.push("--threads=1".into());
        }
        linked.extend([crti.into(), begin.into()]);
        let (mut is_library, mut is_for_lld) = (false, false);
        let mut rest = arguments.iter();
        while let Some(&argument) = rest.next() {
            match argument {
                "-shared" => {
                    is_library = true;
                    linked.push(argument.into());
                }
                "-fuse-ld=lld" => is_for_lld = true,
                "-m64" | "-nodefaultlibs" => {}
                "-L" | "-o" => linked.extend([argument.into(), rest.next()?.into()]),
                _ if argument.starts_with("-B") => {}
                _ if ORDINARY.contains(&argument) => linked.push(argument.into()),
                _ if argument.starts_with("-Wl,") => linked.extend(argument.split(',').skip(1).map(OsString::from)),
                _ if is_large(argument) => {
                    linked.extend(["--push-state", "--no-as-needed"].map(OsString::from));
                    linked.extend([stub(Path::new(argument))?.into(), "--pop-state".into()]);
                }
                _ if argument.starts_with('/') => linked.push(argument.into()),
                _ => return None,
            }
        }
        for directory in [&self.gcc].into_iter().chain(&self.libraries) {
            linked.extend(["-L".into(), directory.into()]);
        }
        linked.extend([end.into(), crtn.into()]);
        (is_library && is_for_lld).then_some(linked)
    }
}

/// Whether this is a library that the process of the cells has loaded already, and whose symbols are many.
fn is_large(argument: &str) -> bool {
    let name = argument.rsplit('/').next().unwrap_or_default();
    argument.starts_with('/') && (name == "libloopbook.so" || (name.starts_with("libstd-") && name.ends_with(".so")))
}

/// An empty library of the same name, made if there is none yet.
fn stub(state: &State, lld: &Path, library: &Path) -> Option<PathBuf> {
    let name = library.file_name()?.to_str()?;
    let stub = state.stubs().join(name);
    if stub.is_file() {
        return Some(stub);
    }
    fs::create_dir_all(state.stubs()).ok()?;
    let (empty, new) = (state.stubs().join("empty"), state.stubs().join(format!("{name}.{}", std::process::id())));
    fs::write(&empty, "").ok()?;
    let mut command = Command::new(lld);
    command.args(["-flavor", "gnu"]).args(EMULATION).args(["-shared", "-soname", name, "-o"]).arg(&new);
    // There is no library of nothing at all.
    command.args(["-b", "binary"]).arg(empty).stdout(Stdio::null()).stderr(Stdio::null());
    let made = command.status().is_ok_and(|status| status.success()) && fs::rename(new, &stub).is_ok();
    made.then_some(stub)
}

fn subdirectories(directory: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn starts_with(path: &Path, start: &str) -> bool {
    path.file_name().and_then(OsStr::to_str).is_some_and(|name| name.starts_with(start))
}

fn version(directory: &Path) -> Vec<u32> {
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    name.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELL: &str = "-Wl,--version-script=/o/list -m64 /o/ctx.o -Wl,--as-needed -Wl,-Bstatic /d/libtokio.rlib \
        -Wl,-Bdynamic /d/libloopbook.so /s/libstd-12.so -lgcc_s -lc -B/s/bin/gcc-ld -fuse-ld=lld -L /s/lib -o /o/libctx.so \
        -shared -Wl,-z,relro,-z,now -nodefaultlibs";

    fn system() -> System {
        let objects = ["/l/crti.o", "/g/crtbeginS.o", "/g/crtendS.o", "/l/crtn.o"].map(PathBuf::from);
        System { gcc: "/g".into(), libraries: vec!["/l".into()], objects }
    }

    fn linked(arguments: &str) -> Option<String> {
        let arguments: Vec<_> = arguments.split_whitespace().collect();
        let stub = |library: &Path| Some(Path::new("/stubs").join(library.file_name()?));
        let linked = system().link(&arguments, stub)?;
        Some(linked.join(OsStr::new(" ")).into_string().unwrap())
    }

    #[test]
    fn a_cell_is_linked_to_stubs_and_to_all_that_gcc_would_add() {
        let expected = "-m elf_x86_64 --hash-style=gnu --threads=1 /l/crti.o /g/crtbeginS.o --version-script=/o/list /o/ctx.o \
            --as-needed -Bstatic /d/libtokio.rlib -Bdynamic --push-state --no-as-needed /stubs/libloopbook.so --pop-state \
            --push-state --no-as-needed /stubs/libstd-12.so --pop-state -lgcc_s -lc -L /s/lib -o /o/libctx.so -shared \
            -z relro -z now -L /g -L /l /g/crtendS.o /l/crtn.o";
        assert_eq!(linked(CELL).as_deref(), Some(expected));
        let arguments: Vec<_> = CELL.split_whitespace().collect();
        assert_eq!(lld(&arguments), Some("/s/bin/rust-lld".into()));
    }

    #[test]
    fn many_libraries_are_linked_by_many_threads() {
        let libraries: String = (0..9).map(|number| format!(" /d/lib{number}.rlib")).collect();
        assert!(!linked(&format!("{CELL}{libraries}")).unwrap().contains("--threads"));
    }

    #[test]
    fn what_is_out_of_the_ordinary_is_left_to_cc() {
        for argument in ["-lssl", "-static-libgcc", "@/o/arguments", "-fuse-ld=mold", "relative.o"] {
            assert_eq!(linked(&format!("{CELL} {argument}")), None, "{argument}");
        }
        assert_eq!(linked(&CELL.replace("-shared", "-pie")), None);
        assert_eq!(linked(&CELL.replace("-fuse-ld=lld", "")), None);
        assert_eq!(lld(&["-B/usr/lib/mold"]), None);
    }

    #[test]
    fn the_newest_gcc_that_is_whole_is_taken() {
        let root = tempfile::tempdir().unwrap();
        let file = |path: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        };
        let find = || System::find(&root.path().join("gcc"), &[&root.path().join("lacking"), &root.path().join("lib")]);
        for version in ["x86_64-linux-gnu/9", "x86_64-linux-gnu/12", "i686-linux-gnu/14"] {
            for name in ["crtbeginS.o", "crtendS.o", "libgcc_s.so"] {
                file(&format!("gcc/{version}/{name}"));
            }
        }
        file("gcc/x86_64-linux-gnu/13/crtbeginS.o");
        assert!(find().is_none(), "there is no crti.o");
        file("lib/crti.o");
        file("lib/crtn.o");
        let system = find().unwrap();
        assert!(system.gcc.ends_with("gcc/x86_64-linux-gnu/12"), "{system:?}");
        assert_eq!(system.libraries, [root.path().join("lib")]);
    }

    #[test]
    fn a_linker_of_the_users_is_kept() {
        let is_ordinary = |line: &str| is_ordinary(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        let line =
            format!("--crate-name ctx --emit=dep-info,link -C strip=debuginfo --target {TARGET} -L dependency=/d");
        assert!(is_ordinary(&line) && is_ordinary(&format!("{line} {RPATH}/s/lib")));
        for own in ["-Clinker=clang", "-Clink-arg=-fuse-ld=mold", "-C linker=clang", "-C link-args=-s"] {
            assert!(!is_ordinary(&format!("{line} {own}")), "{own}");
        }
        assert!(!is_ordinary(&line.replace("x86_64", "aarch64")));
    }
}
