//! What a `:dep` asks for: a line as it could stand in a manifest.

use crate::evaluator::build::built_in::CELL_CRATE;
use crate::evaluator::build::lockfile::Lockfile;
use semver::VersionReq;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// A crate that a cell asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Dependency {
    /// The name by which the notebook's manifest knows it.
    key: String,
    specification: Value,
}

impl Dependency {
    /// Understands the arguments of `:dep`: `rand`, `rand = "0.9"`, `rand = { version = "0.9", … }`, or the path of a
    /// crate's directory. Paths are relative to `directory`.
    ///
    /// # Errors
    /// A sentence for the user.
    pub(super) fn parse(args: &str, directory: &Path) -> Result<Self, String> {
        if args.starts_with(['.', '/', '~']) {
            return Self::in_directory(&home_of(args), directory);
        }
        let (key, specification) = match args.split_once('=') {
            None => (args, Value::String("*".into())),
            Some((key, specification)) => (key.trim(), value(key.trim(), specification.trim())?),
        };
        let key = key.trim_matches('"');
        let is_name = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
        if key.is_empty() || !key.chars().all(is_name) {
            return Err("`:dep` takes a crate's name and a version, as in `:dep rand = \"0.9\"`".into());
        }
        let mut dependency = Self { key: key.to_owned(), specification };
        dependency.make_path_absolute(directory)?;
        Ok(dependency)
    }

    /// A crate that lies in a directory, under its own name.
    fn in_directory(path: &Path, directory: &Path) -> Result<Self, String> {
        let path = existing(path, directory)?;
        let manifest = path.join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest)
            .map_err(|error| format!("`{}` cannot be read: {error}", manifest.display()))?;
        let name = text.parse::<Table>().ok().and_then(|manifest| {
            let name = manifest.get("package")?.get("name")?;
            name.as_str().map(str::to_owned)
        });
        let key = name.ok_or_else(|| format!("`{}` names no package", manifest.display()))?;
        let path = Value::String(path.to_string_lossy().into_owned());
        Ok(Self { key, specification: Value::Table(Table::from_iter([("path".to_owned(), path)])) })
    }

    fn make_path_absolute(&mut self, directory: &Path) -> Result<(), String> {
        let Some(path) = self.specification.get_mut("path") else { return Ok(()) };
        if let Some(relative) = path.as_str() {
            *path = Value::String(existing(&home_of(relative), directory)?.to_string_lossy().into_owned());
        }
        Ok(())
    }

    /// The name by which code knows it, but for `-` in the place of `_`.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The package's own name.
    pub(super) fn package(&self) -> &str {
        self.field("package").and_then(Value::as_str).unwrap_or(&self.key)
    }

    /// The version that is asked for; `*` if none is.
    pub(super) fn version(&self) -> &str {
        let version = self.specification.as_str().or_else(|| self.field("version")?.as_str());
        version.unwrap_or("*")
    }

    /// The features that are asked for, apart from the default ones.
    pub(super) fn features(&self) -> Vec<&str> {
        let features = self.field("features").and_then(Value::as_array);
        features.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Whether it is to come from elsewhere than the registry.
    pub(super) fn is_from_elsewhere(&self) -> bool {
        ["path", "git", "registry"].iter().any(|source| self.field(source).is_some())
    }

    /// What it is called, with the version that the notebook has of it: `rand 0.9.1`, or `rand 0.9.1 as rnd`.
    pub(super) fn named(&self, lock: &Lockfile) -> String {
        // A notebook may have two versions of a package, under different names.
        let wanted = VersionReq::parse(self.version()).unwrap_or_default();
        let versions: Vec<_> = lock.versions(CELL_CRATE, self.package()).collect();
        let version = versions.iter().find(|version| wanted.matches(version)).or(versions.first());
        let version = version.map(|version| format!(" {version}")).unwrap_or_default();
        let other = if self.package() == self.key { String::new() } else { format!(" as {}", self.key) };
        format!("{}{version}{other}", self.package())
    }

    /// Whether it lies in a directory, where it may change.
    pub fn is_in_directory(&self) -> bool {
        self.field("path").is_some()
    }

    /// The line of a manifest; it has no line break in it.
    pub fn line(&self) -> String {
        format!("{} = {}", self.key, self.value())
    }

    /// What stands behind the `=`, on one line.
    pub(super) fn value(&self) -> String {
        inline(&self.specification)
    }

    fn field(&self, name: &str) -> Option<&Value> {
        self.specification.as_table()?.get(name)
    }
}

/// The value of a `name = value`, without a comment behind it.
fn value(key: &str, text: &str) -> Result<Value, String> {
    let table = format!("value = {text}").parse::<Table>().map_err(|error| {
        let what = error.message().trim().replace('\n', ", ");
        format!("`{key} = {text}` is not a line of a manifest: {what}. Examples: `:dep rand = \"0.9\"`, `:dep serde = {{ version = \"1\", features = [\"derive\"] }}`")
    })?;
    match table.get("value") {
        Some(value @ (Value::String(_) | Value::Table(_))) if table.len() == 1 => Ok(value.clone()),
        _ => Err(format!("`{key} = {text}` names no version: it is a string, as in `:dep rand = \"0.9\"`")),
    }
}

/// Writes a value without line breaks, which evcxr takes for the end of the command.
fn inline(value: &Value) -> String {
    match value {
        Value::Table(table) => {
            let fields: Vec<_> = table.iter().map(|(name, value)| format!("{name} = {}", inline(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Array(values) => format!("[{}]", values.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

/// A TOML string in double quotes: the only kind that has an escape for everything.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control.is_control() => {
                let _infallible = write!(quoted, "\\u{:04X}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// The directory that a path means, without symbolic links: cargo tells crates apart by it.
fn existing(path: &Path, directory: &Path) -> Result<PathBuf, String> {
    let path = directory.join(path);
    path.canonicalize().map_err(|error| {
        format!("there is no crate in `{}`: {error}; paths are relative to the notebook's directory", path.display())
    })
}

fn home_of(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &str) -> Result<Dependency, String> {
        Dependency::parse(args, Path::new("/"))
    }

    #[test]
    fn a_dependency_is_a_name_a_name_and_a_version_or_a_table() {
        assert_eq!(parse("rand").unwrap().line(), "rand = \"*\"");
        assert_eq!(parse("rand=\"0.9\"").unwrap().line(), "rand = \"0.9\"");
        assert_eq!(parse("rand = '0.9' # dice").unwrap().line(), "rand = \"0.9\"");
        let serde =
            parse("serde = { features = [\"derive\", 'rc'], version = \"1\", default-features = false }").unwrap();
        assert_eq!((serde.version(), serde.features()), ("1", vec!["derive", "rc"]));
        assert_eq!(
            serde.line(),
            "serde = { default-features = false, features = [\"derive\", \"rc\"], version = \"1\" }"
        );
        let renamed = parse("web = { package = \"hyper\", git = \"https://x.example/y\" }").unwrap();
        assert_eq!((renamed.key(), renamed.package(), renamed.version()), ("web", "hyper", "*"));
        assert!(renamed.is_from_elsewhere() && !serde.is_from_elsewhere());
    }

    #[test]
    fn what_is_no_line_of_a_manifest_is_refused_with_a_reason() {
        for (args, word) in [
            ("", "a crate's name"),
            ("rand 0.9", "a crate's name"),
            ("rand = 0.9", "names no version"),
            ("rand = ", "not a line"),
            ("rand = { version = \"1\"", "not a line"),
            ("rand = \"1\", serde = \"1\"", "not a line"),
            ("a b = \"1\"", "a crate's name"),
            ("x = { path = \"nowhere/at/all\" }", "relative to the notebook's directory"),
            ("./nowhere/at/all", "relative to the notebook's directory"),
        ] {
            let said = parse(args).unwrap_err();
            assert!(said.contains(word), "{args}: {said}");
        }
    }

    #[test]
    fn a_crate_is_named_with_its_version_and_its_other_name() {
        let package = |name: &str, version: &str, more: &str| {
            format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n{more}\n")
        };
        let on = "dependencies = [\n \"rand 0.8.5\",\n \"rand 0.9.0\",\n \"pre\",\n]\n";
        let versions = [("rand", "0.8.5"), ("rand", "0.9.0"), ("pre", "1.0.0-alpha.1")];
        let text = package("ctx", "1.0.0", on) + &versions.map(|(name, version)| package(name, version, "")).concat();
        let named = |args: &str| parse(args).unwrap().named(&Lockfile::parse(&text));
        assert_eq!(named("rand = \"0.9\""), "rand 0.9.0");
        assert_eq!(named("old = { package = \"rand\", version = \"0.8\" }"), "rand 0.8.5 as old");
        assert_eq!(named("pre"), "pre 1.0.0-alpha.1");
        assert_eq!(named("unknown"), "unknown");
    }

    #[test]
    fn a_path_is_relative_to_the_notebook_and_may_stand_alone() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().canonicalize().unwrap();
        std::fs::create_dir(directory.join("mi\"ne")).unwrap();
        std::fs::write(directory.join("mi\"ne/Cargo.toml"), "[package]\nname = \"my-crate\"\n").unwrap();
        let expected = format!("{{ path = {} }}", quoted(&directory.join("mi\"ne").to_string_lossy()));
        let named = Dependency::parse("other = { path = 'mi\"ne' }", &directory).unwrap();
        assert_eq!((named.key(), named.value()), ("other", expected.clone()));
        let alone = Dependency::parse("./mi\"ne", &directory).unwrap();
        assert_eq!((alone.key(), alone.value()), ("my-crate", expected));
    }
}
