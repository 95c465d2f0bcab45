"""Make the shipped files that are derived from public packages, byte for byte."""
