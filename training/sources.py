"""What is known of the public data sets: for the ModelSpec and for the data statement of a card."""

PUBLIC = {
    "ct-ich": {
        "name": "Computed Tomography Images for Intracranial Hemorrhage Detection and Segmentation",
        "doi": "10.13026/w8q8-ky94",
        "license": "CC BY 4.0 as published with v1.0.0 to v1.3.0; PhysioNet later placed v1.3.1 "
        "under a restricted licence",
        "statement": """- **ct-ich**: *Computed Tomography Images for Intracranial Hemorrhage Detection and Segmentation*
  (Hssayeni et al., Data 2020, 5(1):14, doi 10.13026/w8q8-ky94), 56 of 82 patients: trauma scans of one
  hospital, all subtypes, mostly small bleeds along the skull. CC BY 4.0 as published with v1.0.0 to v1.3.0;
  PhysioNet later placed v1.3.1 under a restricted licence. Masks by radiologists exist for 66 of the 203
  positive slices here; the other positives taught only their label and were never background.""",
    },
    "phe-sich": {
        "name": "PHE-SICH-CT-IDS",
        "doi": "10.6084/m9.figshare.23957937",
        "license": "CC BY 4.0 by the figshare record; the arXiv abstract says non-commercial",
        "statement": """- **PHE-SICH-CT-IDS** (Ma et al., figshare 23957937), 95 of 119 patients: spontaneous basal-ganglia
  bleeds. The figshare record says CC BY 4.0, the arXiv abstract says non-commercial: treat it as research
  use. The published masks outline the edema; the blood masks used here are **pseudo-labels derived by
  rule** (the bright region beside the edema), so their Dice measures agreement with a rule, not with a
  reader.""",
    },
}


def source(name: str) -> dict:
    """Of a data set that is not public, only its folder's name is known."""
    unknown = {"name": name, "doi": "", "license": "unknown"}
    statement = f"- **{name}**: a data set of the trainer's own; its licence and its patients are not described."
    return PUBLIC.get(name, unknown | {"statement": statement})


def cited(name: str) -> dict:
    """Name, DOI and licence, as a ModelSpec quotes them."""
    return {key: value for key, value in source(name).items() if key != "statement"}
