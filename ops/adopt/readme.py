"""Rewrite README.md for an adopted task."""

import re

from lab.pages.escape import plain_or_code
from ops.readme.command import README, with_block

WAITING = "\nNo results yet: `make repro` computes them, `python -m ops readme` writes them here.\n"
# Text of the template, and what replaces it: the sample tasks, their synthetic data, and how to bring a table.
OF_SAMPLES = {
    r": will this customer leave, is\nthis sale among the dearest\?": ".",
    r" Clone it to use it as it is, or\n\[[^]]*\]\(docs/own-table\.md\)\.": "",
    r" The report of this experiment:\n\n!\[[^]]*\]\(docs/comment\.png\)\n": "\n",
    r" Another question on the same data is another task:\n\n```bash\n.*\n```\n": "\n",
    r"^## Bring your own data\n(?:(?!## ).*\n)*": "",
    r"^\| (?:world|world_traffic) \|.*\n": "",
    r", or the simulated one(?= \|)": "",
    r"^\| `data/truth/` \|.*\n": "",
    r"^\| to begin with your table \|.*\n": "",
}


def readme_of(text: str, *, title: str, question: str, samples: bool) -> str:
    """Return README.md with title and question of a task, and without its old answer."""
    text = re.sub(r"^# .*$", lambda _: f"# {title}", text, count=1, flags=re.MULTILINE)
    shown = plain_or_code(question).replace("<!--", "<! --")
    text = with_block(text, "question", f" {shown} ", page=README)
    text = with_block(text, "answer", WAITING, page=README)
    for pattern, instead in ({} if samples else OF_SAMPLES).items():
        text = re.sub(pattern, instead, text, flags=re.MULTILINE)
    return text
