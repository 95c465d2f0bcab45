"""What work over tiles of a raster stands on: arrays in, arrays out, compiled."""

from pathlib import Path

from geo.kernels.cache import forget_stale

forget_stale(Path(__file__).parent, Path(__file__).parents[2] / "kernels")
