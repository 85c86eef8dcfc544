//! The type of a lesion from its features.

use super::features::{FEATURES, Features};
use serde::{Deserialize, Serialize, Serializer};

/// Codes of the types, in the order of [`LesionTypes::classes`].
pub const TYPES: [&str; 5] = ["EDH", "SDH", "SAH", "IPH", "IVH"];

/// Types outside the brain: between it and the skull, and in the sulci and cisterns.
const EXTRA_AXIAL: [&str; 3] = ["EDH", "SDH", "SAH"];

/// `lesion_types` of `model.json`: a multinomial logistic regression on standardized [`FEATURES`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LesionTypes {
    /// The features that are used.
    pub features: Vec<FeatureScale>,
    /// The types, in the order of [`TYPES`].
    pub classes: Vec<LesionClass>,
    /// Divides the logits, so that the probabilities agree with observed rates.
    pub temperature: f32,
    /// Whether a lesion outside the brain is distinguished from one inside it better than by chance.
    pub extra_axial_assessed: bool,
    /// Accuracy by cross-validation, as the training wrote it.
    #[serde(default)]
    pub figures: serde_json::Value,
}

/// One feature with its mean and its standard deviation over the training lesions.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureScale {
    /// One of [`FEATURES`].
    pub name: String,
    /// Subtracted from the feature.
    pub mean: f32,
    /// Divides the difference.
    pub scale: f32,
}

/// One type.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LesionClass {
    /// One of [`TYPES`].
    pub code: String,
    /// Name for people.
    pub name: String,
    /// Logit of a lesion with average features.
    pub intercept: f32,
    /// Factor of each standardized feature.
    pub coefficients: Vec<f32>,
    /// Whether the type is recognized better than by chance, with its interval. If not, no probability is reported.
    pub assessed: bool,
}

/// The type of a lesion, with its probability.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct LesionType {
    /// The most probable type: `EDH`, `SDH`, `SAH`, `IPH` or `IVH`. `null` where that is a type which the model does not
    /// recognize better than by chance.
    pub code: Option<&'static str>,
    /// Probability of that type, 0 to 1; `null` where `code` is.
    pub probability: Option<f32>,
    /// Probability that the lesion lies outside the brain tissue and the ventricles: EDH, SDH or SAH. `null` where the
    /// model does not distinguish this better than by chance.
    pub extra_axial: Option<f32>,
    /// Probability of each type that the model recognizes better than by chance; `None` for the others.
    #[serde(serialize_with = "given")]
    #[cfg_attr(feature = "schemas", schemars(with = "Vec<TypeProbability>"))]
    pub probabilities: [Option<TypeProbability>; TYPES.len()],
    /// Types that the model does not recognize better than by chance; `None` for the others. They are not excluded.
    #[serde(serialize_with = "given")]
    #[cfg_attr(feature = "schemas", schemars(with = "Vec<String>"))]
    pub not_assessed: [Option<&'static str>; TYPES.len()],
    /// Probability of each of [`TYPES`].
    #[serde(skip)]
    all: [f32; TYPES.len()],
}

/// The probability of one type.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct TypeProbability {
    /// `EDH`, `SDH`, `SAH`, `IPH` or `IVH`.
    pub code: &'static str,
    /// 0 to 1.
    pub probability: f32,
}

impl LesionTypes {
    /// The type of a lesion with these features.
    pub fn classify(&self, features: &Features) -> LesionType {
        let mut assessed = [false; TYPES.len()];
        assessed.iter_mut().zip(&self.classes).for_each(|(flag, class)| *flag = class.assessed);
        LesionType::new(self.probabilities(features), assessed, self.extra_axial_assessed)
    }

    /// Probability of each of [`TYPES`]; they add up to 1.
    pub fn probabilities(&self, features: &Features) -> [f32; TYPES.len()] {
        let mut logits = [0.0_f32; TYPES.len()];
        for (logit, class) in logits.iter_mut().zip(&self.classes) {
            let terms = self.features.iter().zip(&class.coefficients).map(|(feature, factor)| {
                let place = FEATURES.iter().position(|name| *name == feature.name);
                let value = place.map_or(feature.mean, |place| features[place]);
                // Far from the training lesions, one feature must not decide alone.
                let deviation = (value - feature.mean) / feature.scale;
                factor * deviation.clamp(-MAX_DEVIATION, MAX_DEVIATION)
            });
            *logit = (class.intercept + terms.sum::<f32>()) / self.temperature;
        }
        let highest = logits.iter().copied().fold(f32::MIN, f32::max);
        let parts = logits.map(|logit| (logit - highest).exp());
        let sum: f32 = parts.iter().sum();
        parts.map(|part| part / sum)
    }
}

impl LesionType {
    /// What is reported of the probabilities of [`TYPES`], where `assessed` are recognized better than by chance.
    fn new(
        all: [f32; TYPES.len()],
        assessed: [bool; TYPES.len()],
        extra_axial_assessed: bool,
    ) -> Self {
        let with = || TYPES.into_iter().zip(all).zip(assessed);
        let best = with().max_by(|a, b| a.0.1.total_cmp(&b.0.1)).filter(|(_, assessed)| *assessed);
        let best = best.map(|(best, _)| best);
        let outside = with().filter(|((code, _), _)| EXTRA_AXIAL.contains(code));
        Self {
            code: best.map(|(code, _)| code),
            probability: best.map(|(_, probability)| probability),
            extra_axial: extra_axial_assessed.then(|| outside.map(|((_, p), _)| p).sum()),
            probabilities: std::array::from_fn(|class| {
                let of = TypeProbability { code: TYPES[class], probability: all[class] };
                assessed[class].then_some(of)
            }),
            not_assessed: std::array::from_fn(|class| (!assessed[class]).then_some(TYPES[class])),
            all,
        }
    }

    /// Probability of each of [`TYPES`], assessed or not; they add up to 1.
    pub fn all(&self) -> [f32; TYPES.len()] {
        self.all
    }

    /// The type of a lesion that has these parts, each with its weight: a volume or an area. `None` without parts.
    pub(crate) fn of_parts<'a>(parts: impl Iterator<Item = (&'a Self, f64)>) -> Option<Self> {
        let (mut sum, mut all, mut first) = (0.0, [0.0_f64; TYPES.len()], None);
        for (part, weight) in parts {
            first.get_or_insert(part);
            sum += weight;
            all.iter_mut().zip(part.all).for_each(|(all, p)| *all += weight * f64::from(p));
        }
        let first = first.filter(|_| sum > 0.0)?;
        let assessed = first.not_assessed.map(|code| code.is_none());
        Some(Self::new(all.map(|p| (p / sum) as f32), assessed, first.extra_axial.is_some()))
    }
}

/// Writes the values that are given as a list, which in memory takes no allocation.
fn given<T: Serialize, S: Serializer>(values: &[Option<T>], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(values.iter().flatten())
}

/// Largest distance of a feature from its mean that counts, in standard deviations.
const MAX_DEVIATION: f32 = 4.0;

#[cfg(test)]
impl LesionType {
    /// A lesion of this type with this probability; the others share the rest.
    pub(crate) fn sample(code: &str, probability: f32) -> Self {
        let rest = (1.0 - probability) / 4.0;
        let all = TYPES.map(|other| if other == code { probability } else { rest });
        Self::new(all, [true; TYPES.len()], true)
    }
}
