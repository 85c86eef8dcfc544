//! Labelled slices on disk: a folder with `slices.csv`, or the official PhysioNet layout.

use crate::decode::{Limits, decode_slice};
use crate::error::{Error, Result};
use crate::mask::Mask;
use crate::slice::CtSlice;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Subtype columns in the order of `slices.csv`.
pub const SUBTYPES: [&str; 5] =
    ["epidural", "subdural", "subarachnoid", "intraparenchymal", "intraventricular"];

/// What is known of a slice's mask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MaskSource {
    /// Drawn, in this file.
    File(PathBuf),
    /// No hemorrhage on the slice: empty by definition.
    Empty,
    /// Hemorrhage by label, but nobody drew it: unknown, never background.
    Unknown,
}

/// One labelled slice.
#[derive(Debug, Clone)]
pub struct LabelledSlice {
    /// Patient identifier; splits are made by it.
    pub patient: String,
    /// Slice number within the patient.
    pub slice: String,
    /// Image path as the data set names it.
    pub image: String,
    /// Where the image lies.
    pub path: PathBuf,
    /// Slice-level label.
    pub hemorrhage: bool,
    /// Labels in the order of [`SUBTYPES`], where the data set gives them.
    pub subtypes: Option<[bool; 5]>,
    /// The mask.
    pub mask: MaskSource,
}

impl LabelledSlice {
    /// Reads the image.
    ///
    /// # Errors
    /// [`Error::Dataset`] naming the row, with the decoder's reason.
    pub fn read(&self, limits: &Limits) -> Result<CtSlice> {
        decode_slice(&self.bytes(&self.path)?, limits).map_err(|e| self.fault(&e.to_string()))
    }

    /// Reads the mask in the image's geometry, `width` x `height`; `None` where it is unknown.
    ///
    /// # Errors
    /// [`Error::Dataset`] if the file is missing, damaged or of another size than the image.
    pub fn read_mask(&self, width: usize, height: usize) -> Result<Option<Mask>> {
        let path = match &self.mask {
            MaskSource::Unknown => return Ok(None),
            MaskSource::Empty => return Ok(Some(Mask::empty(width, height))),
            MaskSource::File(path) => path,
        };
        let grey = image::load_from_memory(&self.bytes(path)?)
            .map_err(|_| self.fault("its mask cannot be decoded"))?
            .to_luma8();
        let mask = Mask::from_grey_otsu(&grey);
        if (mask.width, mask.height) != (width, height) {
            return Err(self.fault("its mask has another size than its image"));
        }
        Ok(Some(mask))
    }

    fn bytes(&self, path: &Path) -> Result<Vec<u8>> {
        std::fs::read(path).map_err(Error::io(format!(
            "Patient {} slice {}: a file that the table names cannot be read",
            self.patient, self.slice
        )))
    }

    fn fault(&self, reason: &str) -> Error {
        Error::Dataset(format!("Patient {} slice {}: {reason}", self.patient, self.slice))
    }
}

/// Reads the table of a data set.
///
/// # Errors
/// [`Error::Dataset`] if `root` has neither layout or a row cannot be understood.
pub fn read_dataset(root: &Path) -> Result<Vec<LabelledSlice>> {
    let table = root.join("slices.csv");
    let official = root.join("hemorrhage_diagnosis.csv");
    let rows = if table.is_file() {
        read_rows(&table, |row: TableRow| Ok(row.labelled(root)))?
    } else if official.is_file() {
        read_rows(&official, |row: PhysioNetRow| row.labelled(root))?
    } else {
        return Err(Error::Dataset(
            "The folder has neither slices.csv nor hemorrhage_diagnosis.csv. Give the folder that \
             holds one of them; training/README.md describes both."
                .into(),
        ));
    };
    if rows.is_empty() {
        return Err(Error::Dataset("The table has no rows.".into()));
    }
    Ok(rows)
}

fn read_rows<R: for<'de> Deserialize<'de>>(
    table: &Path,
    mut labelled: impl FnMut(R) -> Result<LabelledSlice>,
) -> Result<Vec<LabelledSlice>> {
    let bad = |e: csv::Error| Error::Dataset(format!("The table cannot be read: {e}"));
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(table).map_err(bad)?;
    reader.deserialize().map(|row| labelled(row.map_err(bad)?)).collect()
}

/// A row of `slices.csv`. `hematoma` is PHE-SICH's name for the mask column.
#[derive(Deserialize)]
struct TableRow {
    patient: String,
    slice: String,
    image: String,
    hemorrhage: Option<u8>,
    epidural: Option<u8>,
    subdural: Option<u8>,
    subarachnoid: Option<u8>,
    intraparenchymal: Option<u8>,
    intraventricular: Option<u8>,
    #[serde(alias = "hematoma", default)]
    mask: Option<String>,
}

impl TableRow {
    fn labelled(self, root: &Path) -> LabelledSlice {
        let mask_file = self.mask.filter(|m| !m.is_empty()).map(|m| root.join(m));
        let hemorrhage = self.hemorrhage.map_or(mask_file.is_some(), |h| h != 0);
        let subtypes = [
            self.epidural,
            self.subdural,
            self.subarachnoid,
            self.intraparenchymal,
            self.intraventricular,
        ];
        LabelledSlice {
            path: root.join(&self.image),
            mask: match mask_file {
                Some(file) => MaskSource::File(file),
                None if hemorrhage => MaskSource::Unknown,
                None => MaskSource::Empty,
            },
            subtypes: subtypes
                .iter()
                .all(Option::is_some)
                .then(|| subtypes.map(|label| label.is_some_and(|v| v != 0))),
            patient: self.patient,
            slice: self.slice,
            image: self.image,
            hemorrhage,
        }
    }
}

/// A row of PhysioNet's `hemorrhage_diagnosis.csv` (ct-ich v1.0.0).
#[derive(Deserialize)]
struct PhysioNetRow {
    #[serde(rename = "PatientNumber")]
    patient: u32,
    #[serde(rename = "SliceNumber")]
    slice: u32,
    #[serde(rename = "Intraventricular")]
    intraventricular: u8,
    #[serde(rename = "Intraparenchymal")]
    intraparenchymal: u8,
    #[serde(rename = "Subarachnoid")]
    subarachnoid: u8,
    #[serde(rename = "Epidural")]
    epidural: u8,
    #[serde(rename = "Subdural")]
    subdural: u8,
    #[serde(rename = "No_Hemorrhage")]
    no_hemorrhage: u8,
}

impl PhysioNetRow {
    fn labelled(self, root: &Path) -> Result<LabelledSlice> {
        let folder = format!("Patients_CT/{:03}/brain", self.patient);
        let image = format!("{folder}/{}.jpg", self.slice);
        let mask_file = root.join(format!("{folder}/{}_HGE_Seg.jpg", self.slice));
        let hemorrhage = self.no_hemorrhage == 0;
        Ok(LabelledSlice {
            patient: format!("{:03}", self.patient),
            slice: self.slice.to_string(),
            path: root.join(&image),
            image,
            hemorrhage,
            subtypes: Some(
                [
                    self.epidural,
                    self.subdural,
                    self.subarachnoid,
                    self.intraparenchymal,
                    self.intraventricular,
                ]
                .map(|label| label != 0),
            ),
            mask: match (mask_file.is_file(), hemorrhage) {
                (true, _) => MaskSource::File(mask_file),
                (false, true) => MaskSource::Unknown,
                (false, false) => MaskSource::Empty,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, name: &str, text: &str) {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn a_positive_without_a_mask_is_unknown_not_empty() {
        let dir = tempfile::tempdir().unwrap();
        write(
            dir.path(),
            "slices.csv",
            "patient,slice,image,hemorrhage,mask\na,1,i.png,1,\na,2,j.png,0,\nb,1,k.png,1,m.png\n",
        );
        let rows = read_dataset(dir.path()).unwrap();
        let masks: Vec<_> = rows.into_iter().map(|r| r.mask).collect();
        let file = MaskSource::File(dir.path().join("m.png"));
        assert_eq!(masks, [MaskSource::Unknown, MaskSource::Empty, file]);
    }

    #[test]
    fn reads_the_hematoma_column_and_leaves_subtypes_open() {
        let dir = tempfile::tempdir().unwrap();
        write(
            dir.path(),
            "slices.csv",
            "patient,slice,image,edema,hematoma\n1,0,i.png,,\n1,4,j.png,e.png,h.png\n",
        );
        let rows = read_dataset(dir.path()).unwrap();
        assert_eq!(rows.iter().map(|r| r.hemorrhage).collect::<Vec<_>>(), [false, true]);
        assert!(rows[1].subtypes.is_none());
    }

    #[test]
    fn reads_the_official_physionet_layout() {
        let dir = tempfile::tempdir().unwrap();
        write(
            dir.path(),
            "hemorrhage_diagnosis.csv",
            "PatientNumber,SliceNumber,Intraventricular,Intraparenchymal,Subarachnoid,Epidural,Subdural,No_Hemorrhage,Fracture_Yes_No\n49,14,0,0,0,1,0,0,1\n49,15,0,0,0,0,0,1,0\n",
        );
        write(dir.path(), "Patients_CT/049/brain/14_HGE_Seg.jpg", "");
        let rows = read_dataset(dir.path()).unwrap();
        assert_eq!(rows[0].patient, "049");
        assert_eq!(rows[0].subtypes, Some([true, false, false, false, false]));
        assert!(matches!(rows[0].mask, MaskSource::File(_)));
        assert_eq!(rows[1].mask, MaskSource::Empty);
        assert!(rows[1].path.ends_with("Patients_CT/049/brain/15.jpg"));
    }

    #[test]
    fn a_folder_without_a_table_says_what_is_missing() {
        let dir = tempfile::tempdir().unwrap();
        assert!(read_dataset(dir.path()).unwrap_err().to_string().contains("slices.csv"));
    }
}
