//! Removes from a result what its warnings leave in doubt, so that nothing is claimed that was not analysed.

use super::{Analysis, SegmentedSlice, SliceResult};
use crate::assess::GrayScale;
use crate::mask::Mask;
use crate::slice::{Doubt, Warning};

fn has_doubt(warnings: &[Warning], doubt: Doubt) -> bool {
    warnings.iter().any(|warning| warning.doubt == Some(doubt))
}

/// Whether a note only repeats what follows from grey values that cannot be read.
fn is_consequence(warning: &Warning) -> bool {
    const CODES: [&str; 4] = ["padding", "no_air", "skull_open", "skull_not_found"];
    warning.doubt.is_none() && CODES.contains(&warning.code)
}

impl SliceResult {
    /// Removes what the warnings leave in doubt. Idempotent.
    pub(super) fn apply_doubts(&mut self) {
        if has_doubt(&self.warnings, Doubt::Unreadable) {
            self.clear();
        }
        let doubts_of_absence = [Doubt::Incomplete, Doubt::Undecided];
        if doubts_of_absence.iter().any(|&doubt| has_doubt(&self.warnings, doubt)) {
            self.detected = self.detected.filter(|&detected| detected);
        }
        if has_doubt(&self.warnings, Doubt::Unmeasurable) {
            self.clear_sizes();
        }
        self.derive_types();
    }

    /// Warns where "none" would stand beside a probability above the cut-off of the slice.
    pub(super) fn warn_if_undecided(&mut self) {
        if self.readout.open && self.detected == Some(false) {
            let message = "The probability of hemorrhage is above the model's cut-off for a slice, but no region \
                           reaches the threshold. Look at the slice yourself, or lower the threshold to see where.";
            self.warnings.push(Warning::undecided("nothing_outlined", message));
            self.apply_doubts();
        }
    }

    /// Removes every statement about hemorrhage.
    fn clear(&mut self) {
        self.gray_scale = GrayScale::Unreadable;
        self.warnings.retain(|warning| !is_consequence(warning));
        self.lesions.clear();
        self.detected = None;
        self.probability = None;
        self.probability_alone = None;
        self.evidence = None;
        self.fallback_threshold = None;
        self.subtype_probabilities.clear();
        self.readout.open = false;
    }

    fn clear_sizes(&mut self) {
        self.is_measurable = false;
        for lesion in &mut self.lesions {
            (lesion.area_mm2, lesion.volume_ml, lesion.thickness_mm) = (None, None, None);
        }
    }
}

impl SegmentedSlice {
    /// Applies the doubts of the result, and empties the mask where no lesions are left.
    pub fn clear_mask_if_gated(&mut self) {
        self.result.apply_doubts();
        if self.result.lesions.is_empty() {
            self.mask = Mask::empty(self.mask.width, self.mask.height);
        }
    }
}

impl Analysis {
    /// Removes what the warnings leave in doubt. Idempotent.
    pub(super) fn apply_doubts(&mut self) {
        if has_doubt(&self.warnings, Doubt::Unreadable) {
            self.clear();
        }
        // Hemorrhage on one slice decides for the head, whatever other slices are undecided about.
        if self.detected == Some(true) {
            self.warnings.retain(|warning| warning.doubt != Some(Doubt::Undecided));
        }
        if has_doubt(&self.warnings, Doubt::Incomplete) {
            self.detected = self.detected.filter(|&detected| detected);
            self.volume.clear_total();
            self.clear_type_volumes();
        }
        if has_doubt(&self.warnings, Doubt::Unmeasurable) {
            self.volume.clear_sizes();
            self.slices.iter_mut().for_each(SliceResult::clear_sizes);
            self.clear_type_volumes();
        }
    }

    fn clear(&mut self) {
        self.gray_scale = GrayScale::Unreadable;
        self.warnings.retain(|warning| !is_consequence(warning));
        self.slices.iter_mut().for_each(SliceResult::clear);
        for mask in &mut self.masks {
            *mask = Mask::empty(mask.width, mask.height).pack();
        }
        self.volume.lesions.clear();
        self.volume.clear_total();
        self.volume.key_slice = None;
        self.detected = None;
        self.probability = None;
        self.subtypes.clear();
    }

    fn clear_type_volumes(&mut self) {
        self.subtypes.iter_mut().for_each(|subtype| subtype.volume_ml = None);
    }
}
