//! Names of results, derived from those of the inputs.

use std::path::{Path, PathBuf};

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

/// The path without the number that its name ends with, and that number: `a_12.png` is 12 of `a_.png`.
pub(super) fn numbered(file: &Path) -> Option<(PathBuf, u64)> {
    let name = file.file_stem()?.to_str()?;
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = name[bare.len()..].parse().ok()?;
    let extension = file.extension().unwrap_or_default();
    Some((file.with_file_name(bare).join(extension), number))
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

    #[test]
    fn pictures_of_one_head_differ_in_their_last_number() {
        let of = |path: &str| numbered(Path::new(path));
        assert_eq!(of("in/049_02.jpg").unwrap().1, 2);
        for (one, other, same) in [
            ("in/049_02.jpg", "in/049_13.jpg", true),
            ("in/2.jpg", "in/13.jpg", true),
            ("in/049_02.jpg", "in/050_02.jpg", false),
            ("in/049_02.jpg", "in/049_02.png", false),
            ("in/2.jpg", "other/2.jpg", false),
        ] {
            assert_eq!(of(one).unwrap().0 == of(other).unwrap().0, same, "{one} {other}");
        }
        assert_eq!(of("in/14_mask.jpg"), None);
        assert_eq!(of("in/99999999999999999999999.jpg"), None);
    }
}
