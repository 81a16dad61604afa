"""Serve the champion over HTTP: `python -m serving`, configured by LAB_… environment variables."""

import argparse
import os
import sys

from lab.core.cpu_kernels import PINNED

os.environ.update(PINNED | {"OMP_NUM_THREADS": "1"})

import uvicorn
from pydantic import ValidationError
from pydantic_settings import SettingsError

from lab.core.errors import LabError
from serving.connections import SmallReads
from serving.loading import load_arms
from serving.multiprocess import shared_metrics_folder
from serving.settings import Settings

MISTAKE = 2


def main(arguments: list[str]) -> None:
    """Serve until a stop signal; a wrong setting or model ends with one message and exit code 2."""
    parser = argparse.ArgumentParser(
        prog="python -m serving", description=__doc__, epilog="\n".join(_setting_lines()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (0.0.0.0: everywhere)")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=int, default=1, help="number of processes")
    options = parser.parse_args(arguments)
    try:
        settings = Settings()
        load_arms(settings)
    except ValidationError as error:
        _print_mistakes(error)
    except SettingsError as error:
        sys.stderr.write(f"{error}, expected JSON. Correct it in the environment; --help lists the settings.\n")
    except LabError as error:
        sys.stderr.write(f"{error}\n")
    else:
        _serve(options, settings)
        return
    sys.exit(MISTAKE)


def _serve(options: argparse.Namespace, settings: Settings) -> None:
    with shared_metrics_folder(options.workers):
        uvicorn.run(
            "serving.app:create_application",
            factory=True,
            host=options.host,
            port=options.port,
            workers=options.workers,
            loop="uvloop",
            http=f"{SmallReads.__module__}:{SmallReads.__name__}",
            timeout_keep_alive=settings.seconds_to_keep_alive,
            access_log=False,
            server_header=False,
            log_level="info",
        )


def _setting_lines() -> list[str]:
    described = ((name, field.description or "") for name, field in Settings.model_fields.items())
    return ["settings (environment variables):", *(f"  LAB_{name.upper()}: {says}" for name, says in described)]


def _print_mistakes(error: ValidationError) -> None:
    for mistake in error.errors(include_url=False):
        name = "_".join(["LAB", *(str(part).upper() for part in mistake["loc"])])
        sys.stderr.write(f"{name}: {mistake['msg']}. Correct it in the environment; --help lists the settings.\n")


if __name__ == "__main__":
    main(sys.argv[1:])
