//! The supported transfer syntaxes (PS3.5 section 10, PS3.6 table A-1), and errors for the others.

use super::structure::Encoding;
use crate::error::{Error, Result};
use dicom_dictionary_std::uids;
use dicom_transfer_syntax_registry::{TransferSyntaxIndex, TransferSyntaxRegistry};

/// A supported transfer syntax.
pub(super) struct Syntax {
    /// Its UID.
    pub(super) uid: &'static str,
    /// Encoding of the data set.
    pub(super) encoding: Encoding,
    /// Compression of the frames.
    pub(super) coding: Coding,
    /// Whether the data set is compressed as a whole.
    pub(super) deflated: bool,
}

/// Compression of the frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Native,
    Rle,
    Jpeg,
    Jpeg2000,
}

impl Syntax {
    /// Finds a transfer syntax by its UID.
    ///
    /// # Errors
    /// [`Error::UnsupportedType`] with the name of the syntax and a conversion tool.
    pub(super) fn of_uid(uid: &str) -> Result<Self> {
        // PS3.5 A.4: a data set with encapsulated frames is explicit, little endian.
        let encoding = Encoding {
            explicit: uid != uids::IMPLICIT_VR_LITTLE_ENDIAN,
            big_endian: uid == EXPLICIT_VR_BIG_ENDIAN,
        };
        let (uid, coding) = SUPPORTED
            .iter()
            .copied()
            .find(|(listed, _)| *listed == uid)
            .ok_or_else(|| unsupported(uid))?;
        let deflated = uid == uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN;
        Ok(Self { uid, encoding, coding, deflated })
    }
}

/// Retired in 2006, but still found in archives.
const EXPLICIT_VR_BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";

const SUPPORTED: [(&str, Coding); 12] = [
    (uids::IMPLICIT_VR_LITTLE_ENDIAN, Coding::Native),
    (uids::EXPLICIT_VR_LITTLE_ENDIAN, Coding::Native),
    (EXPLICIT_VR_BIG_ENDIAN, Coding::Native),
    (uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, Coding::Native),
    (uids::RLE_LOSSLESS, Coding::Rle),
    (uids::JPEG_BASELINE8_BIT, Coding::Jpeg),
    (uids::JPEG_EXTENDED12_BIT, Coding::Jpeg),
    (uids::JPEG_LOSSLESS, Coding::Jpeg),
    (uids::JPEG_LOSSLESS_SV1, Coding::Jpeg),
    (uids::JPEG2000_LOSSLESS, Coding::Jpeg2000),
    (uids::JPEG2000, Coding::Jpeg2000),
    // Some archives store uncompressed frames as fragments.
    (uids::ENCAPSULATED_UNCOMPRESSED_EXPLICIT_VR_LITTLE_ENDIAN, Coding::Native),
];

fn unsupported(uid: &str) -> Error {
    // A UID that is not in the standard may identify a site and is not repeated.
    let registered = TransferSyntaxRegistry.get(uid).map(|syntax| (syntax.name(), syntax.uid()));
    let what = match registered {
        Some((name, uid)) => format!("the transfer syntax {name} ({uid})"),
        None => "a private or unknown transfer syntax".into(),
    };
    let tool = match uid {
        uids::JPEGLS_LOSSLESS | uids::JPEGLS_NEAR_LOSSLESS => "`dcmdjpls IN OUT`",
        _ => "`gdcmconv --raw IN OUT`",
    };
    Error::UnsupportedType(format!(
        "The DICOM file uses {what}, which is not supported. Convert it to uncompressed explicit \
         little endian, for instance with {tool}."
    ))
}
