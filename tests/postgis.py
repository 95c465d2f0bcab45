"""A PostGIS of the tests' own: found or brought here, started in a temporary folder.

``python tests/postgis.py`` makes sure that there is one and prints its version.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

SETTINGS = (
    *("-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_wal_size=4GB"),
    *("-c", "shared_buffers=512MB", "-c", "work_mem=128MB"),
)


class NoPostGISError(RuntimeError):
    """There is no PostGIS that could be started here."""


class Server:
    """A PostgreSQL server that listens on a socket in its own folder, nowhere else.

    PostgreSQL refuses to run as root; a root user's server runs as ``postgres`` or
    ``nobody``.
    """

    def __init__(self) -> None:
        self.programs = find_programs()
        if find_spec("psycopg") is None:
            raise NoPostGISError("psycopg is not installed")
        import psycopg

        self.folder = Path(tempfile.mkdtemp(prefix="lodemap-postgis-"))
        self.user: dict[str, Any] = {}
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            account = _account()
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            self.user = {
                "user": account.pw_uid,
                "group": account.pw_gid,
                "extra_groups": [],
            }
        try:
            data = str(self.folder / "data")
            self._run("initdb", "-A", "trust", "-U", "lodemap", "-E", "UTF8", data)
            options = " ".join([*SETTINGS, f"-c unix_socket_directories={self.folder}"])
            log = str(self.folder / "log")
            self._run("pg_ctl", "start", "-w", "-D", data, "-l", log, "-o", options)
            with self.connect() as connection:
                connection.execute("CREATE EXTENSION postgis")
        except (NoPostGISError, psycopg.Error) as error:
            self.stop()
            raise NoPostGISError(f"PostGIS does not start: {error}") from error

    def connect(self) -> Any:
        """Open a connection that commits each statement."""
        return connected(str(self.folder))

    def version(self) -> str:
        """Say which PostGIS on which PostgreSQL this is."""
        with self.connect() as connection:
            [row] = connection.execute(
                "SELECT current_setting('server_version'), postgis_lib_version()"
            )
        return f"PostGIS {row[1]} on PostgreSQL {row[0]}"

    def stop(self) -> None:
        """End the server and remove its folder."""
        data = self.folder / "data"
        try:
            if (data / "postmaster.pid").exists():
                self._run("pg_ctl", "stop", "-m", "immediate", "-D", str(data))
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self.programs / program), *arguments],
            **self.user,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=120,
            start_new_session=True,  # Ctrl-C is for the caller, which stops it
        )
        if done.returncode:
            raise NoPostGISError(f"{program}: {done.stderr.strip()[-300:]}")


def connected(folder: str) -> Any:
    """Open a connection to the server whose socket is in a folder."""
    import psycopg

    return psycopg.connect(
        host=folder, user="lodemap", dbname="postgres", autocommit=True
    )


def find_programs() -> Path:
    """Return the folder of the newest PostgreSQL server that has PostGIS."""
    folders = Path("/usr/lib/postgresql").glob("*/bin")
    for folder in sorted(folders, key=lambda path: -int(path.parent.name)):
        library = folder.parent / "lib" / "postgis-3.so"
        if (folder / "initdb").exists() and library.exists():
            return folder
    raise NoPostGISError("no initdb with PostGIS under /usr/lib/postgresql")


def bring_postgis() -> Path:
    """Return the folder of a server's programs, installed if there is none."""
    try:
        return find_programs()
    except NoPostGISError:
        if not shutil.which("apt-get"):
            raise
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    install = [*root, "apt-get", "install", "-y", "-qq", "--no-install-recommends"]
    for command in (
        [*root, "apt-get", "update", "-qq"],
        [*install, "postgresql-postgis"],
    ):
        print("postgis:", " ".join(command), file=sys.stderr)
        try:
            subprocess.run(command, check=False, stdout=sys.stderr, timeout=600)
        except (OSError, subprocess.TimeoutExpired) as error:
            print(f"postgis: {error}", file=sys.stderr)
    return find_programs()


def _account() -> Any:
    import pwd  # not everywhere; only root on Unix comes here

    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoPostGISError("no account but root's to run the server")


if __name__ == "__main__":
    try:
        bring_postgis()
        server = Server()
    except NoPostGISError as error:
        sys.exit(
            f"postgis: {error}. The tests that compare with it are left out; on "
            "Debian: apt install postgresql-postgis"
        )
    print(server.version())
    server.stop()
