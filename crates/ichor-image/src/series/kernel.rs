//! Distinguishes smooth convolution kernels, for soft tissue, from sharp ones, for bone.

use crate::slice::CtSlice;

/// Minimum width of a bone window, HU; windows for soft tissue are less than half as wide.
const BONE_WINDOW_HU: f32 = 1500.0;

/// Whether the reconstruction is made for bone or lung, whose noise hides blood. Determined by the name of the kernel,
/// or by the first window of the file if the name is not known.
pub(super) fn is_sharp(slice: &CtSlice) -> bool {
    let kernel = slice.reference.as_ref().map_or("", |r| r.tags.kernel.as_str());
    by_name(kernel).unwrap_or_else(|| {
        slice.windows.first().is_some_and(|window| window.width_hu >= BONE_WINDOW_HU)
    })
}

/// Whether a kernel is sharp, by its vendor's naming scheme; `None` if the name is not known.
fn by_name(kernel: &str) -> Option<bool> {
    let name = kernel.split('\\').next().unwrap_or_default().trim();
    if ["BONE", "EDGE", "LUNG", "SHARP", "ULTRA", "HIGH", "CHST"].iter().any(|w| name.contains(w)) {
        return Some(true);
    }
    if ["SOFT", "STAND", "STD", "STND", "SMOOTH", "BRAIN"].iter().any(|word| name.contains(word)) {
        return Some(false);
    }
    let letters = name.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let prefix = &name[..name.len() - letters.len()];
    let digits = letters.len() - letters.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let number: Option<u32> = letters[..digits].parse().ok();
    match (prefix, number) {
        // Canon and Toshiba: FC30 to 39 bone, 50 to 59 lung, 80 to 89 fine structures.
        ("FC", Some(number)) => Some(matches!(number, 30..=39 | 50..=59 | 80..=89)),
        // Siemens: A to V for the region, then the sharpness from 08 to 99.
        (_, Some(number)) if (1..=2).contains(&prefix.len()) && digits == 2 => Some(number >= 50),
        // Philips.
        ("A" | "B" | "UA" | "UB" | "UC", None) => Some(false),
        ("D" | "E" | "L" | "YC" | "YD" | "YE", None) => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::by_name;

    #[test]
    fn kernels_of_all_vendors_are_soft_or_sharp() {
        for name in ["STANDARD", "STD+", "SOFT", "H31S", "HR38F\\3", "J40S", "FC26", "FC21", "UB"] {
            assert_eq!(by_name(name), Some(false), "{name}");
        }
        for name in ["BONE", "BONEPLUS", "H70H", "HR60F", "J70H\\2", "FC30", "FC81", "YD", "LUNG"] {
            assert_eq!(by_name(name), Some(true), "{name}");
        }
        for name in ["", "DETAIL", "X", "Ä7"] {
            assert_eq!(by_name(name), None, "{name}");
        }
    }
}
