//! Patient and study attributes that a derived DICOM object repeats.

/// Text attributes of patient and study, as bytes in the character set of the file. A derived object contains the same
/// bytes and the same character set, so that they are decoded in the same way.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PatientStudy {
    /// Specific Character Set (0008,0005) as in the file; `None` if it is absent.
    pub character_set: Option<Vec<u8>>,
    /// The attributes that the file contains, in the order of their tags.
    pub attributes: Vec<QuotedAttribute>,
}

/// A text attribute.
#[derive(Clone, PartialEq, Eq)]
pub struct QuotedAttribute {
    /// Group and element.
    pub tag: (u16, u16),
    /// Value representation by the DICOM dictionary.
    pub vr: [u8; 2],
    /// Bytes without padding; `None` if the value cannot be repeated.
    pub value: Option<Vec<u8>>,
}

impl std::fmt::Debug for PatientStudy {
    /// Omits everything about the patient, because debug output may be logged.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PatientStudy").finish_non_exhaustive()
    }
}
