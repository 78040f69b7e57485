/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the messages of vendors' tools mean, and what to do.
 *
 * Sources: messages as users quote them (hls4ml issues 187, 192, 236, 252, 286, 313, 438, 485, 504, 539, 810, 1013, 1288, 1520;
 * ScaleHLS 11 and 12; Stream-HLS 2), AMD's guidance pages for messages HLS 200-xxx and 214-xxx and its answer record 76960, UG906
 * and UG1399, the message lists of Quartus Prime, and Catapult's user guide. Messages are told by their text; numbers changed
 * between versions.
 */

#include "hls-tool.h"

#include <string.h>

#define MORE_REUSE "Use the strategy Resource with a larger reuse factor for this layer, or io_stream."
#define SMALLER "Use a larger reuse factor, prune more, or choose a larger part."

typedef struct {
  const char *pattern;
  const char *text;
  gboolean    missing; /* only where the line says that it is not there */
} Explanation;

/* The first that is found in a line counts: what is specific stands before what is general. */
static const Explanation explanations[] = {
  /* too large to unroll or to split */
  { "Stop unrolling loop", "The tool refuses to unroll so large a loop. " MORE_REUSE },
  { "exeeded the threshold", "An array is too large to be split into registers. " MORE_REUSE }, /* Vivado HLS' own spelling */
  { "exceeded the threshold", "An array is too large to be split into registers. " MORE_REUSE },
  { "exceeds the threshold", "An array is too large to be split into registers. " MORE_REUSE },
  { "too many elements", "An array has too many elements to be split into registers. " MORE_REUSE },
  { "too many partitions", "An array would have to be split into too many parts. " MORE_REUSE },
  { "Design complexity limit exceeded", "Catapult's university version stops at this size of design. Use a larger reuse factor, or another licence." },
  { "variable loop bound", "The tool needs to know how often a loop runs before it can unroll it. In what Espalier writes all bounds are constants: has the project been "
                           "changed by hand?" },
  { "ecursive function", "The tool takes no recursive functions. Its version and the backend do not fit, or the project has been changed by hand." },

  /* what a scheduler refuses, or ends */
  { "nvalid partition", "The cluster has no such partition, or not for you; sinfo lists those there are. Give one with --queue, or leave it to the cluster." },
  { "nvalid account", "The cluster does not know your account, or not for this partition. Whoever runs it can tell; SBATCH_ACCOUNT names another one." },
  { "node configuration is not available", "No machine of the partition has so many processors or so much memory. Ask for less with --cpus and --memory, or for another partition." },
  { "emory specification can", "No machine of the partition has so much memory. Ask for less with --memory, or for another partition." },
  { "More processors requested", "No machine of the partition has so many processors. Ask for less with --cpus, or for another partition." },
  { "time limit is invalid", "The partition takes no job that long. Ask for less with --minutes, or for another partition." },
  { "accounting/QOS policy", "The cluster's rules allow you no such job, or not so many at once. Ask for less, or wait until others have ended." },
  { "Access/permission denied", "The cluster does not let you do this. Whoever runs it can tell why." },
  { "nable to contact slurm controller", "Slurm does not answer. Try again later, or ask whoever runs the cluster." },
  { "ailed to connect to local queue manager", "HTCondor does not answer on this machine. Submit from one that its pool takes jobs from." },
  { "ddress of local schedd", "HTCondor does not answer on this machine. Submit from one that its pool takes jobs from." },
  { "ccounting_group", "The pool does not know this accounting group. Give another one with --queue, or leave it to the pool." },
  { ": TIMEOUT", "The cluster ended the job as its time was over. Ask for more with --minutes." },
  { ": OUT_OF_MEMORY", "The cluster ended the job for lack of memory. Ask for more with --memory, or use a larger reuse factor." },
  { ": NODE_FAIL", "The machine that the job ran on has failed. Submit it again." },
  { ": BOOT_FAIL", "The machine that the job was to run on has failed. Submit it again." },
  { ": PREEMPTED", "The cluster took the machine back for another job. Submit it again." },

  /* memory, disk, time, crashes */
  { "std::bad_alloc", "The tool ran out of memory. Close other programs, use a larger reuse factor, or a machine with more memory." },
  { "oom_kill", "The cluster ended the job for lack of memory. Ask for more with --memory, or use a larger reuse factor." },
  { "oom-kill", "The cluster ended the job for lack of memory. Ask for more with --memory, or use a larger reuse factor." },
  { "DUE TO TIME LIMIT", "The cluster ended the job as its time was over. Ask for more with --minutes." },
  { "DUE TO PREEMPTION", "The cluster took the machine back for another job. Submit it again." },
  { "Killed", "The system ended the tool, most likely for lack of memory. Use a larger reuse factor or a machine with more memory." },
  { "exceeded request_memory", "The job needed more memory than it asked for. Ask for more with --memory, or use a larger reuse factor." },
  { "allowed execute duration", "The job ran longer than it asked for. Ask for more with --minutes." },
  { "allowed job duration", "The job ran longer than it asked for. Ask for more with --minutes." },
  { "emory limit", "The job needed more memory than it may take. Ask for more with --memory, or use a larger reuse factor." },
  { "out of memory", "The tool ran out of memory. Use a larger reuse factor or a machine with more memory." },
  { "Out of memory", "The tool ran out of memory. Use a larger reuse factor or a machine with more memory." },
  { "o space left on device", "The disk is full." },
  { "isk quota exceeded", "Your quota of the disk is used up." },
  { "ermission denied", "The tool may not write, or not run, a file. See who owns the project's folder, and whether its disk allows programs." },
  { "ile name too long", "A path is too long for the tool. Move the project to a folder nearer the root." },
  { "SIGSEGV", "A program broke off, most often as its stack is too small for the arrays of the simulation. Set ulimit -s unlimited." },
  { "Segmentation fault", "A program broke off, most often as its stack is too small for the arrays of the simulation. Set ulimit -s unlimited." },
  { "bnormal program termination", "The tool itself crashed; what it was doing stands in the hs_err file beside the log. Try another version, or a larger reuse factor." },

  /* licences */
  { "LIC-14", "Catapult has no licence for what was asked. See whether LM_LICENSE_FILE or SALT_LICENSE_SERVER names the server and a seat is free." },
  { "Failed to obtain a license", "The tool has no licence for this part or feature. Set LM_LICENSE_FILE or XILINXD_LICENSE_FILE, or choose a part that is free." },
  { "valid license was not found", "The tool has no licence for this part or feature. Set XILINXD_LICENSE_FILE, or choose a part that is free." },
  { "icense checkout unsuccessful", "A licence could not be checked out. See whether the licence server is reachable and a seat is free." },
  { "checkout FAILED", "A licence could not be checked out. See whether the licence server is reachable and a seat is free." },
  { "Failed to check out license", "A licence could not be checked out. See whether the licence server is reachable and a seat is free." },
  { "nable to checkout", "A licence could not be checked out. See whether the licence server is reachable and a seat is free." },
  { "without a valid license", "Quartus Prime Pro needs a licence. Set LM_LICENSE_FILE, or use a part of the free Standard or Lite edition." },

  /* parts and boards */
  { "Part not found", "The part is not installed with this tool. Install its device family, or choose another part in the configuration." },
  { "is not installed", "The part is not installed with this tool. Install its device family, or choose another part in the configuration." },
  { "is not a valid part", "The part is not known to this tool. Choose another part in the configuration." },
  { "part could not be found", "The part is not installed with this tool. Install its device family, or choose another part in the configuration." },
  { "Unable to find part", "The part is not installed with this tool. Install its device family, or choose another part." },
  { "'set_part", "The part could not be set. See whether its device family is installed." },
  { "llegal value for part", "The part is not known to this tool. Choose another part in the configuration." },
  { "board_part", "The tool does not know the board. Install its board files, or leave \"Board\" away." },
  { "No device was found that matches", "v++ does not know the platform. Set PLATFORM to the .xpfm file of one that is installed." },
  { "ailed to find platform", "v++ does not know the platform. Set PLATFORM to the .xpfm file of one that is installed." },

  /* versions that do not fit */
  { "is an invalid argument. Please specify an integer value", "Vivado and Vitis HLS to 2021.1 cannot export since 2022: the date no longer fits a number of theirs. Install AMD's patch "
                                                               "of answer record 76960; the synthesis itself is done." },
  { "bad lexical cast", "Vivado and Vitis HLS to 2021.1 cannot export since 2022: the date no longer fits a number of theirs. Install AMD's patch of answer record 76960; the "
                        "synthesis itself is done." },
  { "fintelfpga", "This compiler has no FPGA support; oneAPI's has none since 2025.1. Install 2025.0 or older." },
  { "unrecognized argument", "This version of the tool does not know an option of the script. Use the backend that fits the version: Vivado HLS to 2020.1, Vitis HLS from 2020.2." },
  { "unrecognised option", "This version of the tool does not know an option of the command line: vitis-run is of 2023.1 and newer." },
  { "unrecognized option", "This version of the tool does not know an option of the command line: vitis-run is of 2023.1 and newer." },
  { "unknown option", "This version of the tool does not know an option of the script. Use the backend that fits its version." },
  { "nvalid command name", "This version of the tool does not know a command of the script. Use the backend that fits its version." },
  { "unexpected pragma", "The tool does not know a pragma of the project; its version and the backend do not fit." },
  { "requires compiler and library support", "The tool compiles for too old a C++. Use the backend that fits its version: Vivado HLS takes C++11, Vitis HLS C++14." },
  { "GLIBC", "The tool was made for another version of the system's C library. Use a system that the vendor supports, or a newer tool." },

  /* what the system lacks */
  { "cannot find -l", "A system library is missing for the tool's own compiler. Set LIBRARY_PATH to the folder of your system's libraries." },
  { "crt1.o", "The tool's own compiler does not find the system's start-up files. Set LIBRARY_PATH=/usr/lib/x86_64-linux-gnu." },
  { "bits/libc-header-start.h", "The tool's own compiler does not find the system's headers. Set CPLUS_INCLUDE_PATH=/usr/include/x86_64-linux-gnu.", TRUE },
  { "sys/cdefs.h", "The tool's own compiler does not find the system's headers. Set CPLUS_INCLUDE_PATH=/usr/include/x86_64-linux-gnu.", TRUE },
  { "gmp.h", "The tool's headers of numbers come after others of the system. Source the vendor's settings script (--settings).", TRUE },
  { "libtinfo.so.5", "The tool needs the old library libtinfo5; install your distribution's package." },
  { "libncurses.so.5", "The tool needs the old library libncurses5; install your distribution's package." },
  { "error while loading shared libraries", "A library that the tool needs is missing. Install its package; the vendor's script installLibs.sh lists all." },
  { "cannot open shared object file", "A library that the tool needs is missing. Install its package; the vendor's script installLibs.sh lists all." },
  { "sycl/", "The compiler does not find SYCL's headers. Source oneAPI's setvars.sh (--settings).", TRUE },
  { "HLS/hls.h", "The compiler does not find Intel's HLS headers. Source init_hls.sh (--settings).", TRUE },
  { "ac_fixed.h", "The compiler does not find the headers of ac_fixed. Source the vendor's settings script (--settings), or set MGC_HOME.", TRUE },
  { "ap_fixed.h", "The compiler does not find the headers of ap_fixed. Source the vendor's settings script (--settings).", TRUE },
  { "quartus_sh", "Quartus is not on the PATH, which Intel's tools need beyond the report. Source its settings script (--settings).", TRUE },
  { "aoc", "The FPGA part of oneAPI is missing. Install the FPGA support package of the same version as the compiler.", TRUE },
  { "vsim", "The simulator is missing. Questa or ModelSim must be on the PATH for a co-simulation.", TRUE },
  { "nable to open display", "The tool wants a screen. Start it where DISPLAY is set, or leave the step that opens a window." },
  { "ommand not found", "A program that the script calls is not on the PATH. Source the vendor's settings script (--settings)." },

  /* C and co-simulation */
  { "DEADLOCK DETECTED", "The co-simulation stands still: a FIFO is too small or a stream is not read to its end. Enlarge the depth of the FIFOs." },
  { "deadlock", "A FIFO is too small or a stream is not read; enlarge its depth." },
  { "leftover data", "A stream was not read to its end; the RTL would stand still. Has the project been changed by hand?" },
  { "read while empty", "A stream is read before it is written; the RTL would stand still. Has the project been changed by hand?" },
  { "C TB post check failed", "The RTL does not compute what the C++ does. Most often a stream is read too late or a FIFO is too small." },
  { "C TB simulation failed", "The test bench itself fails, before any RTL. Run build --csim to see why." },
  { "co-simulation finished: FAIL", "The RTL does not compute what the C++ does. Most often a stream is read too late or a FIFO is too small." },
  { "Co-simulation failed", "The RTL does not compute what the C++ does. Most often a stream is read too late or a FIFO is too small." },
  { "failed: nonzero return value", "The test bench found a difference, or broke off. Run build --csim to see which." },
  { "CSim failed with errors", "The simulation did not compile or the test bench failed. The lines above tell which; build --csim runs it with g++." },
  { "XSIM 43-", "The simulator's own compiler failed. Set LIBRARY_PATH=/usr/lib/x86_64-linux-gnu, and see that a C compiler is installed." },

  /* dataflow and schedule */
  { "failed dataflow checking", "Two layers of the dataflow use one array. Has the project been changed by hand? Otherwise use io_stream." },
  { "unsupported dataflow constructs", "The tool cannot run the layers side by side as they are written. Set the pipeline style \"pipeline\", or use io_stream." },
  { "from previous iterations in dataflow", "The tool cannot run the layers side by side as they are written. Set the pipeline style \"pipeline\", or use io_stream." },
  { "limited memory ports", "A memory has too few ports for the interval asked for. Use a larger reuse factor, which packs more weights into a word." },
  { "carried dependence", "A result is needed before it is there: the interval asked for cannot be held. Use a larger interval or reuse factor, or a slower clock." },
  { "II Violation", "The interval asked for cannot be held. Use a larger interval or reuse factor." },
  { "Feedback path is too long", "A result is needed before it is there: the interval asked for cannot be held. Use a larger interval or reuse factor, or a slower clock." },
  { "even with unlimited resources", "The interval or latency asked for cannot be held, whatever the area. Use a larger interval or reuse factor, or a slower clock." },
  { "ould not schedule", "An operation does not fit into the clock period or the interval asked for. Use a longer clock period or a larger reuse factor." },
  { "Unable to schedule", "An operation does not fit into the clock period or the interval asked for. Use a longer clock period or a larger reuse factor." },
  { "stimated clock period", "The tool expects the clock to be missed. Use a longer clock period, a smaller uncertainty or a larger reuse factor." },

  /* logic synthesis and place and route */
  { "than are available in the target device", "The design is larger than the part. " SMALLER },
  { "ver-utilized", "The design is larger than the part. " SMALLER },
  { "the device contains only", "The design is larger than the part. " SMALLER },
  { "Can't fit design in device", "The design is larger than the part. " SMALLER },
  { "congestion", "The wires do not find their way: too much of the part is used in one place. " SMALLER },
  { "failed to meet the timing", "The clock is too fast for this design. Use a longer clock period or a larger reuse factor." },
  { "Timing constraint", "The clock is too fast for this design. Use a longer clock period or a larger reuse factor." },
  { "iming requirements not met", "The clock is too fast for this design. Use a longer clock period or a larger reuse factor." },
  { "Failed to generate IP", "The export failed after the synthesis, whose reports are there. The lines above tell why." },

  /* what only says that something failed */
  { "undefined reference to", "The simulation does not link. A source is missing, or the tool's own library does not fit the compiler." },
  { "Synthesizability check failed", "The tool cannot make hardware of something in the source. The lines above name it; its version and the backend may not fit." },
  { "Pre-synthesis failed", "The tool gave up while it was unrolling and splitting arrays. If no line above tells why, the design is too large: " MORE_REUSE },
  { "problem during source synthesis", "The tool gave up while it was unrolling and splitting arrays. If no line above tells why, the design is too large: " MORE_REUSE },
};

/* Words of lines that tell of something wrong; scripts that are echoed hold many of the words above. */
static gboolean
is_trouble (const char *line)
{
  static const char *const words[] = {
    "rror", "ERROR", "FATAL", "Fatal", "FAIL", "failed", "CRITICAL WARNING", "WARNING: [HLS 2", "WARNING: [SCHED", "WARNING [HLS SIM]", "WARNING: Hls::stream",
    "Killed", "eadlock", "DEADLOCK", "bad_alloc", "o space left", "not found", "cannot open shared", "Segmentation fault", "bnormal program termination",
    "CANCELLED", "oom", "Critical Warning", "denied", "@E ",
  };

  if (g_str_has_prefix (line, "INFO"))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (strstr (line, words[i]) != NULL)
      return TRUE;
  return FALSE;
}

static gboolean
is_missing (const char *line)
{
  return strstr (line, "not found") != NULL || strstr (line, "o such file") != NULL || strstr (line, "annot find") != NULL;
}

const char *
hls_tool_explain (const char *line)
{
  if (!is_trouble (line) && !is_missing (line))
    return NULL;
  for (guint k = 0; k < G_N_ELEMENTS (explanations); k++)
    if (strstr (line, explanations[k].pattern) != NULL && (!explanations[k].missing || is_missing (line)))
      return explanations[k].text;
  return NULL;
}
