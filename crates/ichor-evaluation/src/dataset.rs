//! Reads labelled data sets: a folder with `slices.csv`, or the layout of ct-ich v1.0.0 on PhysioNet.

use crate::decode::{Limits, decode_slice};
use crate::error::{Error, Result};
use crate::mask::Mask;
use crate::slice::CtSlice;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Columns of the hemorrhage types, in the order of `slices.csv`.
pub const SUBTYPES: [&str; 5] =
    ["epidural", "subdural", "subarachnoid", "intraparenchymal", "intraventricular"];

/// Where the true mask of a slice comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MaskSource {
    /// An image file.
    File(PathBuf),
    /// The slice is labelled as free of hemorrhage, so that its mask is empty.
    Empty,
    /// The slice is labelled as hemorrhage but has no file. Its mask is unknown, not empty.
    Unknown,
}

/// One labelled slice.
#[derive(Debug, Clone)]
pub struct LabelledSlice {
    /// Identifier of the patient, by which data sets are split.
    pub patient: String,
    /// Number of the slice within the patient, as the table gives it.
    pub slice: String,
    /// Path of the image as the table gives it.
    pub image: String,
    /// Path of the image on disk.
    pub path: PathBuf,
    /// Whether the slice is labelled as hemorrhage.
    pub hemorrhage: bool,
    /// Labels of the types in the order of [`SUBTYPES`]; `None` where the table lacks one.
    pub subtypes: Option<[bool; 5]>,
    /// The true mask.
    pub mask: MaskSource,
    /// How the mask was made, where the table says so; else empty.
    pub mask_tier: String,
    /// An image that gives the type of each pixel, where the table names one.
    pub labels: Option<PathBuf>,
}

impl LabelledSlice {
    /// Reads and decodes the image.
    ///
    /// # Errors
    /// [`Error::Dataset`] naming the row, with the reason of the decoder; [`ichor_image::Error::Io`] where the file cannot
    /// be read.
    pub fn read(&self, limits: &Limits) -> Result<CtSlice> {
        decode_slice(&self.bytes(&self.path)?, limits).map_err(|e| self.error(&e.to_string()))
    }

    /// Reads the true mask of the image, which has `width` x `height` px; `None` where it is unknown.
    ///
    /// # Errors
    /// [`Error::Dataset`] if the file is damaged or has another size than the image; [`ichor_image::Error::Io`] where it
    /// cannot be read.
    pub fn read_mask(&self, width: usize, height: usize) -> Result<Option<Mask>> {
        let path = match &self.mask {
            MaskSource::Unknown => return Ok(None),
            MaskSource::Empty => return Ok(Some(Mask::empty(width, height))),
            MaskSource::File(path) => path,
        };
        let grey = image::load_from_memory(&self.bytes(path)?)
            .map_err(|_| self.error("its mask cannot be decoded"))?
            .to_luma8();
        let mask = Mask::from_grey_otsu(&grey);
        if (mask.width, mask.height) != (width, height) {
            return Err(self.error("its mask has another size than its image"));
        }
        Ok(Some(mask))
    }

    /// Reads the type of each pixel of the image, which has `width` x `height` px: 0 without hemorrhage, else the place of
    /// the type in [`SUBTYPES`], from 1. `None` where the table names no such file.
    ///
    /// # Errors
    /// As [`LabelledSlice::read_mask`].
    pub fn read_labels(&self, width: usize, height: usize) -> Result<Option<Vec<u8>>> {
        let Some(path) = &self.labels else { return Ok(None) };
        let image = image::load_from_memory(&self.bytes(path)?)
            .map_err(|_| self.error("its labels cannot be decoded"))?
            .to_luma8();
        if (image.width() as usize, image.height() as usize) != (width, height) {
            return Err(self.error("its labels have another size than its image"));
        }
        match image.iter().find(|&&label| usize::from(label) > SUBTYPES.len()) {
            Some(label) => Err(self.error(&format!(
                "its labels hold the value {label}. Write 0 to 5, in the order of the columns of types"
            ))),
            None => Ok(Some(image.into_raw())),
        }
    }

    fn bytes(&self, path: &Path) -> Result<Vec<u8>> {
        std::fs::read(path).map_err(Error::io(format!(
            "Patient {} slice {}: a file that the table names cannot be read",
            self.patient, self.slice
        )))
    }

    fn error(&self, reason: &str) -> Error {
        Error::Dataset(format!("Patient {} slice {}: {reason}", self.patient, self.slice))
    }
}

/// Reads the table of a data set.
///
/// # Errors
/// [`Error::Dataset`] if `root` has neither layout, the table has no rows, or a row cannot be parsed.
pub fn read_dataset(root: &Path) -> Result<Vec<LabelledSlice>> {
    let table = root.join("slices.csv");
    let official = root.join("hemorrhage_diagnosis.csv");
    let rows = if table.is_file() {
        read_rows(&table, |row: TableRow, is_labelled| row.into_slice(root, is_labelled))?
    } else if official.is_file() {
        read_rows(&official, |row: PhysioNetRow, _| Ok(row.into_slice(root)))?
    } else {
        return Err(Error::Dataset(
            "The folder has neither slices.csv nor hemorrhage_diagnosis.csv. Give the folder that \
             holds one of them; training/README.md describes both."
                .into(),
        ));
    };
    if rows.is_empty() {
        return Err(Error::Dataset("The table has no rows. Add a row per slice.".into()));
    }
    Ok(rows)
}

/// Reads the rows of a table. `convert` is also told whether the table has the column `hemorrhage`.
fn read_rows<R: for<'de> Deserialize<'de>>(
    table: &Path,
    convert: impl Fn(R, bool) -> Result<LabelledSlice>,
) -> Result<Vec<LabelledSlice>> {
    let bad = |e: csv::Error| Error::Dataset(format!("The table cannot be read: {e}"));
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(table).map_err(bad)?;
    let is_labelled = reader.headers().map_err(bad)?.iter().any(|name| name == "hemorrhage");
    reader.deserialize().map(|row| convert(row.map_err(bad)?, is_labelled)).collect()
}

/// A row of `slices.csv`. PHE-SICH-CT-IDS names the mask column `hematoma`.
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
    #[serde(default)]
    mask_tier: Option<String>,
    #[serde(default)]
    labels: Option<String>,
}

impl TableRow {
    /// The slice of this row. `is_labelled` is whether the table has the column `hemorrhage`; without it, a mask alone
    /// marks a slice as bleeding.
    fn into_slice(self, root: &Path, is_labelled: bool) -> Result<LabelledSlice> {
        let mask_file = self.mask.filter(|m| !m.is_empty()).map(|m| root.join(m));
        // Taken for free of hemorrhage, a slice without a label would teach the wrong answer.
        if is_labelled && self.hemorrhage.is_none() && mask_file.is_none() {
            return Err(Error::Dataset(format!(
                "Patient {} slice {}: 'hemorrhage' is empty and there is no mask. Write 0 or 1, or leave out the row.",
                self.patient, self.slice
            )));
        }
        let hemorrhage = self.hemorrhage.map_or(mask_file.is_some(), |h| h != 0);
        let subtypes = [
            self.epidural,
            self.subdural,
            self.subarachnoid,
            self.intraparenchymal,
            self.intraventricular,
        ];
        Ok(LabelledSlice {
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
            mask_tier: self.mask_tier.unwrap_or_default(),
            labels: self.labels.filter(|labels| !labels.is_empty()).map(|labels| root.join(labels)),
        })
    }
}

/// A row of `hemorrhage_diagnosis.csv` of ct-ich v1.0.0 (PhysioNet).
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
    fn into_slice(self, root: &Path) -> LabelledSlice {
        let folder = format!("Patients_CT/{:03}/brain", self.patient);
        let image = format!("{folder}/{}.jpg", self.slice);
        let mask_file = root.join(format!("{folder}/{}_HGE_Seg.jpg", self.slice));
        let hemorrhage = self.no_hemorrhage == 0;
        LabelledSlice {
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
            mask_tier: String::new(),
            labels: None,
        }
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
    fn the_mask_of_a_positive_slice_without_a_file_is_unknown() {
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
    fn a_row_without_a_label_and_without_a_mask_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let table = "patient,slice,image,hemorrhage,mask\na,1,i.png,,m.png\nb,7,j.png,,\n";
        write(dir.path(), "slices.csv", table);
        let message = read_dataset(dir.path()).unwrap_err().to_string();
        assert!(message.contains("Patient b slice 7") && message.contains("0 or 1"), "{message}");
    }

    #[test]
    fn reads_the_hematoma_column_and_no_types() {
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
    fn the_error_for_a_folder_without_a_table_names_the_table() {
        let dir = tempfile::tempdir().unwrap();
        assert!(read_dataset(dir.path()).unwrap_err().to_string().contains("slices.csv"));
    }
}
