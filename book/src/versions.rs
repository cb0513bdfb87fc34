//! Do readers get the versions that everything was tested with? A chapter's manifest spells its versions out, for a
//! reader has no workspace; they are those of the workspace's table.

use std::fs;

use toml::{Table, Value};

use crate::{
    fault::{Fault, Result},
    replay::Book,
};

/// Chapters that ask for another version than the workspace.
pub fn differing(book: &Book) -> Result<Vec<Fault>> {
    let read = |path: &str| -> Result<Table> {
        let file = book.root.join(path);
        let text = fs::read_to_string(&file).map_err(|error| Fault::io(&file, &error))?;
        text.parse().map_err(|error: toml::de::Error| Fault::new(path, 0, error.to_string()))
    };
    let workspace = read("Cargo.toml")?;
    let known = &workspace["workspace"]["dependencies"];
    let mut faults = Vec::new();
    for (number, _) in book.files()? {
        let path = format!("chapters/{}/Cargo.toml", number.folder());
        faults.extend(wrong(&read(&path)?, known).into_iter().map(|message| Fault::new(&path, 0, message)));
    }
    Ok(faults)
}

fn wrong(manifest: &Table, known: &Value) -> Vec<String> {
    let tables = ["dependencies", "dev-dependencies", "build-dependencies"].map(|name| manifest.get(name));
    let dependencies = tables.into_iter().flatten().filter_map(Value::as_table).flatten();
    dependencies
        .filter_map(|(name, asked)| match (version(asked), known.get(name).and_then(version)) {
            (Some(asked), Some(known)) if asked == known => None,
            (Some(asked), Some(known)) => {
                Some(format!("`{name}` is {asked} here and {known} in the workspace"))
            }
            (None, _) => Some(format!("`{name}` has no version, and a reader has no workspace")),
            (_, None) => Some(format!("`{name}` is not in [workspace.dependencies]")),
        })
        .collect()
}

fn version(asked: &Value) -> Option<&str> {
    asked.as_str().or_else(|| asked.get("version")?.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_is_caught() {
        let known: Table = "a = '1.2'\nb = { version = '3', features = [] }\n".parse().unwrap();
        let wrong = |text: &str| wrong(&text.parse().unwrap(), &Value::Table(known.clone()));
        assert_eq!(wrong("[dependencies]\na = '1.2'\n[dev-dependencies]\nb = '3'\n"), [""; 0]);
        assert_eq!(wrong("[dependencies]\na = '1.3'\n"), ["`a` is 1.3 here and 1.2 in the workspace"]);
        assert_eq!(wrong("[dependencies]\nb.workspace = true\n").len(), 1);
        assert_eq!(wrong("[dev-dependencies]\nc = '1'\n").len(), 1);
    }
}
