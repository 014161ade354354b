"""The command `gaddum serve`: the workbench in the browser."""

import socket
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import typer

from gaddum.surface.request import Request, asking

PORT = 8765
"""Where the workbench is, if nothing else is there."""
HERE = "127.0.0.1"


@dataclass(frozen=True)
class ServeRequest(Request):
    """What is asked of `gaddum serve`."""

    verb = "serve"
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", help="Your tables and cases; what you upload and compute is kept there."
        ),
    ] = Path(".")
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help=f"Port.  [default: {PORT}, or a free one]")
    ] = None
    host: Annotated[
        str, typer.Option(help="Address to listen at; any but this computer's own is not safe.")
    ] = HERE
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = False


@asking
def serve(asked: ServeRequest) -> None:
    """Open the workbench: occupancy, audits, Schild fits and verdicts in the browser, on this computer only.

    Ctrl-C ends it.
    """
    run(asked)


def run(asked: ServeRequest) -> None:
    """Serve a folder until it is interrupted."""
    import os
    import threading
    import webbrowser

    from gaddum.extras import required

    required("starlette", "The workbench")
    uvicorn = required("uvicorn", "The workbench")
    if not asked.folder.is_dir():
        raise ValueError(
            f"The workbench must have a folder to serve; {str(asked.folder)!r} is none. Make it first."
        )
    os.chdir(asked.folder)

    from gaddum.surface.web.app import application
    from gaddum.surface.web.door import open_door
    from gaddum.surface.web.shelf import Shelf

    place = _listen(asked)
    door = open_door(asked.host, place.getsockname()[1])
    address = f"http://{door.place}/?token={door.token}"

    def opened() -> None:
        typer.echo(f"Workbench of {Path.cwd()}: {address}\nCtrl-C ends it.", err=True)
        if not asked.no_browser:
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    if asked.host != HERE:
        typer.echo(
            f"Everyone who reaches {asked.host} and sees the address below can read and write {Path.cwd()}; the "
            "workbench is made for one user on one computer.",
            err=True,
        )
    settings = uvicorn.Config(
        application(door, Shelf(Path.cwd()), opened),
        log_level="warning",
        access_log=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=3,
    )
    uvicorn.Server(settings).run(sockets=[place])


def _listen(asked: ServeRequest) -> "socket.socket":
    """Take the port that is asked for; the usual one or a free one where none is."""
    for port in [PORT, 0] if asked.port is None else [asked.port]:
        place = socket.socket(socket.AF_INET6 if ":" in asked.host else socket.AF_INET)
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            place.bind((asked.host, port))
            if ip_address(place.getsockname()[0]).is_unspecified:
                place.close()
                raise ValueError(
                    f"--host must be one address of this computer; got {asked.host!r}, which stands for all. Name one."
                )
            place.listen()  # so that who comes before the server is up waits for it
            return place
        except OSError as error:
            place.close()
            reason = error.strerror
            if asked.port is not None or port == 0:
                raise ValueError(
                    f"The port must be free; {port} at {asked.host} is not ({reason}). Name another with --port."
                ) from None
    raise AssertionError("unreachable")
