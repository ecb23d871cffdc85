//! The crates that every cell sees without asking for them.

use super::specification::Dependency;
use crate::evaluator::build::built_in::DEPENDENCIES;
use crate::evaluator::build::closure::Closure;
use semver::{Version, VersionReq};

/// What to say of a dependency that is built in; `None` if it is not.
///
/// # Errors
/// If what is built in is not what was asked for: a sentence for the user.
pub(super) fn answer(dependency: &Dependency, runtime: &Closure) -> Option<Result<String, String>> {
    let (key, package) = (dependency.key(), dependency.package());
    let named = built_in(key);
    let Some(krate) = built_in(package) else {
        // The name is taken: cells and evcxr itself rely on what is behind it.
        return named.map(|name| {
            Err(format!("`{name}` is built in and cannot mean `{package}`; give the dependency another name"))
        });
    };
    Some(satisfies(dependency, krate, runtime).map(|()| {
        let version = runtime.version(krate).unwrap_or_default();
        let mut note = format!(
            "`{krate}` {version} is built in: every cell sees it, and it shares the loop of the notebook. Nothing was added."
        );
        let (asked, known) = (key.replace('-', "_"), krate.replace('-', "_"));
        if asked != known {
            note += &format!(" Here its name is `{known}`; `use {known} as {asked};` gives it the other one.");
        }
        note
    }))
}

/// The name of the built-in crate that is meant. Its facade's own name means the same.
fn built_in(name: &str) -> Option<&'static str> {
    let name = name.replace('_', "-");
    let name = name.strip_prefix("loopbook-").unwrap_or(&name);
    DEPENDENCIES.iter().map(|(ours, _)| *ours).find(|ours| *ours == name)
}

fn satisfies(dependency: &Dependency, krate: &str, runtime: &Closure) -> Result<(), String> {
    let one = "all cells and their tasks share it, so a notebook cannot have another one";
    if dependency.is_from_elsewhere() {
        return Err(format!("`{krate}` is built in and cannot come from elsewhere: {one}. Leave this line out."));
    }
    let wanted = dependency.version();
    let version = runtime.version(krate).unwrap_or_default();
    let requirement = VersionReq::parse(wanted)
        .map_err(|error| format!("`{wanted}` is not a version that `{krate}` can have: {error}"))?;
    if !Version::parse(version).is_ok_and(|version| requirement.matches(&version)) {
        return Err(format!("`{krate}` is built in with version {version}, not {wanted}: {one}. Leave this line out."));
    }
    let present = runtime.features(krate);
    let missing: Vec<_> = dependency.features().into_iter().filter(|feature| !present.contains(feature)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let has = if present.is_empty() {
        "It has none".to_owned()
    } else {
        format!("It has {}", present.into_iter().collect::<Vec<_>>().join(", "))
    };
    Err(format!("`{krate}` is built in without the feature `{}`: {one}. {has}.", missing.join("`, `")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn ask(args: &str) -> Option<Result<String, String>> {
        let runtime =
            "loopbook v0.1.0|\ntokio v1.54.1|full,rt\nasync-std v1.13.2|attributes,unstable\nfutures v0.3.34|std";
        answer(&Dependency::parse(args, Path::new("/")).unwrap(), &Closure::parse(runtime).unwrap())
    }

    #[test]
    fn what_is_built_in_says_so_by_every_name() {
        for args in [
            "tokio",
            "tokio = \"1\"",
            "tokio = { version = \"1.20\", features = [\"full\"], default-features = false }",
            "async_std = { version = \"1\", features = [\"attributes\"] }",
            "async-std",
            "futures = \"0.3\"",
            "loopbook",
        ] {
            assert!(ask(args).unwrap().unwrap().contains("built in"), "{args}");
        }
        let renamed = ask("tk = { package = \"tokio\", version = \"1\" }").unwrap().unwrap();
        assert!(renamed.contains("`use tokio as tk;`"), "{renamed}");
        assert_eq!(ask("rand"), None);
        assert_eq!(ask("tokio-stream = \"0.1\""), None);
    }

    #[test]
    fn what_is_not_as_it_is_built_in_is_an_error_that_says_what_is() {
        for (args, word) in [
            ("tokio = \"0.2\"", "1.54.1"),
            ("futures = \"1\"", "0.3.34"),
            ("tokio = \"one\"", "not a version"),
            ("tokio = { version = \"1\", features = [\"full\", \"tracing\"] }", "`tracing`"),
            ("tokio = { git = \"https://x.example/tokio\" }", "elsewhere"),
            ("async-std = { package = \"smol\", version = \"2\" }", "another name"),
        ] {
            let said = ask(args).unwrap().unwrap_err();
            assert!(
                said.contains(word) && said.contains("built in") | said.contains("not a version"),
                "{args}: {said}"
            );
        }
    }
}
