//! From the probability of hemorrhage to one of three answers.

use serde::{Deserialize, Serialize};

/// Cut-offs of the calibrated probability of hemorrhage, `0 <= unlikely_below <= likely_from <= 1`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerdictBands {
    /// Below this probability, hemorrhage is [`Verdict::Unlikely`].
    pub unlikely_below: f32,
    /// From this probability on, hemorrhage is [`Verdict::Likely`].
    pub likely_from: f32,
}

/// Whether a hemorrhage is present, in three answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The probability is at or above [`VerdictBands::likely_from`].
    Likely,
    /// The probability lies between the two cut-offs, or is NaN.
    Uncertain,
    /// The probability is below [`VerdictBands::unlikely_below`].
    Unlikely,
}

impl VerdictBands {
    /// The verdict for a calibrated probability of hemorrhage, 0 to 1.
    ///
    /// ```
    /// use ichor_core::model_spec::{Verdict, VerdictBands};
    ///
    /// let bands = VerdictBands { unlikely_below: 0.1, likely_from: 0.6 };
    /// assert_eq!(bands.verdict(0.05), Verdict::Unlikely);
    /// assert_eq!(bands.verdict(0.1), Verdict::Uncertain);
    /// assert_eq!(bands.verdict(0.6), Verdict::Likely);
    /// ```
    pub fn verdict(self, probability: f32) -> Verdict {
        if probability >= self.likely_from {
            Verdict::Likely
        } else if probability < self.unlikely_below {
            Verdict::Unlikely
        } else {
            Verdict::Uncertain
        }
    }

    /// The verdict that a report gives, so that it contradicts neither the outline nor what was left out: what is
    /// outlined (`detected` is `Some(true)`) is never unlikely, and where absence cannot be stated (`None`)
    /// neither can that hemorrhage is unlikely. `None` where there is no probability.
    ///
    /// ```
    /// use ichor_core::model_spec::{Verdict, VerdictBands};
    ///
    /// let bands = VerdictBands { unlikely_below: 0.1, likely_from: 0.6 };
    /// assert_eq!(bands.reported_verdict(Some(0.05), Some(false)), Some(Verdict::Unlikely));
    /// assert_eq!(bands.reported_verdict(Some(0.05), Some(true)), Some(Verdict::Uncertain));
    /// assert_eq!(bands.reported_verdict(Some(0.05), None), None);
    /// ```
    pub fn reported_verdict(
        self,
        probability: Option<f32>,
        detected: Option<bool>,
    ) -> Option<Verdict> {
        match (self.verdict(probability?), detected) {
            (Verdict::Unlikely, Some(true)) => Some(Verdict::Uncertain),
            (Verdict::Unlikely, None) => None,
            (verdict, _) => Some(verdict),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_probability_has_one_verdict() {
        let bands = VerdictBands { unlikely_below: 0.25, likely_from: 0.75 };
        let cases = [
            (0.0, Verdict::Unlikely),
            (0.25_f32.next_down(), Verdict::Unlikely),
            (0.25, Verdict::Uncertain),
            (0.75_f32.next_down(), Verdict::Uncertain),
            (0.75, Verdict::Likely),
            (1.0, Verdict::Likely),
            (f32::NAN, Verdict::Uncertain),
        ];
        for (probability, expected) in cases {
            assert_eq!(bands.verdict(probability), expected, "{probability}");
        }
    }

    #[test]
    fn equal_cut_offs_leave_no_probability_uncertain() {
        let bands = VerdictBands { unlikely_below: 0.5, likely_from: 0.5 };
        assert_eq!(bands.verdict(0.5_f32.next_down()), Verdict::Unlikely);
        assert_eq!(bands.verdict(0.5), Verdict::Likely);
    }

    #[test]
    fn a_reported_verdict_contradicts_neither_the_outline_nor_what_was_left_out() {
        let bands = VerdictBands { unlikely_below: 0.25, likely_from: 0.75 };
        let cases = [
            (0.1, Some(false), Some(Verdict::Unlikely)),
            (0.1, Some(true), Some(Verdict::Uncertain)),
            (0.1, None, None),
            (0.5, None, Some(Verdict::Uncertain)),
            (0.9, Some(false), Some(Verdict::Likely)),
            (0.9, None, Some(Verdict::Likely)),
        ];
        for (probability, detected, expected) in cases {
            let reported = bands.reported_verdict(Some(probability), detected);
            assert_eq!(reported, expected, "{probability} {detected:?}");
        }
        assert_eq!(bands.reported_verdict(None, Some(false)), None);
    }

    #[test]
    fn verdicts_are_written_in_snake_case() {
        let all = [Verdict::Likely, Verdict::Uncertain, Verdict::Unlikely];
        assert_eq!(serde_json::to_string(&all).unwrap(), r#"["likely","uncertain","unlikely"]"#);
    }
}
