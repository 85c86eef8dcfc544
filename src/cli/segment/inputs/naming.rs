//! Names of results, after those of the inputs.

use std::path::Path;

/// The name without its extension; `.nii.gz` counts as one.
pub(super) fn stem(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let packed = name.strip_suffix(".nii.gz").map(str::to_owned);
    packed.unwrap_or_else(|| file.file_stem().unwrap_or_default().to_string_lossy().into_owned())
}

/// The path below the folder as one name.
pub(super) fn stem_below(folder: &Path, file: &Path) -> String {
    let parents = file.strip_prefix(folder).ok().and_then(Path::parent);
    let mut parts: Vec<String> = parents
        .into_iter()
        .flat_map(|path| path.iter().map(|part| part.to_string_lossy().into_owned()))
        .collect();
    parts.push(stem(file));
    parts.join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_extension_and_keep_their_folders_below_the_one_named() {
        for (path, name) in [
            ("in/scan.nii.gz", "scan"),
            ("in/scan.nii", "scan"),
            ("in/01.dcm", "01"),
            ("in/a.b.png", "a.b"),
            ("in/IM0001", "IM0001"),
        ] {
            assert_eq!(stem(Path::new(path)), name);
        }
        assert_eq!(stem_below(Path::new("in"), Path::new("in/a/b/c.png")), "a_b_c");
        assert_eq!(stem_below(Path::new("in"), Path::new("in/c.png")), "c");
    }
}
