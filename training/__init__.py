"""Training of Ichor's segmentation models; see README.md in this folder."""
