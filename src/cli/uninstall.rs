//! `loopbook uninstall`: removes what `install`, `warm` and install.sh have made, and says what it keeps.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context as _, bail};

use super::install::{installed_kernels, program_of};
use super::places::Places;
use super::{Place, link};
use crate::evaluator::build::cache::{self, Removal};
use crate::home::{Home, history_file};

/// Removes one kernel if it is named, else all of the installation; with the last kernel goes everything else. What the
/// user has executed is theirs, and stays.
pub(super) fn uninstall(place: &Place) -> anyhow::Result<()> {
    let places = Places::of(&place.scope)?;
    // Before the program is gone: it may be the one that runs.
    let home = Home::find()?;
    let program = places.program().canonicalize().unwrap_or_else(|_| places.program());
    for name in to_remove(&places, place.name.as_deref())? {
        remove_dir(&places.kernel(&name))?;
        println!("removed {}", places.kernel(&name).display());
    }
    if let Some(kernel) = installed_kernels(&places)?.first() {
        println!("kept {}: the kernel `{kernel}` uses it", places.image.display());
        return Ok(());
    }
    if let Some(at) = &places.link
        && link::remove(at, &places.program()).with_context(|| format!("cannot remove {}", at.display()))?
    {
        println!("removed {}", at.display());
    }
    remove_dir(&places.image)?;
    println!("removed {}", places.image.display());
    remove_empty(&places);
    tell_of_cache(&home, &program)?;
    tell_of_history();
    Ok(())
}

/// The names of the kernels that go.
fn to_remove(places: &Places, name: Option<&str>) -> anyhow::Result<Vec<String>> {
    let Some(name) = name else {
        let names = installed_kernels(places)?;
        if names.is_empty() && !places.image.exists() {
            bail!(
                "there is nothing of Loopbook in {}; name the place with --prefix DIR (`jupyter kernelspec list` shows all \
                 kernels)",
                places.image.display()
            );
        }
        return Ok(names);
    };
    match program_of(&places.specification(name))? {
        None => {
            bail!("there is no kernel `{name}` in {}; `jupyter kernelspec list` shows all", places.kernels.display())
        }
        Some(program) if program != places.program() => bail!(
            "the kernel `{name}` in {} runs {}, which is not ours to remove; use `jupyter kernelspec uninstall {name}`",
            places.kernels.display(),
            program.display(),
        ),
        Some(_) => Ok(vec![name.to_owned()]),
    }
}

/// Removes the directories that `install` may have made for others to use too, if nobody does.
fn remove_empty(places: &Places) {
    let shared =
        [Some(places.kernels.as_path()), places.kernels.parent(), places.link.as_deref().and_then(Path::parent)];
    for directory in shared.into_iter().flatten() {
        let _is_used = fs::remove_dir(directory);
    }
}

fn tell_of_cache(home: &Home, program: &Path) -> anyhow::Result<()> {
    let at = home.cache_dir().display();
    match cache::remove(home, program).with_context(|| format!("cannot remove {at}"))? {
        Removal::Absent => {}
        Removal::Removed => println!("removed {at}"),
        Removal::UsedBy(other) => println!("kept {at} (compiled crates): {} uses it", other.display()),
        Removal::KernelsRun => {
            println!("kept {at} (compiled crates): a kernel still runs; end it, then remove this directory")
        }
    }
    Ok(())
}

fn tell_of_history() {
    if let Some(history) = history_file().filter(|file| file.exists()) {
        println!("kept {}: what you have executed; remove it if you do not want to find it again", history.display());
    }
}

fn remove_dir(dir: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result.with_context(|| format!("cannot remove {}", dir.display())),
    }
}
