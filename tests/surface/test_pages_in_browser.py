"""Pages in a browser: nothing is cut on a phone or on paper, and contents and `open all` lead to every section."""

import json
import re
import shutil
import subprocess
from html import escape, unescape
from pathlib import Path

import pytest

import gaddum
from gaddum.surface.cli import main
from gaddum.surface.report.page import write_report

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
STORED = Path(__file__).parent / "document.json"
PAPER, PHONE = 673, 390
"""Widths (px): A4 within its margins, and a telephone."""
CUT = """
const cut = (frame) => {
  const page = frame.contentDocument, wide = frame.clientWidth + 1;
  for (const one of page.querySelectorAll("details")) one.open = true;
  const boxed = (one) => one.closest(".scroll, pre, svg") && !frame.dataset.paper;
  const beyond = [...page.querySelectorAll("main *")].filter(
    (one) => one.getBoundingClientRect().right > wide && one.clientWidth && !boxed(one));
  if (page.documentElement.scrollWidth > wide) beyond.push(page.documentElement);
  return beyond.map((one) => one.outerHTML.slice(0, 120));
};
addEventListener("load", () => {
  const found = [...document.querySelectorAll("iframe")].map((one) => [one.title, cut(one)]);
  document.body.textContent = JSON.stringify(Object.fromEntries(found));
});
"""
WIDE = '<main><div style="width: 900px">wide</div></main>'
CONTENTS = """
const pause = () => new Promise((done) => setTimeout(done, 50));
addEventListener("load", async () => {
  const all = document.getElementById("open-all"), every = [...document.querySelectorAll("details.section")];
  const opened = () => every.filter((one) => one.open).length, said = {sections: every.length, links: 0};
  for (const link of document.querySelectorAll("nav a")) {
    for (const one of every) one.open = false;
    link.click();
    await pause();
    said.links += opened() === 1 && document.querySelector(link.hash).getBoundingClientRect().height > 0;
  }
  for (const one of every) one.open = false;
  all.click();
  await pause();
  said.shown = every.filter((one) => one.querySelector(".body").getBoundingClientRect().height > 0).length;
  all.click();
  await pause();
  said.folded = every.length - opened();
  document.body.textContent = JSON.stringify(said);
});
"""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not CHROMIUM, reason="needs Chromium")]


def shown(page, folder):
    """What a page's scripts leave in its body, as JSON."""
    (folder / "page.html").write_text(page, encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    command = [
        CHROMIUM,
        *options,
        "--virtual-time-budget=20000",
        "--dump-dom",
        (folder / "page.html").as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return json.loads(unescape(done.stdout.split("<body>")[1].split("</body>")[0]))


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    out = tmp_path_factory.mktemp("pages")
    arms = [
        "ketamine:klein2020/behaviour/KA",
        "naltrexone 50 mg po at -45 min + ketamine 0.5 mg/kg iv over 40 min",
    ]
    assert main(["occupancy", *arms, "--above", "0.5", "--draws", "16", "--out", str(out)]) == 0
    assert main(["audit", "klein2020", "--draws", "16", "--out", str(out)]) == 1  # serious concerns
    made = {name: (out / f"{name}.html").read_text(encoding="utf-8") for name in ("occupancy", "audit")}
    return made | {"report": write_report(gaddum.read_result(STORED))}


@pytest.fixture(scope="module")
def cut(pages, tmp_path_factory):
    """What sticks out of each page, on a phone and on paper."""
    frames = [
        f'<iframe title="{name} {where}" {data} style="width:{width}px;height:900px;border:0" '
        f'srcdoc="{escape(page.replace("@media print", media))}"></iframe>'
        for name, page in (pages | {"control": WIDE}).items()
        for where, width, media, data in (
            ("on a phone", PHONE, "@media print", ""),
            ("on paper", PAPER, "@media all", 'data-paper="1"'),
        )
    ]
    written = f"<!DOCTYPE html><html><body>{''.join(frames)}<script>{CUT}</script></body></html>"
    return shown(written, tmp_path_factory.mktemp("cut"))


@pytest.mark.parametrize("where", ["on a phone", "on paper"])
@pytest.mark.parametrize("name", ["report", "audit", "occupancy"])
def test_nothing_is_cut(cut, name, where):
    assert cut[f"{name} {where}"] == []
    assert "wide" in cut[f"control {where}"][0]


@pytest.mark.parametrize("script", [True, False], ids=["with scripts", "without"])
def test_contents_and_open_all_reach_every_section(pages, tmp_path, script):
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", pages["report"])
    if not script:
        page = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    found = shown(page.replace("</body>", f"<script>{CONTENTS}</script></body>"), tmp_path)
    assert found["sections"] > 10
    assert [found[key] for key in ("links", "shown", "folded")] == [found["sections"]] * 3


def test_tone_is_on_the_page_where_there_is_one(pages):
    assert pages["occupancy"].count("Tone: endogenous signalling left") == 1
