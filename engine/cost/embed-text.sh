#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# embed-text.sh NAME FILE: a C header that holds a text file as a constant, so that the engine needs no file at run time.
printf '/* Made of %s. */\nstatic const char %s[] =\n' "$(basename "$2")" "$1"
sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/  "/' -e 's/$/\\n"/' "$2"
printf '  ;\n'
