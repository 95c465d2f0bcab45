import pytest

from geo.kernels.cache import forget_stale


@pytest.fixture
def kernels(tmp_path):
    folder = tmp_path / "geo" / "kernels"
    compiled = folder / "__pycache__"
    compiled.mkdir(parents=True)
    (tmp_path / "geo" / "geodesy.py").write_text("RADIUS = 1\n")
    (folder / "chords.py").write_text("def chord(): ...\n")
    (folder / "pairs.py").write_text("def pairs(): ...\n")
    forget_stale(folder)
    (compiled / "pairs.pairs-1.py311.nbi").write_text("index")
    (compiled / "pairs.pairs-1.py311.1.nbc").write_text("code")
    (compiled / "pairs.cpython-311.pyc").write_text("bytes")
    return folder


def kept(folder):
    return sorted(path.suffix for path in (folder / "__pycache__").glob("pairs*"))


def test_what_was_compiled_stays_while_no_source_changes(kernels):
    forget_stale(kernels)
    assert kept(kernels) == [".nbc", ".nbi", ".pyc"]


@pytest.mark.parametrize("changed", ["chords.py", "pairs.py", "../geodesy.py"])
def test_it_is_forgotten_when_any_source_changes(kernels, changed):
    (kernels / changed).write_text("def other(): ...\n")
    forget_stale(kernels)
    assert kept(kernels) == [".pyc"]


def test_a_source_that_comes_or_goes_counts_too(kernels):
    (kernels / "balls.py").write_text("")
    forget_stale(kernels)
    assert kept(kernels) == [".pyc"]


def test_kernels_that_are_called_from_another_folder_count(kernels, tmp_path):
    raster = tmp_path / "geo" / "raster" / "kernels"
    (raster / "__pycache__").mkdir(parents=True)
    (raster / "horn.py").write_text("def gradient(): ...\n")
    forget_stale(raster, kernels)
    compiled = raster / "__pycache__" / "horn.gradient-1.py311.nbi"
    for changed in (kernels / "pairs.py", tmp_path / "geo" / "geodesy.py"):
        compiled.write_text("index")
        forget_stale(raster, kernels)
        assert compiled.exists()
        changed.write_text("def other(): ...\n")
        forget_stale(raster, kernels)
        assert not compiled.exists()
