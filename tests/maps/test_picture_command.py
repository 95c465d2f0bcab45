import pytest
from click.testing import CliRunner

import layers
import maps
from maps.cli import cli
from tests.maps.test_cli import lodemap, refused


def test_help_is_the_same_as_reviewed(golden):
    result = CliRunner().invoke(cli, ["picture", "--help"], prog_name="lodemap")
    assert result.exit_code == 0
    golden("maps/picture-help.txt", result.output)


def test_picture_writes_the_file_and_prints_its_path(tmp_path):
    done = lodemap(
        "picture", "pobeda-2014", "-o", "a.svg", "--lang", "zh", cwd=tmp_path
    )
    assert (done.returncode, done.stdout) == (0, "a.svg\n")
    assert [f.name for f in tmp_path.iterdir()] == ["a.svg"]
    assert "南浦" in (tmp_path / "a.svg").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "a.gif"], ".png, .svg, .pdf"),
        (["-o", "a.png", "--width-mm", "1e9"], "80 to 1200 mm"),
        (["-o", "a.png", "--dpi", "9000"], "50 to 1200"),
        (["-o", "a.svg", "--lang", "fr"], "en, ko, zh"),
        (["-o", "a.png", "--report"], ".pdf"),
        (["-o", "none/a.svg"], "No such file or directory"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(tmp_path, arguments, said):
    line = refused(lodemap("picture", "pobeda-2014", *arguments, cwd=tmp_path))
    assert said in line
    assert list(tmp_path.iterdir()) == []


def test_the_function_is_what_the_command_calls(tmp_path):
    deal = layers.load_exchange("pobeda-2014")
    path = maps.picture(deal, tmp_path / "a.pdf", report=True)
    assert path.read_bytes().startswith(b"%PDF-")
