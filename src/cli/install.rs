//! `loopbook install`: the image in the data directory, the kernelspec that points to it, and the link for shells.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::{Map, Value, json};

use super::places::Places;
use super::{Place, link};
use crate::home::Home;
use crate::image;

/// The kernelspec; the path of the program and the display name are filled in.
const TEMPLATE: &str = include_str!("../../kernel/kernel.json");

const LOGOS: [(&str, &[u8]); 3] = [
    ("logo-32x32.png", include_bytes!("../../kernel/logo-32x32.png")),
    ("logo-64x64.png", include_bytes!("../../kernel/logo-64x64.png")),
    ("logo-svg.svg", include_bytes!("../../kernel/logo-svg.svg")),
];

/// The name of the kernel if none is given.
const NAME: &str = "loopbook";

/// Writes the image, the kernelspec and the link to the program. What is there already and right is not touched.
pub(super) fn install(place: &Place, display_name: &str) -> anyhow::Result<()> {
    let places = Places::of(&place.scope)?;
    let name = place.name.as_deref().unwrap_or(NAME);
    write_image(&places)?;
    write_specification(&places, name, display_name).with_context(|| cannot_write(&places.kernel(name)))?;
    println!("installed the kernel `{name}` ({display_name})");
    println!("  kernelspec  {}", places.kernel(name).display());
    println!("  program     {}", places.program().display());
    if let Some(link) = &places.link {
        println!("  link        {}", link::make(link, &places.program()));
    }
    println!("next: `{} warm` compiles what every notebook needs, once", places.program().display());
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

/// The names of the kernels that run the program of this installation, in order.
pub(super) fn installed_kernels(places: &Places) -> anyhow::Result<Vec<String>> {
    let entries = match fs::read_dir(&places.kernels) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("cannot read {}", places.kernels.display()))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read {}", places.kernels.display()))?;
        // A kernelspec of somebody else's that cannot be read is not a reason to stop.
        if program_of(&entry.path().join("kernel.json")).ok().flatten() == Some(places.program()) {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
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

fn write_specification(places: &Places, name: &str, display_name: &str) -> anyhow::Result<()> {
    let mut specification: Map<String, Value> = serde_json::from_str(TEMPLATE)?;
    let Some(program) = places.program().to_str().map(str::to_owned) else {
        bail!("the path of the program is not UTF-8, which kernelspecs must be");
    };
    if let Some(argv) = specification.get_mut("argv") {
        argv[0] = json!(program);
    }
    specification.insert("display_name".to_owned(), json!(display_name));
    let text = serde_json::to_string_pretty(&specification)? + "\n";
    image::write_if_changed(&places.specification(name), text.as_bytes())?;
    for (logo, content) in LOGOS {
        image::write_if_changed(&places.kernel(name).join(logo), content)?;
    }
    Ok(())
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}; choose another place with --prefix DIR if it is not yours", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernelspec_starts_the_installed_program_and_interrupts_by_message() {
        let root = tempfile::tempdir().unwrap();
        let places = Places::below(root.path());
        write_specification(&places, "loopbook", "Rust (async)").unwrap();
        assert_eq!(program_of(&places.specification("loopbook")).unwrap(), Some(places.program()));
        let text = fs::read_to_string(places.specification("loopbook")).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["argv"].as_array().unwrap()[1..], [json!("kernel"), json!("-f"), json!("{connection_file}")]);
        assert_eq!(value["interrupt_mode"], "message");
        assert_eq!(value["language"], "rust");
        assert!(places.kernel("loopbook").join("logo-64x64.png").exists());
    }

    #[test]
    fn the_kernels_of_an_installation_are_found_whatever_their_names() {
        let root = tempfile::tempdir().unwrap();
        let (places, others) = (Places::below(root.path()), Places::below(&root.path().join("elsewhere")));
        assert!(installed_kernels(&places).unwrap().is_empty());
        write_specification(&places, "two", "2").unwrap();
        write_specification(&places, "one", "1").unwrap();
        write_specification(&others, "three", "3").unwrap();
        fs::rename(others.kernel("three"), places.kernel("three")).unwrap();
        fs::create_dir(places.kernel("broken")).unwrap();
        fs::write(places.specification("broken"), "{").unwrap();
        assert_eq!(installed_kernels(&places).unwrap(), ["one", "two"]);
    }
}
