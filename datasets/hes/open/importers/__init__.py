"""The figures of the open metadata, one function for each file: see import_figures.py."""
