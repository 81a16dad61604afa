"""Exit 0 if the server in this container is ready, else 1."""

import os
import sys
import urllib.request

READY = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/ready"

try:
    with urllib.request.urlopen(READY, timeout=3):
        pass
except OSError as error:
    sys.exit(f"{READY}: {error}")
