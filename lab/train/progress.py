"""Show the progress of a search: a bar in a terminal, plain lines elsewhere."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from lab.core.result_files import rounded
from lab.search.result import Progress, Trial

SHORTEST = 0.5  # seconds between two updates of the bar
NARROW = 100  # columns
BAR = "{desc} |{bar:20}| {n_fmt} of {total_fmt} fits, {remaining} left{postfix}"


@contextmanager
def progress_display(name: str, *, by: str, stream: TextIO) -> Iterator[Callable[[Progress], None]]:
    """Yield the function to call after each fit of a candidate's search, and close the display at the end.

    A terminal shows a bar; other outputs, such as a log, get one line for each finished trial, without carriage return.
    """
    if not stream.isatty():
        yield lambda progress: _write_line(name, progress, by=by, stream=stream)
        return
    from tqdm import tqdm  # noqa: PLC0415 - only terminals need it

    wide = os.get_terminal_size(stream.fileno()).columns > 0  # a container's terminal may have no width
    width = {"dynamic_ncols": True} if wide else {"ncols": NARROW}
    with tqdm(desc=name, file=stream, bar_format=BAR, mininterval=SHORTEST, **width) as bar:

        def draw(progress: Progress) -> None:
            bar.total = progress.most
            bar.set_postfix_str(f"best {by} {_best(progress)}", refresh=False)
            bar.update(progress.fits - bar.n)
            if progress.fits == progress.most:
                bar.refresh()

        yield draw


def line_of(name: str, progress: Progress, trial: Trial, *, by: str) -> str:
    """Return the line of a trial: progress, score, best score so far, settings.

    >>> trial = Trial(2, {"trees": 200, "learning_rate": 0.06}, score=0.8512345, folds=4, best=0.86)
    >>> line_of("forest", Progress(8, 60, 0.86, trial), trial, by="roc_auc")
    'forest  8 of 60 fits  trial 2: roc_auc 0.8512 on 4 folds  best 0.8600  trees 200, learning_rate 0.06'
    """
    folds = "1 fold" if trial.folds == 1 else f"{trial.folds} folds"
    found = "could not be fitted" if trial.score is None else f"{by} {trial.score:.4f} on {folds}"
    settings = ", ".join(f"{setting} {rounded(value)}" for setting, value in trial.settings.items())
    return f"{name}  {_fits(progress)}  trial {trial.number}: {found}  best {_best(progress)}  {settings}"


def _write_line(name: str, progress: Progress, *, by: str, stream: TextIO) -> None:
    if progress.trial is not None:
        stream.write(f"{line_of(name, progress, progress.trial, by=by)}\n")
        stream.flush()


def _fits(progress: Progress) -> str:
    return f"{progress.fits} of {progress.most} fits"


def _best(progress: Progress) -> str:
    return "none yet" if progress.best is None else f"{progress.best:.4f}"
