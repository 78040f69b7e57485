/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What finding a tool and calling it share. */

#pragma once

#include "hls-tool.h"

/* Lines of bash that source the settings script "$0". Line ends of Windows do not matter; a script of environment modules gets
 * the command "module", which a shell that is not a login's may lack. */
#define HLS_TOOL_SOURCE \
  "[ -r \"$0\" ] || { echo \"ERROR: the settings script $0 cannot be read: no such file\" >&2; exit 1; }\n" \
  "if grep -q '^ *module ' \"$0\" && ! type module > /dev/null 2>&1; then\n" \
  "  for init in /etc/profile.d/modules.sh /etc/profile.d/lmod.sh /etc/profile.d/z00_lmod.sh /usr/share/modules/init/bash; do\n" \
  "    [ -r $init ] && { source $init; break; }\n" \
  "  done\n" \
  "fi\n" \
  "if grep -q $'\\r' \"$0\"; then source <(tr -d '\\r' < \"$0\"); else source \"$0\"; fi\n"
