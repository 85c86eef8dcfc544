//! Lists the models and the page as a Rust expression that `src/main.rs` includes, so that the `ichor` program contains
//! these files. The library and the other programs do not.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Files of a model that the program needs. Its pictures and golden cases are left out.
const MODEL_FILES: [(&str, &str); 3] =
    [("spec", "model.json"), ("onnx", "model.onnx"), ("card", "MODEL_CARD.md")];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_EMBEDDED").is_none() {
        return Ok(());
    }
    let variable = |name| env::var_os(name).map(PathBuf::from).ok_or(io::ErrorKind::NotFound);
    let (root, out) = (variable("CARGO_MANIFEST_DIR")?, variable("OUT_DIR")?);
    // An error in the list, not of this script: the library and the other programs do not need these folders.
    let list = list(&root).unwrap_or_else(|error| {
        let reason = format!(
            "models/ or frontend/ cannot be read: {error}. Build in the project's folder, or without the feature \
             embedded."
        );
        format!("compile_error!({reason:?})")
    });
    fs::write(out.join("embedded.rs"), list)
}

/// An expression of the type `ichor::embedded::Embedded`.
fn list(root: &Path) -> io::Result<String> {
    let mut list = String::from("ichor::embedded::Embedded {\n    models: &[\n");
    for folder in sorted(&root.join("models"))? {
        if !folder.join("model.json").is_file() {
            continue;
        }
        println!("cargo::rerun-if-changed={}", folder.display());
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let _ = write!(list, "        ichor::embedded::EmbeddedModel {{ name: {name:?}");
        for (field, file) in MODEL_FILES {
            let path = folder.join(file);
            path.metadata()?;
            let _ = write!(list, ", {field}: include_bytes!({path:?})");
        }
        list.push_str(" },\n");
    }
    list.push_str("    ],\n    page: &[\n");
    let page = root.join("frontend");
    println!("cargo::rerun-if-changed={}", page.display());
    let mut files = Vec::new();
    walk(&page, &mut files)?;
    let name_of =
        |path: &Path| path.strip_prefix(&page).unwrap_or(path).to_string_lossy().replace('\\', "/");
    // Sorted as text, for the binary search of the program. Paths would sort the folder `strings` before `strings.js`.
    files.sort_by_key(|path| name_of(path));
    for path in files {
        let name = name_of(&path);
        let _ = writeln!(list, "        ({name:?}, include_bytes!({path:?})),");
    }
    list.push_str("    ],\n}\n");
    Ok(list)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for path in sorted(folder)? {
        match path.is_dir() {
            true => walk(&path, files)?,
            false => files.push(path),
        }
    }
    Ok(())
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
