#!/bin/sh
# Take away what could install something: the server's environment is whole, and stays as it is.
set -eu
path() { python3 -c "import sysconfig; print(sysconfig.get_path('$1'))"; }
rm -rf "$(path stdlib)/ensurepip" "$(path purelib)"/* "$(path scripts)"/pip*
rm "$0"
