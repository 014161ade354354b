"""The workbench in Chromium: it follows the mouse and the keyboard, keeps what is typed, and other pages out.

Every request that is not to the workbench is aborted and counted; none may be tried.
"""

import re
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
PATHS = {
    "occupancy": "/occupancy",
    "two protocols": "/occupancy?protocols=naltrexone+50+mg+po&protocols=naltrexone+5+mg+po&draws=64",
    "an arm": "/occupancy?protocols=ketamine:klein2020/behaviour/KA&draws=64",
    "an error": "/occupancy?protocols=naltrexon+50+mg+po",
    "audit": "/audit?what=klein2020&draws=16",
    "schild": "/schild",
    "schild fitted": "/schild?file=mine.csv",
    "verdict": "/adjudicate",
    "ledger": "/ledger/list",
    "study": "/ledger/show",
    "check": "/check",
    "predict": "/later/predict",
    "jobs": "/jobs",
}
TABLE = "agonist (nM),control,100 nM,1 uM\n1,2,-1,0\n10,24,8,1\n100,80,12,1\n1000,98,53,15\n10000,101,93,62\n"
DRAG = """
async (steps) => {
  const slider = document.querySelector("input[type=range].amount"), chart = document.getElementById("chart");
  const painted = () => new Promise((done) => {
    const seen = new MutationObserver(() => {
      seen.disconnect();
      requestAnimationFrame(() => done(performance.now()));
    });
    seen.observe(chart, {childList: true});
  });
  const took = [];
  for (let step = 0; step < steps; step++) {
    const next = painted(), begin = performance.now();
    slider.value = String(20 + step);
    slider.dispatchEvent(new Event("input", {bubbles: true}));
    took.push((await next) - begin);
  }
  return took;
}
"""
SWEEP = """
async (milliseconds) => {
  const slider = document.querySelector("input[type=range].amount"), chart = document.getElementById("chart");
  let painted = 0, moved = 0;
  const seen = new MutationObserver(() => { painted += 1; });
  seen.observe(chart, {childList: true});
  const begin = performance.now();
  while (performance.now() - begin < milliseconds) {
    slider.value = String(20 + (moved++ % 80));
    slider.dispatchEvent(new Event("input", {bubbles: true}));
    await new Promise(requestAnimationFrame);
  }
  slider.value = "100";
  slider.dispatchEvent(new Event("input", {bubbles: true}));
  slider.dispatchEvent(new Event("change", {bubbles: true}));
  return [painted / (performance.now() - begin) * 1000, moved];
}
"""

ATTACK = """<!DOCTYPE html><title>attack</title><body><script type="module">
const place = "PLACE", got = {};
const attempt = async (name, act) => { try { got[name] = await act(); } catch { got[name] = "refused"; } };
const framed = () => new Promise((done) => {
  const frame = document.createElement("iframe");
  frame.onload = () => {
    try { done(frame.contentDocument.body.textContent); } catch { done("refused"); }
  };
  frame.src = place + "/jobs";
  document.body.append(frame);
});
const sent = {method: "POST", mode: "no-cors", credentials: "include",
  body: new URLSearchParams({verb: "adjudicate", query: "case=morphine"})};
await attempt("read", async () => (await fetch(place + "/jobs.json", {credentials: "include"})).text());
await attempt("send", async () => (await fetch(place + "/jobs", sent)).type);
await attempt("script", () => import(place + "/static/page.js").then(() => "loaded"));
await attempt("frame", framed);
const form = document.createElement("form");
Object.assign(form, {method: "POST", action: place + "/jobs", target: "_blank"});
document.body.append(form);
form.submit();
window.open(place + "/jobs");
window.got = got;
document.title = "done";
</script>"""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not CHROMIUM, reason="needs Chromium")]


class Served(NamedTuple):
    """A workbench in a process of its own."""

    process: subprocess.Popen[str]
    address: str
    folder: Path

    @property
    def place(self) -> str:
        return self.address.partition("/?")[0]


def serve(folder: Path, *more: str) -> Served:
    command = [sys.executable, "-m", "gaddum.surface.cli", "serve", "--no-browser", str(folder), *more]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    return Served(process, re.findall(r"http://\S+", process.stderr.readline())[0], folder)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    (folder / "mine.csv").write_text(TABLE)
    found = serve(folder)
    yield found
    found.process.send_signal(signal.SIGINT)
    found.process.communicate(timeout=30)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as player:
        found = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield found
        found.close()


@pytest.fixture
def tabs(browser: Browser, served: Served) -> Iterator[Any]:
    """Opens tabs that know the workbench; what is asked of any other place is aborted and counted."""
    opened: list[BrowserContext] = []
    elsewhere: list[str] = []

    def tab(**settings: Any) -> Page:
        context = browser.new_context(viewport={"width": 1300, "height": 900}, **settings)
        opened.append(context)

        def only_here(route: Any) -> None:
            if re.match(r"http://127\.0\.0\.1:|data:|about:", route.request.url):
                route.continue_()
            else:
                elsewhere.append(route.request.url)
                route.abort()

        context.route("**/*", only_here)
        page = context.new_page()
        page.goto(served.address)
        return page

    yield tab
    for context in opened:
        context.close()
    assert elsewhere == []


def ready(page: Page) -> Page:
    expect(page.locator("#chart")).to_have_attribute("data-ready", "1", timeout=30_000)
    return page


def said(page: Page) -> str:
    return page.locator("#command").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_breaks_a_rule_of_accessibility(tabs: Any, served: Served, scheme: Any):
    page = tabs(color_scheme=scheme)
    found: dict[str, list[str]] = {}
    for width in (1300, 360) if scheme == "light" else (1300,):
        page.set_viewport_size({"width": width, "height": 900})
        for name, path in PATHS.items():
            page.goto(served.place + path)
            if name in ("occupancy", "two protocols", "an arm"):
                ready(page)
            broken = Axe().run(page).response["violations"]
            found[f"{name} {width}"] = [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in broken]
    assert {name: broken for name, broken in found.items() if broken} == {}


def test_no_page_is_wider_than_a_telephone(tabs: Any, served: Served):
    page = tabs()
    page.set_viewport_size({"width": 360, "height": 800})
    wide = {}
    for name, path in PATHS.items():
        page.goto(served.place + path)
        if name in ("occupancy", "two protocols", "an arm"):
            ready(page)
        wide[name] = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
    assert {name: beyond for name, beyond in wide.items() if beyond > 0} == {}


def test_a_slider_moves_the_picture_and_the_last_value_is_drawn(tabs: Any, served: Served):
    page = ready(tabs())
    took = page.evaluate(DRAG, 30)
    rate, moved = page.evaluate(SWEEP, 2000)
    expect(page.locator("#command")).to_contain_text("naltrexone 100 mg", timeout=30_000)
    assert page.locator("[name=protocols]").first.input_value().startswith("naltrexone 100 mg po at -45 min")
    assert "naltrexone+100+mg" in page.url
    drawn = page.locator("#chart path.line").first.get_attribute("d")
    page.reload()
    assert ready(page).locator("#chart path.line").first.get_attribute("d") is not None
    page.locator("input.time").first.evaluate(
        "one => one.dispatchEvent(new Event('change', {bubbles: true}))"
    )
    expect(page.locator("#chart path.line").first).to_have_attribute("d", drawn or "", timeout=30_000)
    ordered = sorted(took)
    print(
        f"\ndrag of a dose: median {statistics.median(took):.0f} ms, p95 {ordered[int(0.95 * len(ordered))]:.0f} ms; "
        f"{rate:.0f} pictures a second over {moved} moves"
    )


def test_a_triangle_moves_the_time(tabs: Any):
    page = ready(tabs())
    mark = page.locator("#chart [data-dose='0']").first.bounding_box()
    assert mark is not None
    page.mouse.move(mark["x"] + 5, mark["y"] + 4)
    page.mouse.down()
    page.mouse.move(mark["x"] - 15, mark["y"] + 4, steps=5)
    page.mouse.up()
    expect(page.locator("#command")).not_to_contain_text("-45 min", timeout=30_000)
    assert float(page.locator("input.time").first.input_value()) < -45


def test_sliders_wait_while_a_protocol_is_typed_that_they_do_not_know(tabs: Any):
    page = ready(tabs())
    box, slider = page.locator("[name=protocols]").first, page.locator("#handles input").first
    before = box.input_value()
    box.fill(f"{before} + morphine 5 mg iv at 1 h")
    expect(slider).to_be_disabled()
    expect(page.locator("#typed")).to_be_visible()
    assert page.locator("#chart .draggable").count() == 0
    box.fill(before)
    expect(slider).to_be_enabled()
    box.fill(f"{before} + morphine 5 mg iv at 1 h")
    page.get_by_role("button", name="Answer").click()
    expect(page.locator(".handle")).to_have_count(3, timeout=60_000)
    ready(page).locator("input.amount[type=number]").first.fill("60")
    expect(page.locator("[name=protocols]").first).to_have_value(
        re.compile("naltrexone 60 mg.*morphine 5 mg iv")
    )


def test_a_kept_curve_is_dashed_beside_the_one_that_moves(tabs: Any):
    page = ready(tabs())
    page.get_by_role("button", name="Keep as reference").click()
    page.wait_for_url("**/occupancy?*protocols=*protocols=*")
    panels = ready(page).locator("#chart svg[role=img]").count()
    assert page.locator("#chart path.reference").count() == panels
    assert said(page).count("naltrexone 50 mg") == 2


def test_the_dose_that_holds_ninety_per_cent_is_found_and_its_figure_exported_by_keyboard(tabs: Any):
    page = ready(tabs())
    press = page.keyboard.press
    seen: list[str] = []

    def tab_to(name: str) -> None:
        for _ in range(80):
            press("Tab")
            seen.append(
                page.evaluate("document.activeElement.name || document.activeElement.textContent.trim()")
            )
            if seen[-1] == name:
                return
        raise AssertionError(seen)

    tab_to("protocols")
    press("Control+A")
    page.keyboard.type("naltrexone 50 mg po")
    tab_to("More")
    press("Enter")
    tab_to("reach")
    page.keyboard.type("MOR 0.9 at 24 h")
    press("Enter")
    expect(page.locator(".found").first).to_contain_text("MOR occupied 0.9 at 24 h", timeout=60_000)
    tab_to("PNG")
    with page.expect_download(timeout=60_000) as download:
        press("Enter")
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
    order = [seen.index(one) for one in ("protocols", "More", "reach")]
    assert order == sorted(order)


def test_without_scripts_the_form_answers_and_the_figure_is_there(tabs: Any):
    page = tabs(java_script_enabled=False)
    page.locator("[name=targets]").fill("MOR")
    page.get_by_role("button", name="Answer").click()
    assert "targets=MOR" in page.url and "--targets MOR" in said(page)
    figure = page.locator("figure img").first
    expect(figure).to_be_visible()
    assert page.locator("#handles").is_hidden()


def test_paper_shows_answer_figure_and_command_and_no_form(tabs: Any):
    page = ready(tabs())
    page.emulate_media(media="print")
    for shown in ("#sentence", "#chart", "#command", "#parts table"):
        expect(page.locator(shown).first).to_be_visible()
    for hidden in ("nav.pages", "#ask", ".tools"):
        expect(page.locator(hidden)).to_be_hidden()


def test_a_server_that_is_gone_is_said_and_what_was_typed_stays(browser: Browser, tmp_path: Path):
    own = serve(tmp_path)
    page = browser.new_context().new_page()
    page.goto(own.address)
    ready(page)
    own.process.kill()
    own.process.communicate()
    page.locator("[name=protocols]").first.fill("naltrexone 25 mg po")
    page.get_by_role("button", name="Answer").click()
    expect(page.locator("#gone")).to_be_visible()
    assert page.locator("[name=protocols]").first.input_value() == "naltrexone 25 mg po"
    page.context.close()


def test_a_page_of_another_port_can_neither_read_nor_send_nor_frame_nor_open(tabs: Any, served: Served):
    class Attacker(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(ATTACK.replace("PLACE", served.place).encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    other = HTTPServer(("127.0.0.1", 0), Attacker)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    page = tabs()
    assert page.goto(served.place + "/jobs").status == 200  # the victim is logged in
    codes: list[tuple[str, int]] = []
    page.context.on("response", lambda one: codes.append((one.url, one.status)))
    page.goto(f"http://127.0.0.1:{other.server_port}/")
    expect(page).to_have_title("done", timeout=30_000)
    got = page.evaluate("window.got")
    assert (got["read"], got["script"], got["frame"]) == ("refused", "refused", "refused")
    until = time.monotonic() + 20
    while len([one for one in codes if one[0].startswith(served.place)]) < 5 and time.monotonic() < until:
        page.wait_for_timeout(50)
    reached = {code for url, code in codes if url.startswith(served.place)}
    assert reached == {403}
    other.shutdown()
    other.server_close()
    page.goto(served.place + "/jobs")
    expect(page.locator("#answer")).to_contain_text("None yet")


def test_from_start_to_printed_answer_in_clicks(tabs: Any, tmp_path: Path):
    begin, marks = time.monotonic(), []

    def look(page: Page, name: str) -> None:
        page.screenshot(path=tmp_path / f"{len(marks)}-{name}.png")
        marks.append((name, time.monotonic() - begin))

    page = ready(tabs())
    look(page, "start")
    page.locator("input[type=range].amount").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#command")).to_contain_text("naltrexone 51 mg", timeout=30_000)
    look(page, "moved")
    page.get_by_role("link", name="was it there in a published study").click()
    expect(page.locator("h1")).to_have_text("Audit")
    look(page, "was it there")
    page.get_by_role("link", name="Verdict").click()
    expect(page.get_by_role("button", name="Compute it")).to_be_visible()
    look(page, "who is right")
    page.get_by_role("link", name="Design").click()
    look(page, "what next")
    page.get_by_role("link", name="Occupancy", exact=True).click()
    ready(page).get_by_role("link", name="print it").click()
    expect(page.locator("h1")).to_contain_text("naltrexone 50 mg po")
    look(page, "for paper")
    assert len(list(tmp_path.glob("*.png"))) == 6
    print("\n" + ", ".join(f"{name} {at:.1f} s" for name, at in marks))


def test_the_first_page_and_picture_come_soon(browser: Browser, tmp_path: Path):
    begin = time.monotonic()
    own = serve(tmp_path)
    page = browser.new_context().new_page()
    page.goto(own.address, wait_until="commit")
    first = time.monotonic() - begin
    ready(page)
    picture = time.monotonic() - begin
    begin = time.monotonic()
    page.goto(f"{own.place}/occupancy?protocols=buprenorphine+8+mg+sl")
    ready(page)
    print(
        f"\nfirst page {first:.1f} s, first picture {picture:.1f} s, another drug {time.monotonic() - begin:.1f} s"
    )
    own.process.send_signal(signal.SIGINT)
    own.process.communicate(timeout=30)
    page.context.close()
