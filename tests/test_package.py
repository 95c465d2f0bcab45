"""What holds for the whole house."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("geo", "layers", "maps")
MODULES = sorted(p for name in PACKAGES for p in (ROOT / name).rglob("*.py"))


def test_the_packages_are_typed():
    for name in PACKAGES:
        assert (ROOT / name / "py.typed").is_file()


@pytest.mark.parametrize("module", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_module_is_too_long_to_be_one_thing(module):
    assert len(module.read_text("utf-8").splitlines()) <= 500


@pytest.mark.parametrize("module", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_public_function_that_raises_says_so(module):
    tree = ast.parse(module.read_text("utf-8"))
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        if node.name == "main" or any(
            "command" in ast.unparse(d) for d in node.decorator_list
        ):
            continue  # a command's docstring is its help
        raises = [n for n in ast.walk(node) if isinstance(n, ast.Raise) and n.exc]
        document = ast.get_docstring(node) or ""
        assert not raises or "Raises\n------" in document, node.name
