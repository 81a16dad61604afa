#!/bin/sh
# Take away what could install something: the server's environment is whole, and stays as it is.
set -eu
libraries=$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
python3 -m pip --quiet uninstall --yes --root-user-action ignore pip setuptools wheel
rm -r "$libraries/ensurepip"
rm "$0"
