//! What warnings take away from a result, so that nothing is claimed that was not looked at.

use super::series::SeriesSegmentation;
use super::{Segmentation, SliceFinding};
use crate::assess::GrayScale;
use crate::mask::Mask;
use crate::slice::{Doubt, Warning};

fn doubts(warnings: &[Warning], doubt: Doubt) -> bool {
    warnings.iter().any(|warning| warning.doubt == Some(doubt))
}

/// Whether a note only repeats what follows from grey values that are not understood.
fn is_consequence(warning: &Warning) -> bool {
    const CODES: [&str; 4] = ["padding", "no_air", "skull_open", "skull_not_found"];
    warning.doubt.is_none() && CODES.contains(&warning.code)
}

impl SliceFinding {
    /// Takes back what the warnings leave in doubt. Applying it twice changes nothing more.
    pub(super) fn apply_doubts(&mut self) {
        if doubts(&self.warnings, Doubt::Unreadable) {
            self.withdraw();
        }
        let no_in_doubt = [Doubt::Incomplete, Doubt::Undecided];
        if no_in_doubt.iter().any(|&doubt| doubts(&self.warnings, doubt)) {
            self.detected = self.detected.filter(|&detected| detected);
        }
        if doubts(&self.warnings, Doubt::Unmeasurable) {
            self.forget_sizes();
        }
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

    /// Says nothing of hemorrhage any more.
    fn withdraw(&mut self) {
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

    fn forget_sizes(&mut self) {
        self.is_measurable = false;
        for lesion in &mut self.lesions {
            (lesion.area_mm2, lesion.volume_ml) = (None, None);
        }
    }
}

impl Segmentation {
    /// Applies what the series or the warnings made of the finding: without lesions the mask is empty.
    pub fn settle(&mut self) {
        self.finding.apply_doubts();
        if self.finding.lesions.is_empty() {
            self.mask = Mask::empty(self.mask.width, self.mask.height);
        }
    }
}

impl SeriesSegmentation {
    /// Takes back what the warnings leave in doubt. Applying it twice changes nothing more.
    pub(super) fn apply_doubts(&mut self) {
        if doubts(&self.warnings, Doubt::Unreadable) {
            self.withdraw();
        }
        // Where blood is outlined on one slice, it does not matter to the head that another is undecided.
        if self.detected == Some(true) {
            self.warnings.retain(|warning| warning.doubt != Some(Doubt::Undecided));
        }
        if doubts(&self.warnings, Doubt::Incomplete) {
            self.detected = self.detected.filter(|&detected| detected);
            self.volume.total_volume_ml = None;
            self.forget_type_volumes();
        }
        if doubts(&self.warnings, Doubt::Unmeasurable) {
            self.volume.forget_sizes();
            self.slices.iter_mut().for_each(SliceFinding::forget_sizes);
            self.forget_type_volumes();
        }
    }

    fn withdraw(&mut self) {
        self.gray_scale = GrayScale::Unreadable;
        self.warnings.retain(|warning| !is_consequence(warning));
        self.slices.iter_mut().for_each(SliceFinding::withdraw);
        for mask in &mut self.masks {
            *mask = Mask::empty(mask.width, mask.height).pack();
        }
        self.volume.lesions.clear();
        self.volume.total_volume_ml = None;
        self.volume.key_slice = None;
        self.detected = None;
        self.probability = None;
        self.subtypes.clear();
    }

    fn forget_type_volumes(&mut self) {
        self.subtypes.iter_mut().for_each(|subtype| subtype.volume_ml = None);
    }
}
