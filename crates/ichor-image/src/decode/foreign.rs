//! Recognizes files of formats that are not supported, to name them in the error with a remedy.

use super::MEDIA_TYPES;
use crate::error::Error;
use std::io::Read;

/// An unsupported format.
struct ForeignFormat {
    /// Its name, as in "The file is ...".
    what: &'static str,
    /// What the user can do.
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
const MAGIC: [(&[u8], ForeignFormat); 38] = [
    (b"GIF8", ForeignFormat { what: "a GIF", remedy: AS_SLICES }),
    (b"\0\0\0\x0cJXL \r\n\x87\n", ForeignFormat { what: "a JPEG XL picture", remedy: AS_PICTURE }),
    (b"\xff\x0a", ForeignFormat { what: "a JPEG XL picture", remedy: AS_PICTURE }),
    (b"\0\0\0\x0cjP  ", ForeignFormat { what: "a JPEG 2000 picture", remedy: AS_PICTURE }),
    (b"\xff\x4f\xff\x51", ForeignFormat { what: "a JPEG 2000 picture", remedy: AS_PICTURE }),
    (b"\xff\xd8\xff\xf7", ForeignFormat { what: "a JPEG-LS picture", remedy: AS_PICTURE }),
    (b"\0\0\x01\0", ForeignFormat { what: "a Windows icon (ICO)", remedy: AS_PICTURE }),
    (b"8BPS", ForeignFormat { what: "a Photoshop document", remedy: AS_PICTURE }),
    (b"gimp xcf", ForeignFormat { what: "a GIMP document", remedy: AS_PICTURE }),
    (b"qoif", ForeignFormat { what: "a QOI picture", remedy: AS_PICTURE }),
    (b"DDS ", ForeignFormat { what: "a DirectDraw surface (DDS)", remedy: AS_PICTURE }),
    (b"v/1\x01", ForeignFormat { what: "an OpenEXR picture", remedy: AS_PICTURE }),
    (b"#?RADIANCE", ForeignFormat { what: "a Radiance picture", remedy: AS_PICTURE }),
    (b"farbfeld", ForeignFormat { what: "a farbfeld picture", remedy: AS_PICTURE }),
    (b"II\xbc\x01", ForeignFormat { what: "a JPEG XR picture", remedy: AS_PICTURE }),
    (b"%!PS", ForeignFormat { what: "a PostScript document", remedy: EXTRACT }),
    (b"{\\rtf", ForeignFormat { what: "an RTF document", remedy: EXTRACT }),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        ForeignFormat { what: "an Office document", remedy: EXTRACT },
    ),
    (b"NRRD0", ForeignFormat { what: "an NRRD volume", remedy: AS_NIFTI }),
    (
        b"\x89HDF\r\n\x1a\n",
        ForeignFormat { what: "an HDF5 file, such as MINC-2 or MATLAB", remedy: AS_NIFTI },
    ),
    (b"CDF\x01", ForeignFormat { what: "a NetCDF file, such as MINC-1", remedy: AS_NIFTI }),
    (b"MATLAB 5.0", ForeignFormat { what: "a MATLAB file", remedy: AS_NIFTI }),
    (b"\x93NUMPY", ForeignFormat { what: "a NumPy array", remedy: AS_NIFTI }),
    (b"Rar!\x1a\x07", ForeignFormat { what: "a RAR archive", remedy: UNPACK }),
    (b"7z\xbc\xaf\x27\x1c", ForeignFormat { what: "a 7z archive", remedy: UNPACK }),
    (b"BZh", ForeignFormat { what: "packed with bzip2", remedy: UNPACK }),
    (b"\xfd7zXZ\0", ForeignFormat { what: "packed with xz", remedy: UNPACK }),
    (b"\x28\xb5\x2f\xfd", ForeignFormat { what: "packed with Zstandard", remedy: UNPACK }),
    (b"\x04\x22\x4d\x18", ForeignFormat { what: "packed with LZ4", remedy: UNPACK }),
    (b"MSCF", ForeignFormat { what: "a Windows cabinet (CAB)", remedy: UNPACK }),
    (b"MZ", ForeignFormat { what: "a Windows program", remedy: UNPACK_PROGRAM }),
    (b"\x7fELF", ForeignFormat { what: "a Linux program", remedy: SEND_IMAGE }),
    (b"\x1a\x45\xdf\xa3", ForeignFormat { what: "a video (Matroska or WebM)", remedy: AS_SLICES }),
    (b"OggS", ForeignFormat { what: "an Ogg recording", remedy: AS_SLICES }),
    (b"\xff\xfb", ForeignFormat { what: "a sound (MP3)", remedy: SEND_IMAGE }),
    (b"ID3", ForeignFormat { what: "a sound (MP3)", remedy: SEND_IMAGE }),
    (b"SQLite format 3", ForeignFormat { what: "an SQLite database", remedy: SEND_IMAGE }),
    (b"PAR1", ForeignFormat { what: "a Parquet table", remedy: SEND_IMAGE }),
];

/// The error for an unsupported file that starts with `head`, which should have some hundred bytes.
pub(super) fn unsupported(head: &[u8]) -> Error {
    Error::UnsupportedType(match recognize(head) {
        Some(ForeignFormat { what, remedy }) => {
            format!("The file is {what}, which is not supported. {remedy}")
        }
        None => format!(
            "The bytes are not an image of a supported format. Send one of: {}.",
            MEDIA_TYPES.join(", ")
        ),
    })
}

/// The error for an unsupported file inside gzip; `content` is the start of the uncompressed file.
pub(super) fn unsupported_gzip(content: &[u8]) -> Error {
    let is_mgh = content.starts_with(&[0, 0, 0, 1, 0, 0]);
    let found = match is_mgh {
        true => Some(ForeignFormat { what: "a FreeSurfer volume (MGH)", remedy: AS_NIFTI }),
        false => recognize(content),
    };
    Error::UnsupportedType(match found {
        Some(ForeignFormat { what, remedy }) => {
            format!("The gzip file holds {what}, which is not supported. {remedy}")
        }
        None => {
            "The gzip file holds no NIfTI volume and no DICOM image. Unpack it, and send what it \
                 holds."
                .into()
        }
    })
}

/// The start of the uncompressed content of a gzip file, from the start of the file; empty if it is not gzip.
pub(super) fn gzip_content_head(head: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    if head.starts_with(&[0x1F, 0x8B]) {
        // An error is expected, because `head` is truncated; the bytes before it are kept.
        let _ = flate2::read::GzDecoder::new(head).take(MAX_TEXT as u64).read_to_end(&mut content);
    }
    content
}

/// Whether an unsupported file is a picture or a volume, and so may contain slices.
pub(super) fn is_image(head: &[u8]) -> bool {
    let remedies = [AS_PICTURE, FROM_PHONE, AS_SLICES, AS_NIFTI];
    recognize(head).is_some_and(|found| remedies.contains(&found.remedy))
}

fn recognize(head: &[u8]) -> Option<ForeignFormat> {
    let by_magic = MAGIC.into_iter().find(|(magic, _)| head.starts_with(magic));
    by_magic
        .map(|(_, foreign)| foreign)
        .or_else(|| by_brand(head))
        .or_else(|| {
            let is_tar = head.get(257..262) == Some(b"ustar");
            is_tar.then_some(ForeignFormat { what: "a tar archive", remedy: UNPACK })
        })
        .or_else(|| by_words(head))
}

/// Recognizes files of the ISO base media format (ISO 14496-12) by their brands.
fn by_brand(head: &[u8]) -> Option<ForeignFormat> {
    if head.get(4..8) != Some(b"ftyp") {
        return None;
    }
    let length = u32::from_be_bytes(head.get(..4)?.try_into().ok()?) as usize;
    let brands = head.get(8..length.clamp(12, 64).min(head.len()))?.as_chunks::<4>().0;
    let any = |names: &[&[u8; 4]]| brands.iter().any(|brand| names.contains(&brand));
    Some(if any(&[b"avif", b"avis"]) {
        ForeignFormat { what: "an AVIF picture", remedy: AS_PICTURE }
    } else if any(&[
        b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1",
    ]) {
        ForeignFormat { what: "a HEIC picture, as phones take them", remedy: FROM_PHONE }
    } else {
        ForeignFormat { what: "a video", remedy: AS_SLICES }
    })
}

/// Maximum number of bytes of a text that are searched.
const MAX_TEXT: usize = 1024;

/// Recognizes text formats.
fn by_words(head: &[u8]) -> Option<ForeignFormat> {
    let head = &head[..head.len().min(MAX_TEXT)];
    if memchr::memmem::find(head, b"%PDF-").is_some() {
        return Some(ForeignFormat { what: "a PDF document", remedy: EXTRACT });
    }
    let text = text(head)?.to_ascii_lowercase();
    let text = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let found = |what, remedy| Some(ForeignFormat { what, remedy });
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

/// Whether a text starts like a JSON object or array; configuration files also start with a bracket.
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

/// The bytes as text, if they are printable characters. Netpbm pictures and MetaImages start with text.
fn text(head: &[u8]) -> Option<&str> {
    let is_binary = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0C);
    let has_text_header =
        is_netpbm(head) || head.starts_with(b"ObjectType") || head.starts_with(b"NDims");
    if has_text_header {
        let end =
            head.iter().position(|byte| is_binary(byte) || !byte.is_ascii()).unwrap_or(head.len());
        return std::str::from_utf8(&head[..end]).ok();
    }
    if head.len() < 4 || head.iter().any(is_binary) {
        return None;
    }
    match std::str::from_utf8(head) {
        Ok(text) => Some(text),
        // The last character may be truncated.
        Err(error) if head.len() - error.valid_up_to() < 4 => {
            std::str::from_utf8(&head[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsupported_formats_are_named_with_a_remedy() {
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
            let message = unsupported(&bytes).to_string();
            assert!(message.contains(needle), "{needle}: {message}");
        }
    }

    #[test]
    fn contents_of_gzip_files_are_named() {
        let mgh = [0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0];
        assert!(unsupported_gzip(&mgh).to_string().contains("FreeSurfer"));
        assert!(unsupported_gzip(b"NRRD0004").to_string().contains("NRRD"));
        assert!(unsupported_gzip(&[7; 300]).to_string().contains("no NIfTI volume"));
    }
}
