from pathlib import Path

import pytest

from layers.errors import RequestError
from layers.fetching import Settings, cache_folder


def test_the_environment_names_the_cache(tmp_path):
    assert cache_folder({"LODEMAP_CACHE": str(tmp_path)}) == tmp_path
    assert Settings.from_env({"LODEMAP_CACHE": str(tmp_path)}).cache == tmp_path
    with pytest.raises(RequestError, match="expected an absolute path"):
        cache_folder({"LODEMAP_CACHE": "tiles"})


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"XDG_CACHE_HOME": "/x"}, Path("/x/lodemap")),
        ("linux", {"XDG_CACHE_HOME": "relative"}, Path.home() / ".cache/lodemap"),
        ("linux", {}, Path.home() / ".cache/lodemap"),
        ("darwin", {}, Path.home() / "Library/Caches/lodemap"),
        ("win32", {"LOCALAPPDATA": "/local"}, Path("/local/lodemap")),
    ],
)
def test_each_platform_has_a_folder_for_caches(
    monkeypatch, platform, variables, expected
):
    monkeypatch.setattr("sys.platform", platform)
    assert cache_folder(variables) == expected
