"""A page that is not whole says so, and one without scripts is not called damaged."""

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture
def part_of(page_file, tmp_path):
    """The beginning of the page, up to a share of its bytes or to a text."""

    def write(end):
        data = page_file.read_bytes()
        place = data.index(end) if isinstance(end, bytes) else int(end * len(data))
        path = tmp_path / "part.html"
        path.write_bytes(data[:place])
        return path

    return write


def test_a_page_cut_anywhere_says_that_it_is_damaged(part_of, open_page):
    ends = (b"</style>", b"<body", b'<main class="story"', 0.5, 0.8, b"lodemap.ready()")
    for end in (*ends, b'<i id="page-end"'):
        with open_page(part_of(end), ready=False, reduced_motion="reduce") as page:
            notice = page.locator("#damaged")
            assert notice.is_visible(), end
            assert "damaged" in notice.inner_text()
            assert "손상" in notice.locator('[lang="ko"]').inner_text()
            assert notice.bounding_box()["y"] >= 0


def test_without_scripts_a_cut_page_says_so_and_a_whole_one_does_not(
    page_file, part_of, open_page
):
    quiet = {"java_script_enabled": False, "ready": False}
    with open_page(part_of(0.5), **quiet) as page:
        assert page.locator(".cut").is_visible()
        assert page.locator(".whole").is_hidden()
    with open_page(page_file, **quiet) as page:
        assert page.locator(".cut").is_hidden()
        assert "Scripts are off" in page.locator(".whole").inner_text()
        assert page.locator("#stage").is_hidden()


def test_a_changed_script_is_refused_and_that_is_said(page_file, tmp_path, open_page):
    text = page_file.read_text("utf-8")
    file = tmp_path / "changed.html"
    file.write_text(text.replace("lodemap.ready();", "lodemap.ready(); x", 1), "utf-8")
    with open_page(file, ready=False) as page:
        assert "could not be drawn" in page.locator("#damaged").inner_text()
        assert any("Content Security Policy" in line for line in page.trouble)
        page.trouble.clear()


def test_a_whole_page_has_no_notice(page_file, open_page):
    with open_page(page_file) as page:
        assert page.locator("#damaged, .cut, .whole").count() == 0
