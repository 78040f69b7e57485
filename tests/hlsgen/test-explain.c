/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What vendors' tools say when they fail, in the form in which they say it, and what Espalier makes of it. */

#include "hls-tool.h"

#include <string.h>

/* A line of a log, and words of its explanation; NULL where there must be none. */
static const struct { const char *line, *words; } lines[] = {
  { "ERROR: [XFORM 203-504] Stop unrolling loop 'Product1' (firmware/nnet_utils/nnet_dense_latency.h:37) in function 'x'", "refuses to unroll" },
  { "ERROR: [XFORM 203-103] Array 'w2.V' (w2.h:12): partitioned elements number (10000) has exeeded the threshold (4096), which may cause long run-time.", "split into registers" },
  { "ERROR: [HLS 214-256] array partition of 'w2' creates too many partitions (8192)", "too many parts" },
  { "ERROR: [XFORM 203-123] Cannot unroll loop 'L' : variable loop bound", "how often a loop runs" },
  { "# Error: Design complexity limit exceeded (SIF-9)", "university" },
  { "terminate called after throwing an instance of 'std::bad_alloc'", "ran out of memory" },
  { "/tools/bin/loader: line 312:  4711 Killed                  \"$RDI_PROG\" \"$@\"", "lack of memory" },
  { "slurmstepd: error: Detected 1 oom_kill event in StepId=17.batch.", "--memory" },
  { "slurmstepd: error: *** JOB 17 ON n1 CANCELLED AT 2025-01-01T00:00:00 DUE TO TIME LIMIT ***", "--minutes" },
  { "ERROR: HTCondor holds job 17.0: Error from slot1@n1: memory usage exceeded request_memory", "--memory" },
  { "ERROR: HTCondor holds job 17.0: The job exceeded allowed execute duration of 00:10:00", "--minutes" },
  { "sbatch: error: Batch job submission failed: Invalid partition name specified", "sinfo" },
  { "sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified", "SBATCH_ACCOUNT" },
  { "sbatch: error: Batch job submission failed: Requested node configuration is not available", "--cpus" },
  { "sbatch: error: Memory specification can not be satisfied", "--memory" },
  { "sbatch: error: Batch job submission failed: Requested time limit is invalid (missing or exceeds some limit)", "--minutes" },
  { "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit)", "wait until others" },
  { "sbatch: error: Batch job submission failed: Access/permission denied", "does not let you" },
  { "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)", "does not answer" },
  { "ERROR: Can't find address of local schedd", "does not answer" },
  { "ERROR: Slurm ended job 17: TIMEOUT, TimeLimit", "--minutes" },
  { "ERROR: Slurm ended job 17: OUT_OF_MEMORY", "--memory" },
  { "ERROR: Slurm ended job 17: NODE_FAIL", "has failed" },
  { "ERROR: write failed: No space left on device", "disk is full" },
  { "ERROR: [Common 17-49] Internal Data Exception: File name too long", "nearer the root" },
  { "@E Simulation failed: SIGSEGV.", "ulimit" },
  { "Abnormal program termination (11)", "crashed" },
  { "# Error: Unable to checkout license 'catapultultra' (LIC-14)", "LM_LICENSE_FILE" },
  { "ERROR: [Common 17-345] A valid license was not found for feature 'Synthesis' and/or device 'xcvu13p'.", "XILINXD_LICENSE_FILE" },
  { "@E [HLS-72] License checkout unsuccessful.", "licence server" },
  { "Error (292028): Cannot use the Quartus Prime software without a valid license", "Quartus Prime Pro needs" },
  { "ERROR: [HLS 200-1023] Part 'xcvu13p-flga2577-2-e' is not installed.", "device family" },
  { "ERROR: [Coretcl 2-106] Specified part could not be found.", "device family" },
  { "ERROR: [Common 17-69] Command failed: 'set_part' failed for part 'x'", "could not be set" },
  { "Error (125048): Illegal value for part 10AX", "not known" },
  { "ERROR: [v++ 60-705] No device was found that matches 'xilinx_u250_gen3x16_xdma_4_1_202210_1'.", ".xpfm" },
  { "ERROR: '2301152036' is an invalid argument. Please specify an integer value.", "76960" },
  { "bad lexical cast: source type value could not be interpreted as target (ERROR)", "76960" },
  { "icpx: error: unknown argument: '-fintelfpga'", "2025.0" },
  { "ERROR: [HLS 200-101] 'open_solution': Unknown or unrecognized argument '-flow_target'", "fits the version" },
  { "ERROR: unrecognized option '--mode'", "2023.1" },
  { "ERROR: invalid command name \"config_array_partition\"", "command of the script" },
  { "#error This file requires compiler and library support for the ISO C++ 2011 standard.", "C++11" },
  { "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found", "C library" },
  { "/usr/bin/ld: cannot find -lpthread: No such file or directory", "LIBRARY_PATH" },
  { "/usr/bin/ld: cannot find crt1.o: No such file or directory", "start-up files" },
  { "/usr/include/features.h:461:12: fatal error: sys/cdefs.h: No such file or directory", "CPLUS_INCLUDE_PATH" },
  { "error while loading shared libraries: libtinfo.so.5: cannot open shared object file: No such file or directory", "libtinfo5" },
  { "error while loading shared libraries: libXft.so.2: cannot open shared object file", "installLibs.sh" },
  { "src/x.cpp:3:10: fatal error: 'sycl/sycl.hpp' file not found", "setvars.sh" },
  { "firmware/x.h:4:10: fatal error: 'HLS/hls.h' file not found", "init_hls.sh" },
  { "firmware/x.h:4:10: fatal error: ac_fixed.h: No such file or directory", "MGC_HOME" },
  { "sh: 1: quartus_sh: not found", "Quartus is not on the PATH" },
  { "Error: aoc: command not found", "FPGA support package" },
  { "make: vsim: No such file or directory", "Questa" },
  { "bash: line 3: xterm: command not found", "not on the PATH" },
  { "ERROR!!! DEADLOCK DETECTED at 1310000 ns! SIMULATION WILL BE STOPPED!", "stands still" },
  { "WARNING [HLS SIM]: hls::stream 'layer2_out' contains leftover data, which may result in RTL simulation hanging.", "not read to its end" },
  { "WARNING: Hls::stream 'hls::stream<x>1' is read while empty, which may result in RTL simulation hanging.", "before it is written" },
  { "ERROR: [COSIM 212-4] *** C/RTL co-simulation finished: FAIL ***", "does not compute" },
  { "ERROR: [COSIM 212-360] Aborting co-simulation: C TB simulation failed, nonzero return value '1'.", "before any RTL" },
  { "ERROR: [SIM 211-100] 'csim_design' failed: nonzero return value.", "--csim" },
  { "ERROR: [SIM 211-100] CSim failed with errors.", "with g++" },
  { "ERROR: [XSIM 43-3409] Failed to compile generated C file xsim_1.c.", "simulator's own compiler" },
  { "ERROR: [HLS 200-779] Non-shared array 'v94.3' failed dataflow checking: it can only have a single reader and a single writer.", "Two layers" },
  { "ERROR: [HLS 200-997] Found unsupported dataflow constructs in function 'f': the loop has multiple exit points.", "pipeline style" },
  { "WARNING: [HLS 200-885] The II Violation in module 'f': Unable to schedule 'load' operation on array 'w' due to limited memory ports (II = 1).", "too few ports" },
  { "WARNING: [HLS 200-880] The II Violation in module 'f': Unable to enforce a carried dependence constraint (II = 1)", "before it is there" },
  { "# Error: Feedback path is too long to schedule design with current pipeline and clock constraints. (SCHD-3)", "before it is there" },
  { "# Error: Design 'top' could not schedule partition '/top/core' - could not schedule even with unlimited resources (SCHD-20)", "whatever the area" },
  { "WARNING: [HLS 200-871] Estimated clock period (5.1ns) exceeds the target (target clock period: 5ns)", "clock to be missed" },
  { "ERROR: [Place 30-640] Place Check: This design requires more DSPs than are available in the target device.", "larger than the part" },
  { "Error (170011): Design contains 900 blocks of type DSP. However, the device contains only 87 blocks.", "larger than the part" },
  { "CRITICAL WARNING: [Timing 38-282] The design failed to meet the timing requirements.", "too fast" },
  { "Critical Warning (332148): Timing requirements not met", "too fast" },
  { "ERROR: [IMPL 213-28] Failed to generate IP.", "after the synthesis" },
  { "ERROR: [HLS 200-70] Pre-synthesis failed.", "unrolling" },
  { "ERROR: [HLS 200-1715] Encountered problem during source synthesis", "unrolling" },
  { "ERROR: [HLS 200-70] Synthesizability check failed.", "make hardware" },
  /* no trouble: an echoed script, ordinary progress, an error that nobody knows */
  { "set_part {xcvu13p-flga2577-2-e}", NULL },
  { "INFO: [HLS 200-10] Setting target device to 'xc7z020' (is not installed in the cache)", NULL },
  { "INFO: [SCHED 204-61] Pipelining result : Target II = 1, Final II = 4, Depth = 6.", NULL },
  { "ERROR: something nobody has seen before", NULL },
  { "icpx -fintelfpga -Isrc src/myproject.cpp", NULL },
  { "/opt/intel/include/sycl/queue.hpp:12:3: error: static assertion", NULL },
  { "", NULL },
};

static void
test_lines (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      const char *text = hls_tool_explain (lines[i].line);

      if (lines[i].words == NULL ? text != NULL : text == NULL || strstr (text, lines[i].words) == NULL)
        g_error ("\"%s\" is explained as \"%s\", expected \"%s\"", lines[i].line, text, lines[i].words);
    }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/explain/lines", test_lines);
  return g_test_run ();
}
