//! `loopbook install` and `loopbook uninstall`: the image in the data directory, and the kernelspec that points to it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::{Map, Value, json};

use super::Place;
use super::places::Places;
use crate::home::Home;
use crate::image;

/// The kernelspec; the path of the program and the display name are filled in.
const TEMPLATE: &str = include_str!("../../kernel/kernel.json");

const LOGOS: [(&str, &[u8]); 3] = [
    ("logo-32x32.png", include_bytes!("../../kernel/logo-32x32.png")),
    ("logo-64x64.png", include_bytes!("../../kernel/logo-64x64.png")),
    ("logo-svg.svg", include_bytes!("../../kernel/logo-svg.svg")),
];

/// Writes the image and the kernelspec. What is there already and right is not touched.
pub(super) fn install(place: &Place, display_name: &str) -> anyhow::Result<()> {
    let places = Places::of(place)?;
    write_image(&places)?;
    write_specification(&places, display_name).with_context(|| cannot_write(&places.kernel))?;
    println!("installed the kernel `{}` ({display_name})", place.name);
    println!("  kernelspec  {}", places.kernel.display());
    println!("  program     {}", places.program().display());
    println!("next: `{} warm` compiles what every notebook needs, once", places.program().display());
    Ok(())
}

/// Removes the kernelspec, and the image if no other kernelspec uses it.
pub(super) fn uninstall(place: &Place) -> anyhow::Result<()> {
    let places = Places::of(place)?;
    let Some(program) = program_of(&places.specification())? else {
        bail!(
            "there is no kernel `{}` in {}; `jupyter kernelspec list` shows all",
            place.name,
            places.kernels.display()
        );
    };
    if program != places.program() {
        bail!(
            "the kernel `{}` in {} runs {}, which is not ours to remove; use `jupyter kernelspec uninstall {}`",
            place.name,
            places.kernels.display(),
            program.display(),
            place.name
        );
    }
    remove_dir(&places.kernel)?;
    println!("removed {}", places.kernel.display());
    match other_user(&places)? {
        Some(kernel) => println!("kept {}: the kernel `{kernel}` uses it", places.image.display()),
        None => {
            remove_dir(&places.image)?;
            println!("removed {}", places.image.display());
        }
    }
    let cache = Home::find()?.cache_dir().to_path_buf();
    if cache.exists() {
        println!("compiled crates stay in {}; remove that directory if no kernel is left", cache.display());
    }
    Ok(())
}

/// The program that a kernelspec starts; `None` if there is no such kernelspec.
pub(super) fn program_of(specification: &Path) -> anyhow::Result<Option<PathBuf>> {
    let text = match fs::read_to_string(specification) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text.with_context(|| format!("cannot read {}", specification.display()))?,
    };
    let value: Value =
        serde_json::from_str(&text).with_context(|| format!("{} is not a kernelspec", specification.display()))?;
    Ok(value["argv"][0].as_str().map(PathBuf::from))
}

fn write_image(places: &Places) -> anyhow::Result<()> {
    let home = Home::find()?;
    let child = home.child_program();
    if !child.is_file() {
        bail!("{} is missing; build both programs with `cargo build --release --locked`", child.display());
    }
    for (from, to) in [(home.program(), places.program()), (&child, places.child_program())] {
        image::copy_if_changed(from, &to).with_context(|| cannot_write(&to))?;
    }
    let crates = places.image.join("crates");
    image::write_crates(&crates).with_context(|| cannot_write(&crates))
}

fn write_specification(places: &Places, display_name: &str) -> anyhow::Result<()> {
    let mut specification: Map<String, Value> = serde_json::from_str(TEMPLATE)?;
    let Some(program) = places.program().to_str().map(str::to_owned) else {
        bail!("the path of the program is not UTF-8, which kernelspecs must be");
    };
    if let Some(argv) = specification.get_mut("argv") {
        argv[0] = json!(program);
    }
    specification.insert("display_name".to_owned(), json!(display_name));
    let text = serde_json::to_string_pretty(&specification)? + "\n";
    image::write_if_changed(&places.specification(), text.as_bytes())?;
    for (name, content) in LOGOS {
        image::write_if_changed(&places.kernel.join(name), content)?;
    }
    Ok(())
}

/// Another kernel of the same Jupyter directory that runs the same program.
fn other_user(places: &Places) -> anyhow::Result<Option<String>> {
    for entry in fs::read_dir(&places.kernels).with_context(|| format!("cannot read {}", places.kernels.display()))? {
        let entry = entry?;
        // A kernelspec of somebody else's that cannot be read is not a reason to stop.
        if program_of(&entry.path().join("kernel.json")).ok().flatten() == Some(places.program()) {
            return Ok(Some(entry.file_name().to_string_lossy().into_owned()));
        }
    }
    Ok(None)
}

fn remove_dir(dir: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result.with_context(|| format!("cannot remove {}", dir.display())),
    }
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}; choose another place with --prefix DIR if it is not yours", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(root: &Path, name: &str) -> Places {
        let kernels = root.join("share/jupyter/kernels");
        Places { kernel: kernels.join(name), kernels, image: root.join("share/loopbook") }
    }

    #[test]
    fn the_kernelspec_starts_the_installed_program_and_interrupts_by_message() {
        let root = tempfile::tempdir().unwrap();
        let places = places(root.path(), "loopbook");
        write_specification(&places, "Rust (async)").unwrap();
        assert_eq!(program_of(&places.specification()).unwrap(), Some(places.program()));
        let text = fs::read_to_string(places.specification()).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["argv"].as_array().unwrap()[1..], [json!("kernel"), json!("-f"), json!("{connection_file}")]);
        assert_eq!(value["interrupt_mode"], "message");
        assert_eq!(value["language"], "rust");
        assert!(places.kernel.join("logo-64x64.png").exists());
    }

    #[test]
    fn an_image_that_another_kernel_uses_is_noticed() {
        let root = tempfile::tempdir().unwrap();
        let (one, two) = (places(root.path(), "one"), places(root.path(), "two"));
        write_specification(&one, "1").unwrap();
        write_specification(&two, "2").unwrap();
        remove_dir(&one.kernel).unwrap();
        assert_eq!(other_user(&one).unwrap().as_deref(), Some("two"));
        remove_dir(&two.kernel).unwrap();
        assert_eq!(other_user(&one).unwrap(), None);
    }
}
