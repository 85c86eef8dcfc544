//! Files of formats that are not read here: what they are, and what to do.

use super::MEDIA_TYPES;
use crate::error::Error;
use std::io::Read;

/// A format and the way out.
struct Foreign {
    /// As in "The file is ...".
    what: &'static str,
    remedy: &'static str,
}

const AS_PICTURE: &str = "Save it as PNG, or as JPEG of high quality.";
const FROM_PHONE: &str = "Save it as PNG or JPEG, for instance with the phone's own share function, or set \
     the camera to \"most compatible\".";
const AS_SLICES: &str = "Save each slice as a PNG, or all as the pages of a TIFF; better, send the \
                         DICOM files of the scan.";
const AS_NIFTI: &str = "Convert it to NIfTI-1 (.nii.gz), for instance with 3D Slicer, ITK-SNAP or \
                        SimpleITK (`sitk.WriteImage(sitk.ReadImage(IN), OUT)`).";
const UNPACK: &str = "Unpack it, and send the images themselves or a .zip of them.";
const EXTRACT: &str =
    "Save the slice out of it as a PNG; better, send the DICOM files of the scan.";
const SEND_IMAGE: &str = "Send the image itself, as PNG, JPEG, TIFF, WebP, BMP, DICOM, NIfTI or zip; if the file came from a \
     download, check its address.";
const UNPACK_PROGRAM: &str = "If it unpacks itself, run it, and send the images or a .zip of them.";

/// Formats by their first bytes.
const MAGIC: [(&[u8], Foreign); 38] = [
    (b"GIF8", Foreign { what: "a GIF", remedy: AS_SLICES }),
    (b"\0\0\0\x0cJXL \r\n\x87\n", Foreign { what: "a JPEG XL picture", remedy: AS_PICTURE }),
    (b"\xff\x0a", Foreign { what: "a JPEG XL picture", remedy: AS_PICTURE }),
    (b"\0\0\0\x0cjP  ", Foreign { what: "a JPEG 2000 picture", remedy: AS_PICTURE }),
    (b"\xff\x4f\xff\x51", Foreign { what: "a JPEG 2000 picture", remedy: AS_PICTURE }),
    (b"\xff\xd8\xff\xf7", Foreign { what: "a JPEG-LS picture", remedy: AS_PICTURE }),
    (b"\0\0\x01\0", Foreign { what: "a Windows icon (ICO)", remedy: AS_PICTURE }),
    (b"8BPS", Foreign { what: "a Photoshop document", remedy: AS_PICTURE }),
    (b"gimp xcf", Foreign { what: "a GIMP document", remedy: AS_PICTURE }),
    (b"qoif", Foreign { what: "a QOI picture", remedy: AS_PICTURE }),
    (b"DDS ", Foreign { what: "a DirectDraw surface (DDS)", remedy: AS_PICTURE }),
    (b"v/1\x01", Foreign { what: "an OpenEXR picture", remedy: AS_PICTURE }),
    (b"#?RADIANCE", Foreign { what: "a Radiance picture", remedy: AS_PICTURE }),
    (b"farbfeld", Foreign { what: "a farbfeld picture", remedy: AS_PICTURE }),
    (b"II\xbc\x01", Foreign { what: "a JPEG XR picture", remedy: AS_PICTURE }),
    (b"%!PS", Foreign { what: "a PostScript document", remedy: EXTRACT }),
    (b"{\\rtf", Foreign { what: "an RTF document", remedy: EXTRACT }),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Foreign { what: "an Office document", remedy: EXTRACT }),
    (b"NRRD0", Foreign { what: "an NRRD volume", remedy: AS_NIFTI }),
    (
        b"\x89HDF\r\n\x1a\n",
        Foreign { what: "an HDF5 file, such as MINC-2 or MATLAB", remedy: AS_NIFTI },
    ),
    (b"CDF\x01", Foreign { what: "a NetCDF file, such as MINC-1", remedy: AS_NIFTI }),
    (b"MATLAB 5.0", Foreign { what: "a MATLAB file", remedy: AS_NIFTI }),
    (b"\x93NUMPY", Foreign { what: "a NumPy array", remedy: AS_NIFTI }),
    (b"Rar!\x1a\x07", Foreign { what: "a RAR archive", remedy: UNPACK }),
    (b"7z\xbc\xaf\x27\x1c", Foreign { what: "a 7z archive", remedy: UNPACK }),
    (b"BZh", Foreign { what: "packed with bzip2", remedy: UNPACK }),
    (b"\xfd7zXZ\0", Foreign { what: "packed with xz", remedy: UNPACK }),
    (b"\x28\xb5\x2f\xfd", Foreign { what: "packed with Zstandard", remedy: UNPACK }),
    (b"\x04\x22\x4d\x18", Foreign { what: "packed with LZ4", remedy: UNPACK }),
    (b"MSCF", Foreign { what: "a Windows cabinet (CAB)", remedy: UNPACK }),
    (b"MZ", Foreign { what: "a Windows program", remedy: UNPACK_PROGRAM }),
    (b"\x7fELF", Foreign { what: "a Linux program", remedy: SEND_IMAGE }),
    (b"\x1a\x45\xdf\xa3", Foreign { what: "a video (Matroska or WebM)", remedy: AS_SLICES }),
    (b"OggS", Foreign { what: "an Ogg recording", remedy: AS_SLICES }),
    (b"\xff\xfb", Foreign { what: "a sound (MP3)", remedy: SEND_IMAGE }),
    (b"ID3", Foreign { what: "a sound (MP3)", remedy: SEND_IMAGE }),
    (b"SQLite format 3", Foreign { what: "an SQLite database", remedy: SEND_IMAGE }),
    (b"PAR1", Foreign { what: "a Parquet table", remedy: SEND_IMAGE }),
];

/// What is said of a file that begins with `head`, some hundred bytes at least.
pub(super) fn refusal(head: &[u8]) -> Error {
    Error::UnsupportedType(match recognise(head) {
        Some(Foreign { what, remedy }) => {
            format!("The file is {what}, which is not read here. {remedy}")
        }
        None => format!(
            "The bytes are not an image that is read here. Send one of: {}.",
            MEDIA_TYPES.join(", ")
        ),
    })
}

/// What is said of a file packed with gzip; `unpacked` is the beginning of what it holds.
pub(super) fn refusal_of_packed(unpacked: &[u8]) -> Error {
    let is_mgh = unpacked.starts_with(&[0, 0, 0, 1, 0, 0]);
    let found = match is_mgh {
        true => Some(Foreign { what: "a FreeSurfer volume (MGH)", remedy: AS_NIFTI }),
        false => recognise(unpacked),
    };
    Error::UnsupportedType(match found {
        Some(Foreign { what, remedy }) => {
            format!("The gzip file holds {what}, which is not read here. {remedy}")
        }
        None => {
            "The gzip file holds no NIfTI volume and no DICOM image. Unpack it, and send what it \
                 holds."
                .into()
        }
    })
}

/// The beginning of what a gzip file holds, from the file's beginning; empty where it holds none.
pub(super) fn unpacked_head(head: &[u8]) -> Vec<u8> {
    let mut unpacked = Vec::new();
    if head.starts_with(&[0x1F, 0x8B]) {
        // A decoder gives what it has before it finds that the file goes on.
        let _ = flate2::read::GzDecoder::new(head).take(MAX_TEXT as u64).read_to_end(&mut unpacked);
    }
    unpacked
}

/// Whether a file that is not read here holds pictures or a volume, and so perhaps slices.
pub(super) fn is_image(head: &[u8]) -> bool {
    let remedies = [AS_PICTURE, FROM_PHONE, AS_SLICES, AS_NIFTI];
    recognise(head).is_some_and(|found| remedies.contains(&found.remedy))
}

fn recognise(head: &[u8]) -> Option<Foreign> {
    let by_magic = MAGIC.into_iter().find(|(magic, _)| head.starts_with(magic));
    by_magic
        .map(|(_, foreign)| foreign)
        .or_else(|| by_brand(head))
        .or_else(|| {
            let is_tar = head.get(257..262) == Some(b"ustar");
            is_tar.then_some(Foreign { what: "a tar archive", remedy: UNPACK })
        })
        .or_else(|| by_words(head))
}

/// Files in boxes (ISO 14496-12) say by their brands what they are.
fn by_brand(head: &[u8]) -> Option<Foreign> {
    if head.get(4..8) != Some(b"ftyp") {
        return None;
    }
    let length = u32::from_be_bytes(head.get(..4)?.try_into().ok()?) as usize;
    let brands = head.get(8..length.clamp(12, 64).min(head.len()))?.as_chunks::<4>().0;
    let any = |names: &[&[u8; 4]]| brands.iter().any(|brand| names.contains(&brand));
    Some(if any(&[b"avif", b"avis"]) {
        Foreign { what: "an AVIF picture", remedy: AS_PICTURE }
    } else if any(&[
        b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1",
    ]) {
        Foreign { what: "a HEIC picture, as phones take them", remedy: FROM_PHONE }
    } else {
        Foreign { what: "a video", remedy: AS_SLICES }
    })
}

/// Bytes of a text that are looked at.
const MAX_TEXT: usize = 1024;

fn by_words(head: &[u8]) -> Option<Foreign> {
    let head = &head[..head.len().min(MAX_TEXT)];
    if memchr::memmem::find(head, b"%PDF-").is_some() {
        return Some(Foreign { what: "a PDF document", remedy: EXTRACT });
    }
    let text = text(head)?.to_ascii_lowercase();
    let text = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let found = |what, remedy| Some(Foreign { what, remedy });
    if text.contains("<svg") {
        found("an SVG drawing", AS_PICTURE)
    } else if text.starts_with("<!doctype html") || text.contains("<html") {
        found("a web page (HTML), not the image behind it", SEND_IMAGE)
    } else if text.starts_with("<?xml") {
        found("an XML document", SEND_IMAGE)
    } else if text.starts_with("objecttype") || text.contains("ndims =") || text.contains("ndims=")
    {
        found("a MetaImage volume (MHA or MHD)", AS_NIFTI)
    } else if text.starts_with("version https://git-lfs") {
        found(
            "a Git LFS pointer, not the image that it stands for",
            "Run `git lfs pull`, and send \
              the file again.",
        )
    } else if text.starts_with("data:image/") {
        found("a data URL", "Decode its base64 part, or send it as the `image` of a JSON body.")
    } else if is_json(text) {
        found("a JSON document", SEND_IMAGE)
    } else if is_netpbm(head) {
        found("a Netpbm picture (PGM or PPM)", AS_PICTURE)
    } else {
        found("a text", SEND_IMAGE)
    }
}

/// An object or a list; other texts put a name into brackets.
fn is_json(text: &str) -> bool {
    let after = |open: char| text.strip_prefix(open).map(str::trim_start);
    after('{').is_some_and(|rest| rest.starts_with(['"', '}']))
        || after('[').is_some_and(|rest| {
            rest.starts_with(|c: char| c.is_ascii_digit() || ['"', '{', '[', ']', '-'].contains(&c))
        })
}

fn is_netpbm(head: &[u8]) -> bool {
    matches!(head, [b'P', b'1'..=b'7', b' ' | b'\n' | b'\r' | b'\t', ..])
}

/// The bytes as a text of printable characters; Netpbm pictures and MetaImages begin as one.
fn text(head: &[u8]) -> Option<&str> {
    let is_binary = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0C);
    let announced =
        is_netpbm(head) || head.starts_with(b"ObjectType") || head.starts_with(b"NDims");
    if announced {
        let end =
            head.iter().position(|byte| is_binary(byte) || !byte.is_ascii()).unwrap_or(head.len());
        return std::str::from_utf8(&head[..end]).ok();
    }
    if head.len() < 4 || head.iter().any(is_binary) {
        return None;
    }
    match std::str::from_utf8(head) {
        Ok(text) => Some(text),
        // A character may be cut at the end.
        Err(error) if head.len() - error.valid_up_to() < 4 => {
            std::str::from_utf8(&head[..error.valid_up_to()]).ok()
        }
        // Older encodings write text in single bytes; what is mostly letters is one.
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_named_with_a_way_out() {
        let boxed = |brand: &str| {
            [b"\0\0\0\x18ftyp", brand.as_bytes(), b"\0\0\0\0mif1miaf", &[0; 64]].concat()
        };
        let mut tar = vec![0; 512];
        tar[..5].copy_from_slice(b"1.dcm");
        tar[257..262].copy_from_slice(b"ustar");
        for (bytes, needle) in [
            (boxed("heic"), "HEIC"),
            (boxed("mif1"), "HEIC"),
            (boxed("avif"), "AVIF"),
            (b"\0\0\0\x18ftypisom\0\0\0\0isomiso2".to_vec(), "video"),
            (b"GIF89a\0\0".to_vec(), "GIF"),
            (b"%PDF-1.7\n".to_vec(), "PDF"),
            (b"\xef\xbb\xbf<!DOCTYPE html><html>".to_vec(), "web page"),
            (b"<?xml version='1.0'?><svg xmlns=''/>".to_vec(), "SVG"),
            (b"NRRD0004\ntype: short\n".to_vec(), "NRRD"),
            (
                b"ObjectType = Image\nNDims = 3\nElementDataFile = LOCAL\n\0\x01\xff".to_vec(),
                "MetaImage",
            ),
            (b"NDims = 3\nDimSize = 512 512 30\n".to_vec(), "MetaImage"),
            (b"\xff\x0a\x01".to_vec(), "JPEG XL"),
            (b"Rar!\x1a\x07\x01\0".to_vec(), "RAR"),
            (b"7z\xbc\xaf\x27\x1c\0".to_vec(), "7z"),
            (tar, "tar archive"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0".to_vec(), "Office"),
            (b"P5\n512 512\n255\n\0\x01\xff".to_vec(), "Netpbm"),
            ("Sehr geehrte Damen und Herren, für".into(), "a text"),
            (vec![0, 1, 2, 3, 255], "image/png"),
        ] {
            let message = refusal(&bytes).to_string();
            assert!(message.contains(needle), "{needle}: {message}");
        }
    }

    #[test]
    fn what_gzip_holds_is_named() {
        let mgh = [0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0];
        assert!(refusal_of_packed(&mgh).to_string().contains("FreeSurfer"));
        assert!(refusal_of_packed(b"NRRD0004").to_string().contains("NRRD"));
        assert!(refusal_of_packed(&[7; 300]).to_string().contains("no NIfTI volume"));
    }
}
