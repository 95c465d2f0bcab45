"""Digests in the catalogue."""

import hashlib

import pytest

from layers.rebuild.seal import SealError, seal

ENTRY = '# kept\nid = "toy"\nfile = "toy.csv"\nsha256 = ""  # kept too\n[columns]\n'


@pytest.fixture
def data(tmp_path):
    (tmp_path / "catalogue").mkdir()
    (tmp_path / "catalogue" / "toy.toml").write_text(ENTRY, "utf-8")
    (tmp_path / "toy.csv").write_bytes(b"a\n1\n")
    return tmp_path


def test_seal_changes_the_digest_alone_and_once(data):
    digest = hashlib.sha256(b"a\n1\n").hexdigest()
    assert seal(data) == ["toy"]
    text = (data / "catalogue" / "toy.toml").read_text("utf-8")
    assert text == ENTRY.replace('sha256 = ""', f'sha256 = "{digest}"')
    assert seal(data) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("toy.csv", "gone.csv", "FileNotFoundError"),
        ('file = "toy.csv"\n', "", "KeyError"),
        ('sha256 = ""', "", "has no line sha256"),
        ("[columns]", "[columns", "TOMLDecodeError"),
    ],
)
def test_entry_that_cannot_be_sealed_is_named(data, old, new, message):
    (data / "catalogue" / "toy.toml").write_text(ENTRY.replace(old, new), "utf-8")
    with pytest.raises(SealError, match=f"toy.toml.*{message}"):
        seal(data)


def test_file_outside_the_folder_is_not_read(data):
    (data.parent / "secret.csv").write_bytes(b"x")
    entry = ENTRY.replace("toy.csv", "../secret.csv")
    (data / "catalogue" / "toy.toml").write_text(entry, "utf-8")
    with pytest.raises(SealError, match="FileNotFoundError"):
        seal(data)
