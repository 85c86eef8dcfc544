//! What a textbook considers for a type of lesion at a place. Nothing is predicted: no data set with causes was used, and
//! no probability is given. The table: `docs/patterns.md`.

use super::{Depth, Language, LesionSummary, Region, Translated};
use crate::segmenter::Analysis;
use serde::{Serialize, Serializer};

/// A cause to consider, with its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct Pattern {
    /// Stable identifier of the rule, such as `iph_deep`.
    pub code: &'static str,
    /// The lesions that it applies to, by `id`.
    #[cfg_attr(feature = "schemas", schemars(with = "Vec<usize>"))]
    pub lesions: LesionIds,
    /// What to consider, a sentence.
    pub consider: Translated<&'static str>,
    /// The literature that says so.
    #[cfg_attr(feature = "schemas", schemars(with = "Vec<Source>"))]
    pub sources: &'static [Source],
}

/// Lesions by `id`, of the 64 largest: a bit per lesion, so that a report needs no allocation for them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LesionIds(u64);

impl LesionIds {
    fn add(&mut self, id: usize) {
        // An `id` starts from 1.
        let bit = id.checked_sub(1).and_then(|place| 1_u64.checked_shl(u32::try_from(place).ok()?));
        self.0 |= bit.unwrap_or(0);
    }

    /// The identifiers, ascending.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..64).filter(move |place| self.0 >> place & 1 == 1).map(|place| place + 1)
    }
}

impl Serialize for LesionIds {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter())
    }
}

/// A publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct Source {
    /// First author, and others.
    pub authors: &'static str,
    /// Journal, as abbreviated by PubMed.
    pub journal: &'static str,
    /// Year of publication.
    pub year: u16,
    /// Digital object identifier.
    pub doi: &'static str,
}

impl Source {
    /// The source in one line.
    pub fn in_words(&self) -> String {
        format!("{}, {} {}, doi:{}", self.authors, self.journal, self.year, self.doi)
    }
}

/// Guideline of the American Heart Association for spontaneous intracerebral hemorrhage.
const ICH_GUIDELINE: Source = Source {
    authors: "Greenberg et al.",
    journal: "Stroke",
    year: 2022,
    doi: "10.1161/STR.0000000000000407",
};
/// The Boston criteria, version 2.0.
const BOSTON_CRITERIA: Source = Source {
    authors: "Charidimou et al.",
    journal: "Lancet Neurol",
    year: 2022,
    doi: "10.1016/S1474-4422(22)00208-3",
};
/// Guideline of the American Heart Association for aneurysmal subarachnoid hemorrhage.
const SAH_GUIDELINE: Source = Source {
    authors: "Hoh et al.",
    journal: "Stroke",
    year: 2023,
    doi: "10.1161/STR.0000000000000436",
};
/// Subarachnoid hemorrhage of the convexity without trauma, 29 patients.
const CONVEXITY: Source = Source {
    authors: "Kumar et al.",
    journal: "Neurology",
    year: 2010,
    doi: "10.1212/WNL.0b013e3181d55efa",
};
/// Statement of the American Heart Association on cerebral venous thrombosis.
const VENOUS_THROMBOSIS: Source = Source {
    authors: "Saposnik et al.",
    journal: "Stroke",
    year: 2011,
    doi: "10.1161/STR.0b013e31820a8364",
};
/// Hemorrhagic transformation of infarcts in ECASS I.
const HEMORRHAGIC_INFARCT: Source = Source {
    authors: "Fiorelli et al.",
    journal: "Stroke",
    year: 1999,
    doi: "10.1161/01.STR.30.11.2280",
};
/// Surgical management of acute epidural hematomas.
const EPIDURAL: Source = Source {
    authors: "Bullock et al.",
    journal: "Neurosurgery",
    year: 2006,
    doi: "10.1227/01.NEU.0000210363.91172.A8",
};
/// Surgical management of acute subdural hematomas.
const SUBDURAL: Source = Source {
    authors: "Bullock et al.",
    journal: "Neurosurgery",
    year: 2006,
    doi: "10.1227/01.NEU.0000210364.29290.C9",
};
/// Surgical management of traumatic parenchymal lesions.
const CONTUSION: Source = Source {
    authors: "Bullock et al.",
    journal: "Neurosurgery",
    year: 2006,
    doi: "10.1227/01.NEU.0000210365.36914.E3",
};

/// What the other lesions of a report have to do with one.
#[derive(Debug, Clone, Copy)]
struct Others {
    /// Whether one is epidural or subdural.
    has_extra_axial: bool,
    /// Whether every lesion is intraventricular.
    are_all_intraventricular: bool,
}

/// One row of the table.
struct Rule {
    code: &'static str,
    /// Whether it applies to a lesion of the report.
    applies: fn(&LesionSummary, Others) -> bool,
    consider: Translated<&'static str>,
    sources: &'static [Source],
}

fn is(lesion: &LesionSummary, code: &str) -> bool {
    lesion.probable_type() == Some(code)
}

fn is_at(lesion: &LesionSummary, code: &str, regions: &[Region]) -> bool {
    is(lesion, code) && lesion.region.is_some_and(|region| regions.contains(&region))
}

const RULES: [Rule; 10] = [
    Rule {
        code: "iph_deep",
        // A single slice gives no region, and near a border a series gives none either.
        applies: |lesion, _| {
            let is_deep = lesion.region.is_none() && lesion.depth == Some(Depth::Deep);
            is_at(lesion, "IPH", &[Region::BasalGanglia]) || is(lesion, "IPH") && is_deep
        },
        consider: Translated {
            en: "Deep intraparenchymal hemorrhage, as in the basal ganglia or the thalamus: consider hypertensive disease of small vessels; without hypertension, or \
                 below 45 years, also a vascular malformation or an aneurysm.",
            de: "Tiefe intraparenchymale Blutung, wie in den Basalganglien oder im Thalamus: an eine hypertensive Erkrankung kleiner Gefäße denken; ohne Hypertonie oder \
                 unter 45 Jahren auch an eine Gefäßmissbildung oder ein Aneurysma.",
        },
        sources: &[ICH_GUIDELINE],
    },
    Rule {
        code: "iph_lobar",
        applies: |lesion, _| is(lesion, "IPH") && lesion.is_lobar(),
        consider: Translated {
            en: "Lobar intraparenchymal hemorrhage: from 50 years on, consider cerebral amyloid angiopathy; below 70 years, also a \
                 vascular malformation, an aneurysm or venous thrombosis.",
            de: "Lobäre intraparenchymale Blutung: ab 50 Jahren an eine zerebrale Amyloidangiopathie denken; unter 70 Jahren auch \
                 an eine Gefäßmissbildung, ein Aneurysma oder eine Venenthrombose.",
        },
        sources: &[BOSTON_CRITERIA, ICH_GUIDELINE],
    },
    Rule {
        code: "iph_infratentorial",
        applies: |lesion, _| is_at(lesion, "IPH", &[Region::Brainstem, Region::Cerebellum]),
        consider: Translated {
            en: "Infratentorial intraparenchymal hemorrhage: consider hypertensive disease of small vessels; without hypertension, \
                 or below 45 years, also a vascular malformation or an aneurysm.",
            de: "Infratentorielle intraparenchymale Blutung: an eine hypertensive Erkrankung kleiner Gefäße denken; ohne Hypertonie \
                 oder unter 45 Jahren auch an eine Gefäßmissbildung oder ein Aneurysma.",
        },
        sources: &[ICH_GUIDELINE],
    },
    Rule {
        code: "iph_in_infarct",
        applies: |lesion, _| is(lesion, "IPH"),
        consider: Translated {
            en: "Intraparenchymal hemorrhage inside or beside a hypodense area: consider an infarct with hemorrhagic transformation, \
                 or venous thrombosis where the area does not follow an artery.",
            de: "Intraparenchymale Blutung in oder neben einem hypodensen Bereich: an einen Infarkt mit hämorrhagischer \
                 Transformation denken, oder an eine Venenthrombose, wenn der Bereich keiner Arterie folgt.",
        },
        sources: &[HEMORRHAGIC_INFARCT, VENOUS_THROMBOSIS],
    },
    Rule {
        code: "iph_with_extra_axial",
        applies: |lesion, others| is(lesion, "IPH") && others.has_extra_axial,
        consider: Translated {
            en: "Intraparenchymal together with epidural or subdural hemorrhage: consider trauma with contusions.",
            de: "Intraparenchymale zusammen mit epiduraler oder subduraler Blutung: an ein Trauma mit Kontusionen denken.",
        },
        sources: &[CONTUSION],
    },
    Rule {
        code: "edh",
        applies: |lesion, _| is(lesion, "EDH"),
        consider: Translated {
            en: "Epidural hemorrhage: consider trauma; look for a skull fracture and for swelling of the scalp.",
            de: "Epidurale Blutung: an ein Trauma denken; auf einen Schädelbruch und eine Schwellung der Kopfhaut achten.",
        },
        sources: &[EPIDURAL],
    },
    Rule {
        code: "sdh",
        applies: |lesion, _| is(lesion, "SDH"),
        consider: Translated {
            en: "Subdural hemorrhage: consider trauma; look for a skull fracture and for swelling of the scalp.",
            de: "Subdurale Blutung: an ein Trauma denken; auf einen Schädelbruch und eine Schwellung der Kopfhaut achten.",
        },
        sources: &[SUBDURAL],
    },
    Rule {
        code: "sah_basal",
        applies: |lesion, _| is(lesion, "SAH") && lesion.depth == Some(Depth::Deep),
        consider: Translated {
            en: "Deep subarachnoid hemorrhage, as in the basal cisterns: without trauma, consider a ruptured aneurysm.",
            de: "Tiefe Subarachnoidalblutung, wie in den basalen Zisternen: ohne Trauma an ein rupturiertes Aneurysma denken.",
        },
        sources: &[SAH_GUIDELINE],
    },
    Rule {
        code: "sah_convexity",
        applies: |lesion, _| {
            is(lesion, "SAH") && lesion.is_lobar() && lesion.depth == Some(Depth::Superficial)
        },
        consider: Translated {
            en: "Subarachnoid hemorrhage of the convexity: without trauma, consider reversible vasoconstriction up to 60 years, and \
                 cerebral amyloid angiopathy above.",
            de: "Subarachnoidalblutung der Konvexität: ohne Trauma bis 60 Jahre an eine reversible Vasokonstriktion denken, darüber \
                 an eine zerebrale Amyloidangiopathie.",
        },
        sources: &[CONVEXITY],
    },
    Rule {
        code: "ivh_alone",
        applies: |lesion, others| is(lesion, "IVH") && others.are_all_intraventricular,
        consider: Translated {
            en: "Intraventricular hemorrhage without other lesions: consider a vascular malformation, an aneurysm or hypertension.",
            de: "Intraventrikuläre Blutung ohne andere Bereiche: an eine Gefäßmissbildung, ein Aneurysma oder eine Hypertonie \
                 denken.",
        },
        sources: &[ICH_GUIDELINE],
    },
];

/// The patterns of a report, in the order of the table.
///
/// A rule applies only where the type of the lesion is assessed, with a probability of at least 0.5; one that depends on
/// the place, only where the place is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Patterns {
    /// The lesions of each rule.
    lesions: [LesionIds; RULES.len()],
}

impl Patterns {
    /// The patterns of these lesions, which are all of a report.
    pub fn find(lesions: impl Iterator<Item = LesionSummary> + Clone) -> Self {
        let mut all = lesions.clone();
        let others = Others {
            has_extra_axial: lesions.clone().any(|other| is(&other, "EDH") || is(&other, "SDH")),
            are_all_intraventricular: all.all(|other| is(&other, "IVH")),
        };
        let mut found = Self::default();
        for lesion in lesions {
            for (rule, ids) in RULES.iter().zip(&mut found.lesions) {
                if (rule.applies)(&lesion, others) {
                    ids.add(lesion.id);
                }
            }
        }
        found
    }

    /// The patterns of an analysis: of a slice where the input held one slice, of a series otherwise.
    pub fn from_analysis(analysis: &Analysis) -> Self {
        match (analysis.is_single_slice, analysis.slices.first()) {
            (true, Some(slice)) => Self::find(slice.lesions.iter().map(LesionSummary::from)),
            _ => Self::find(analysis.volume.lesions.iter().map(LesionSummary::from)),
        }
    }

    /// Whether no rule applies.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The patterns.
    pub fn iter(&self) -> impl Iterator<Item = Pattern> {
        let with_lesions = RULES.iter().zip(self.lesions).filter(|(_, ids)| ids.0 != 0);
        with_lesions.map(|(rule, lesions)| Pattern {
            code: rule.code,
            lesions,
            consider: rule.consider,
            sources: rule.sources,
        })
    }
}

impl Serialize for Patterns {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter())
    }
}

impl Pattern {
    /// The lesions and what to consider for them, in one line without the sources.
    pub fn in_words(&self, language: Language) -> String {
        let ids: Vec<String> = self.lesions.iter().map(|id| id.to_string()).collect();
        let name = match ids.len() {
            1 => language.of("Lesion", "Bereich"),
            _ => language.of("Lesions", "Bereiche"),
        };
        format!("{name} {}: {}", ids.join(", "), self.consider.in_language(language))
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::lesion;
    use super::*;

    fn codes(lesions: Vec<LesionSummary>) -> Vec<(&'static str, Vec<usize>)> {
        let found = Patterns::find(lesions.into_iter());
        found.iter().map(|found| (found.code, found.lesions.iter().collect())).collect()
    }

    fn at(id: usize, code: &'static str, region: Region) -> LesionSummary {
        LesionSummary {
            region: Some(region),
            depth: Some(Depth::Superficial),
            ..lesion(id, code, 0.8)
        }
    }

    #[test]
    fn each_type_at_each_place_has_its_patterns() {
        use Region::*;
        let in_infarct = || ("iph_in_infarct", vec![1]);
        assert_eq!(codes(vec![at(1, "IPH", BasalGanglia)]), [("iph_deep", vec![1]), in_infarct()]);
        for lobe in [Frontal, Parietal, Temporal, Occipital] {
            assert_eq!(codes(vec![at(1, "IPH", lobe)]), [("iph_lobar", vec![1]), in_infarct()]);
            assert_eq!(codes(vec![at(1, "SAH", lobe)]), [("sah_convexity", vec![1])]);
        }
        for infratentorial in [Brainstem, Cerebellum] {
            let expected = [("iph_infratentorial", vec![1]), in_infarct()];
            assert_eq!(codes(vec![at(1, "IPH", infratentorial)]), expected);
        }
        let deep = |code| LesionSummary { depth: Some(Depth::Deep), ..lesion(1, code, 0.8) };
        assert_eq!(codes(vec![deep("SAH")]), [("sah_basal", vec![1])]);
        assert_eq!(codes(vec![deep("IPH")]), [("iph_deep", vec![1]), in_infarct()]);
        let frontal = LesionSummary { region: Some(Frontal), ..deep("IPH") };
        assert_eq!(codes(vec![frontal]), [("iph_lobar", vec![1]), in_infarct()]);
        assert_eq!(codes(vec![at(1, "EDH", Parietal)]), [("edh", vec![1])]);
        assert_eq!(codes(vec![at(1, "SDH", Frontal)]), [("sdh", vec![1])]);
        assert_eq!(codes(vec![lesion(1, "IVH", 0.8)]), [("ivh_alone", vec![1])]);
    }

    #[test]
    fn a_rule_of_a_place_needs_the_place() {
        assert_eq!(codes(vec![lesion(1, "SAH", 0.9)]), []);
        assert_eq!(codes(vec![lesion(1, "IPH", 0.9)]), [("iph_in_infarct", vec![1])]);
        assert_eq!(codes(vec![at(1, "SAH", Region::BasalGanglia)]), []);
    }

    #[test]
    fn a_type_that_is_not_assessed_or_not_probable_has_no_pattern() {
        let mut unknown = at(1, "IPH", Region::BasalGanglia);
        unknown.lesion_type =
            Some(super::super::TypeSummary { best: None, extra_axial: Some(0.1) });
        assert_eq!(codes(vec![unknown.clone()]), []);
        unknown.lesion_type = None;
        assert_eq!(codes(vec![unknown]), []);
        assert_eq!(codes(vec![lesion(1, "EDH", 0.49)]), []);
    }

    #[test]
    fn intraventricular_blood_is_alone_only_where_every_type_is_known() {
        assert_eq!(
            codes(vec![lesion(1, "IVH", 0.9), lesion(2, "IVH", 0.6)]),
            [("ivh_alone", vec![1, 2])]
        );
        assert_eq!(codes(vec![lesion(1, "IVH", 0.9), lesion(2, "SAH", 0.9)]), []);
        assert_eq!(codes(vec![lesion(1, "IVH", 0.9), lesion(2, "IVH", 0.4)]), []);
    }

    #[test]
    fn blood_inside_and_outside_the_brain_is_considered_traumatic() {
        let found =
            codes(vec![lesion(1, "SDH", 0.9), lesion(2, "IPH", 0.9), lesion(3, "IPH", 0.9)]);
        let expected = [
            ("iph_in_infarct", vec![2, 3]),
            ("iph_with_extra_axial", vec![2, 3]),
            ("sdh", vec![1]),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn the_64_largest_lesions_are_named() {
        let mut lesions: Vec<LesionSummary> = (1..=66).map(|id| lesion(id, "EDH", 0.9)).collect();
        lesions.push(lesion(0, "EDH", 0.9));
        assert_eq!(codes(lesions), [("edh", (1..=64).collect())]);
        assert!(Patterns::find(std::iter::empty()).is_empty());
    }

    #[test]
    fn every_rule_has_a_code_of_its_own_and_a_source_and_no_probability() {
        for (place, rule) in RULES.iter().enumerate() {
            assert!(RULES[..place].iter().all(|other| other.code != rule.code), "{}", rule.code);
            assert!(!rule.sources.is_empty(), "{}", rule.code);
            for source in rule.sources {
                assert!(source.doi.starts_with("10.") && (1990..=2026).contains(&source.year));
            }
            for text in [rule.consider.en, rule.consider.de] {
                assert!(!text.contains('%') && text.ends_with('.'), "{text}");
            }
            assert!(rule.consider.en.contains("consider"), "{}", rule.code);
            assert!(rule.consider.de.contains("denken"), "{}", rule.code);
        }
    }

    #[test]
    fn the_document_names_every_rule_with_its_sources() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/patterns.md");
        let document = std::fs::read_to_string(path).unwrap();
        for rule in &RULES {
            let row = document.lines().find(|line| line.starts_with(&format!("| `{}`", rule.code)));
            let row = row.unwrap_or_else(|| panic!("{} is missing", rule.code));
            for source in rule.sources {
                assert!(row.contains(source.doi), "{} lacks {}", rule.code, source.doi);
            }
        }
    }
}
