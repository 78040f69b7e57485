/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hlsgen's umbrella: the only header of it that cli/ and app/ include. */

#pragma once

#include "hls-build.h"
#include "hls-cluster.h"
#include "hls-error.h"
#include "hls-host.h"
#include "hls-project.h"
#include "hls-queue.h"
#include "hls-report.h"
#include "hls-tool.h"
