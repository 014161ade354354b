"""App: the route table, made of the pages; every answer is HTML that works without a script, or what a command prints.

`GET /VERB` asks and answers, `GET /VERB.KIND` downloads, `GET /occupancy/bands` is what the chart draws while a dose is
dragged, `POST /jobs` starts the command that a page shows. A sentence of the library is a 4xx; all else that goes wrong
is a 500 with a number that the server's own output explains.
"""

import hmac
import logging
import re
import secrets
import shlex
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl, urlencode

import jinja2
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request as Asked
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from gaddum.surface import completion
from gaddum.surface.audit_page import audit_filters
from gaddum.surface.files import as_json, asset
from gaddum.surface.occupancy.page import FILTERS
from gaddum.surface.occupancy.request import OccupancyRequest
from gaddum.surface.web.door import Door, guarded
from gaddum.surface.web.jobs import JobQueue, described
from gaddum.surface.web.live import bands, handles, sentence
from gaddum.surface.web.pages import MEDIA, PAGES, NotYet, Page, PageAnswer, answered, made
from gaddum.surface.web.shelf import Shelf, admit, keep
from gaddum.surface.web.verdicts import stale

_log = logging.getLogger("gaddum.workbench")
KNOWN = (ValueError, ImportError, OSError)
"""What the library raises with a sentence for the user."""
STATIC = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; frame-ancestors 'none'"
)
"""Of a page that stands alone: it loads nothing, and its own policy names the one script that may run."""
_ANSWERING = threading.Lock()
"""One answer at a time: what tells its progress has one terminal."""


def application(door: Door, shelf: Shelf, opened: Callable[[], None] = lambda: None) -> Any:
    """The workbench of a folder, behind a door.

    Parameters
    ----------
    door : Door
        Who may ask.
    shelf : Shelf
        The folder that is served.
    opened : callable
        Called once when it answers.
    """
    jobs = JobQueue(shelf.folder)
    site = Workbench(door, shelf, jobs)

    @asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        # No daemon: leaving while it calculates would end in the middle of compiled code.
        threading.Thread(target=_warm, args=(shelf,)).start()
        opened()
        yield
        jobs.close()

    routes = [
        Route("/", site.start),
        Route("/static/{name}", site.static),
        Route("/later/{name}", site.later),
    ]
    for page in PAGES:
        routes.append(Route(page.path, site.page(page)))
        routes += [Route(f"{page.path}.{kind}", site.download(page, kind)) for kind in page.kinds]
    routes += [
        Route("/occupancy/bands", site.bands),
        Route("/jobs", site.jobs_page, methods=["GET"]),
        Route("/jobs", site.start_job, methods=["POST"]),
        Route("/jobs.json", site.jobs_json),
        Route("/jobs/{id}", site.job_log),
        Route("/jobs/{id}/{what}", site.change_job, methods=["POST"]),
        Route("/files", site.upload, methods=["POST"]),
    ]
    app = Starlette(routes=routes, lifespan=life, exception_handlers={HTTPException: site.refused})
    return guarded(app, door)


class Workbench:
    """What answers the routes."""

    def __init__(self, door: Door, shelf: Shelf, jobs: JobQueue) -> None:
        self._door, self._shelf, self._jobs = door, shelf, jobs
        self._templates = jinja2.Environment(
            loader=jinja2.FunctionLoader(asset),
            autoescape=True,
            undefined=jinja2.ChainableUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= audit_filters() | FILTERS

    def start(self, asked: Asked) -> Response:
        """Begin at the worked example."""
        return RedirectResponse(PAGES[0].path, 303)

    def static(self, asked: Asked) -> Response:
        """A script or a style sheet, which lie in the package."""
        name = asked.path_params["name"]
        kind = STATIC.get(name.rpartition(".")[2])
        found = {"report.css", "audit.css"} & {name}
        home = files("gaddum.surface") / "templates" if found else files("gaddum.surface.web") / "static"
        if kind is None or name not in {one.name for one in home.iterdir()}:
            raise HTTPException(404, "There is no such file.")
        return Response((home / name).read_bytes(), media_type=kind)

    def later(self, asked: Asked) -> Response:
        """A place for what comes."""
        name = asked.path_params["name"]
        if name not in ("predict", "design"):
            raise HTTPException(404, "There is no such page.")
        return self._render("web/later.html.j2", title=name.capitalize(), name=name)

    def page(self, page: Page) -> Callable[[Asked], Response]:
        """Ask and answer a request."""

        def show(asked: Asked) -> Response:
            query = _said(asked.url.query)
            example = not query and bool(page.example)
            query = page.example if example else query
            content: dict[str, Any] = {
                "page": page,
                "example": example,
                "given": _given(query),
                "query": query,
            }
            status = 200
            if query:
                try:
                    request = page.kind.from_query(query)
                    content |= {"asked": request, "command": request.command(), "query": request.query()}
                    content |= self._answer(page, request)
                except KNOWN as error:
                    status = 200 if isinstance(error, NotYet) else 422
                    content |= _wrong(page, query, error)
                    if isinstance(error, NotYet):
                        content["stale"] = stale(content["asked"], self._shelf.folder)
            content["form"] = self._form(page)
            return self._render(page.template, status, title=page.title, **content)

        return self._safely(show)

    def download(self, page: Page, kind: str) -> Callable[[Asked], Response]:
        """What a command prints or draws."""

        def give(asked: Asked) -> Response:
            try:
                request = page.kind.from_query(_said(asked.url.query) or page.example)
                with _ANSWERING:
                    found = made(page.verb, kind, answered(page, request, self._shelf))
            except NotYet as error:
                return JSONResponse({"error": str(error)}, 404)
            except KNOWN as error:
                return JSONResponse({"error": str(error)}, 422)
            headers = {"Content-Security-Policy": REPORT_POLICY} if kind == "html" else {}
            return Response(found, media_type=MEDIA[kind], headers=headers)

        return self._safely(give)

    def bands(self, asked: Asked) -> Response:
        """What the chart draws now; `drag` stands beside the request while a drag lasts, `n` counts."""

        def give(asked: Asked) -> Response:
            pairs = parse_qsl(asked.url.query)
            own = dict(pair for pair in pairs if pair[0] in ("drag", "n"))
            try:
                request = OccupancyRequest.from_query(urlencode([one for one in pairs if one[0] not in own]))
                page = PAGES[0]
                if admit(request, self._shelf, [key.replace("-", "_") for key in (*page.fields, *page.more)]):
                    raise ValueError("A case of one's own must be followed at rest; got a drag. Let go.")
                found = bands(request, dragging="drag" in own)
            except KNOWN as error:
                return JSONResponse({"error": str(error), "n": own.get("n")}, 422)
            return Response(
                as_json(found | {"n": own.get("n"), "query": request.query()}), media_type=MEDIA["json"]
            )

        return self._safely(give)(asked)

    def jobs_page(self, asked: Asked) -> Response:
        """The list of jobs."""
        return self._render("web/jobs.html.j2", title="Jobs", jobs=self._told())

    def jobs_json(self, asked: Asked) -> Response:
        """The list of jobs for a script."""
        return JSONResponse({"jobs": self._told()})

    def job_log(self, asked: Asked) -> Response:
        """What a job printed."""
        try:
            return PlainTextResponse(self._jobs.log(self._jobs.find(asked.path_params["id"]), most=200_000))
        except ValueError as error:
            raise HTTPException(404, str(error)) from None

    async def start_job(self, asked: Asked) -> Response:
        """Start the command of a page that needs minutes."""
        form = await self._form_of(asked)
        page = next((one for one in PAGES if one.verb == form.get("verb") == "adjudicate"), None)
        if page is None:
            raise HTTPException(422, "A job must be a verdict; got something else. Start it from its page.")
        try:
            request: Any = page.kind.from_query(form.get("query", ""))
            admit(request, self._shelf, [key.replace("-", "_") for key in (*page.fields, *page.more)])
            address = f"{page.path}?{request.query()}"
            self._jobs.add(shlex.split(request.command()), address, request.case)
        except KNOWN as error:
            raise HTTPException(422, str(error)) from None
        return RedirectResponse("/jobs", 303)

    async def change_job(self, asked: Asked) -> Response:
        """Stop a job, or let it go on."""
        await self._form_of(asked)
        change = {"stop": self._jobs.stop, "go-on": self._jobs.go_on}.get(asked.path_params["what"])
        if change is None:
            raise HTTPException(404, "A job can be stopped or go on; this is neither.")
        try:
            await run_in_threadpool(change, asked.path_params["id"])
        except ValueError as error:
            raise HTTPException(404, str(error)) from None
        return RedirectResponse("/jobs", 303)

    async def upload(self, asked: Asked) -> Response:
        """Keep a table that was pasted or brought, under a name of its own; nothing is replaced."""
        form = await self._form_of(asked)
        brought, pasted = form.get("file"), form.get("pasted", "").encode()
        name, content = brought if isinstance(brought, tuple) and brought[0] else ("pasted.csv", pasted)
        try:
            kept = keep(self._shelf, name, content)
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        if form.get("to") == "check":
            return RedirectResponse(f"/check?{urlencode({'case': kept})}", 303)
        said = urlencode({"file": kept, "unit": form.get("unit") or "nM"})
        return RedirectResponse(f"/schild?{said}", 303)

    async def refused(self, asked: Asked, error: Any) -> Response:
        """A sentence as a page, or as JSON where a script asked."""
        if asked.url.path.endswith((".json", "/bands")):
            return JSONResponse({"error": error.detail}, error.status_code)
        return self._render("web/refused.html.j2", error.status_code, title="Not so", says=error.detail)

    def _answer(self, page: Page, request: Any) -> dict[str, Any]:
        with _ANSWERING:
            found: PageAnswer = answered(page, request, self._shelf)
        content: dict[str, Any] = {"d": found.document, "r": found.document}
        if page.verb == "occupancy":
            part = found.document["protocols"][0]
            content |= {"sentence": sentence(part), "handles": handles(request.protocols[0])}
            content["times"] = lambda part: next(iter(part["table"].values()))["time_h"]
            content["live"] = not found.own
        if page.verb == "audit":
            content["grades"] = ("serious", "caution", "note")
        if page.verb == "adjudicate":
            from gaddum.surface.report.answers import first_screen

            content["first"] = first_screen(found.document)
        return content

    def _form(self, page: Page) -> dict[str, Any]:
        every = {one.key: one for one in page.kind.form_fields()}
        lists = {
            "species": completion.species(""),
            "targets": completion.targets(""),
            "drug": completion.drugs(""),
            "case": [*completion.cases(""), *self._shelf.cases],
            "what": [*completion.subjects(""), *self._shelf.cases],
            "study": [one for one in completion.subjects("") if one not in completion.cases("")],
            "file": list(self._shelf.files),
        }
        return {
            "first": [every[key] for key in page.fields],
            "more": [every[key] for key in page.more],
            "lists": lists,
        }

    def _told(self) -> list[dict[str, Any]]:
        return [described(job, self._jobs.log(job)) for job in self._jobs.all()]

    async def _form_of(self, asked: Asked) -> dict[str, Any]:
        """What a form sent, if it is one of ours; a file as its name and content."""
        async with asked.form(max_files=1, max_fields=20) as form:
            said: dict[str, Any] = {key: one for key, one in form.multi_items() if isinstance(one, str)}
            if not hmac.compare_digest(said.get("key", "").encode(), self._door.form_key.encode()):
                raise HTTPException(
                    403, "A form must come from a page of this server; this did not. Reload the page."
                )
            brought = form.get("file")
            if isinstance(brought, UploadFile):
                said["file"] = (brought.filename, await brought.read())
        return said

    def _render(self, template: str, status: int = 200, **content: Any) -> Response:
        waiting = sum(job.open for job in self._jobs.all())
        text = self._templates.get_template(template).render(
            content, pages=PAGES, form_key=self._door.form_key, waiting=waiting
        )
        return Response(text, status, media_type=MEDIA["html"])

    def _safely(self, handler: Callable[[Asked], Response]) -> Callable[[Asked], Response]:
        def safe(asked: Asked) -> Response:
            try:
                return handler(asked)
            except HTTPException:
                raise
            except Exception:
                number = secrets.token_hex(4)
                _log.exception("failure %s", number)
                raise HTTPException(
                    500,
                    f"The workbench failed; failure {number} is explained where it was started. Please report it.",
                ) from None

        return safe


def _warm(shelf: Shelf) -> None:
    """Load what the first page needs while the browser opens."""
    page = PAGES[0]
    with _ANSWERING:
        answered(page, page.kind.from_query(page.example), shelf)


def _said(query: str) -> str:
    """A query without what was left empty in a form."""
    pairs = parse_qsl(query, keep_blank_values=False, max_num_fields=200)
    return urlencode([(key, value.strip()) for key, value in pairs if value.strip()])


def _given(query: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, value in parse_qsl(query):
        found.setdefault(key, []).append(value)
    return found


def _wrong(page: Page, query: str, error: Exception) -> dict[str, Any]:
    """A sentence of the library, the field that it speaks of, and what it suggests."""
    text, pairs = str(error), parse_qsl(query)
    keys = [*page.fields, *page.more]
    got = re.search(r"got '([^']+)'", text)
    holding = [key for key, value in pairs if got and got[1] in value and key in keys]
    named = [key for key in keys if re.search(rf"--{key}\b|'{key}'|^{key} must|most [\d.]+ {key}\b", text)]
    near = re.search(r"Did you mean '([^']+)'", text)
    suggestion = None
    if got and near and holding:
        changed = [
            (key, value.replace(got[1], near[1]) if key == holding[0] else value) for key, value in pairs
        ]
        suggestion = {"text": near[1], "query": urlencode(changed)}
    field = [*named, *holding, page.fields[0]][0]
    return {"error": text, "error_field": field, "suggestion": suggestion, "soft": isinstance(error, NotYet)}
