//! What a DICOM object that is derived from a slice repeats of its patient and study.

/// Text attributes of patient and study as bytes of the file, in its character set: whatever that
/// is, a reader of the derived object decodes what a reader of the source does.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PatientStudy {
    /// Specific Character Set (0008,0005) as the file holds it; `None` where it does not.
    pub character_set: Option<Vec<u8>>,
    /// The attributes that the file has, in the order of their tags.
    pub attributes: Vec<QuotedAttribute>,
}

/// One attribute to be repeated.
#[derive(Clone, PartialEq, Eq)]
pub struct QuotedAttribute {
    /// Group and element.
    pub tag: (u16, u16),
    /// Its value representation by the DICOM dictionary.
    pub vr: [u8; 2],
    /// Its bytes without padding; `None` for values that cannot be repeated.
    pub value: Option<Vec<u8>>,
}

impl std::fmt::Debug for PatientStudy {
    /// Leaves out the patient: debug output ends up in logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PatientStudy").finish_non_exhaustive()
    }
}
