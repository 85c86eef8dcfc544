"""Name, licence and description of the public data sets, for `model.json` and the model card."""

PUBLIC = {
    "ct-ich": {
        "name": "Computed Tomography Images for Intracranial Hemorrhage Detection and Segmentation",
        "doi": "10.13026/w8q8-ky94",
        "license": "CC BY 4.0 as published with v1.0.0 to v1.3.0; PhysioNet later placed v1.3.1 "
        "under a restricted licence",
        "statement": """- **ct-ich**: *Computed Tomography Images for Intracranial Hemorrhage Detection and Segmentation*
  (Hssayeni et al., Data 2020, 5(1):14, doi 10.13026/w8q8-ky94), 56 of 82 patients: trauma scans of one
  hospital, all subtypes, mostly small bleeds along the skull. CC BY 4.0 as published with v1.0.0 to v1.3.0;
  PhysioNet later placed v1.3.1 under a restricted licence. Masks exist for 96 of the 203
  positive slices here, 14 of them coarse; the other positives trained with their label, or boxes, and were never background.""",
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
    "pictures": {
        "name": "Head CT - hemorrhage (Kaggle)",
        "doi": "",
        "license": "none stated; research use only",
        "statement": """- **pictures**: 93 of 200 single pictures of *Head CT - hemorrhage* (Kaggle), of many scanners and unknown windows;
  no licence is stated. 28 have masks by a student, whose rims are rough. Near duplicates, and runs of bleed-free
  pictures, count as one patient.""",
    },
    "rsna-masks": {
        "name": "BHSD and MBH-Seg25, slices of RSNA 2019",
        "doi": "",
        "license": "MIT by their README files; images under the terms of RSNA 2019 (academic, non-commercial)",
        "statement": """- **rsna-masks**: 30 slices of *BHSD* and *MBH-Seg25* with masks by type, from heads of the RSNA 2019 challenge:
  MIT by their README files, the images under the challenge's terms (academic, non-commercial). Each slice is shown in
  four windows. The patients of both sets are of one pool.""",
    },
    "rsna": {
        "name": "RSNA Intracranial Hemorrhage Detection 2019",
        "doi": "",
        "license": "terms of the challenge: academic, non-commercial",
        "statement": """- **rsna**: single DICOM slices of the RSNA 2019 challenge whose labels are known; academic, non-commercial use.""",
    },
    "ischemia": {
        "name": "AISD and CPAISD",
        "doi": "",
        "license": "AISD non-commercial; CPAISD CC BY 4.0",
        "statement": """- **ischemia**: 17 bleed-free slices with ischemic stroke, of AISD (non-commercial) and CPAISD (CC BY 4.0).""",
    },
    "synthetic": {
        "name": "InSilicoICH (US FDA), synthetic",
        "doi": "",
        "license": "CC0 1.0",
        "statement": """- **synthetic**: 18 synthetic slices of three phantoms (DIDSR/InSilicoICH, CC0 1.0), without masks. The gallery's slices
  are not among them.""",
    },
    "head-ge": {
        "name": "dcm_qa_ct, one head",
        "doi": "",
        "license": "BSD-2-Clause",
        "statement": """- **head-ge**: one bleed-free head, 28 slices, of neurolabusc/dcm_qa_ct (BSD-2-Clause).""",
    },
}
# Boxes around the bleeds of a set, drawn by others than the readers of its masks.
BOXES = {
    "ct-ich": " Boxes with types on further slices: *brain-hemorrhage-detection* (Roboflow, CC BY 4.0).",
}


def source(name: str) -> dict:
    """Name, DOI, licence and statement of a data set; for an unknown set the name of its folder only."""
    unknown = {"name": name, "doi": "", "license": "unknown"}
    statement = f"- **{name}**: a private data set; its licence and its patients are not described."
    # The same images with the types of their lesions.
    known = PUBLIC.get(name.removesuffix("-types"), unknown | {"statement": statement})
    return known | {"statement": known["statement"] + BOXES.get(name, "")}


def citation(name: str) -> dict:
    """Name, DOI and licence of a data set, for `model.json`."""
    return {key: value for key, value in source(name).items() if key != "statement"}
