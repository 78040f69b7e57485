/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Training throughput: forward, backward and Adam on batches in memory, samples/s; beside PyTorch where /usr/bin/python3 has
 * it. Runs are interleaved; every ratio is the median of the ratios of runs of the same round, so that a machine whose speed
 * drifts does not matter much. Prints the tables of docs/benchmarks.md; ends with 1 where a target is missed.
 * usage: bench-train [SECONDS-A-RUN [ROUNDS [NETWORK]]] (about a minute and a half as it is)
 */

#include "../engine/test-train-nets.h"
#include "nn-net.h"
#include "nn-parallel.h"

#include <gio/gio.h>
#include <signal.h>
#include <stdlib.h>

#define POOL 4096 /* samples that batches are taken from */

/* One network and batch; PyTorch answers a line "NET BATCH THREADS SECONDS" with a number. */
static const char torch_program[] =
    "import sys, time\n"
    "import torch as T\n"
    "from torch import nn as N\n"
    "def net(n):\n"
    "    if n == 'jets': return N.Sequential(N.Linear(16,64),N.ReLU(),N.Linear(64,32),N.ReLU(),N.Linear(32,32),N.ReLU(),N.Linear(32,5)), (16,), 5\n"
    "    if n == 'lenet': return N.Sequential(N.Conv2d(1,6,5,padding=2),N.ReLU(),N.MaxPool2d(2),N.Conv2d(6,16,5),N.ReLU(),N.MaxPool2d(2),N.Flatten(),N.Linear(400,120),N.ReLU(),N.Linear(120,84),N.ReLU(),N.Linear(84,10)), (1,28,28), 10\n"
    "    return N.Sequential(N.Conv2d(3,16,3),N.BatchNorm2d(16),N.ReLU(),N.MaxPool2d(2),N.Conv2d(16,16,3),N.BatchNorm2d(16),N.ReLU(),N.MaxPool2d(2),N.Conv2d(16,24,3),N.BatchNorm2d(24),N.ReLU(),N.MaxPool2d(2),N.Flatten(),N.Linear(96,42),N.BatchNorm1d(42),N.ReLU(),N.Linear(42,64),N.BatchNorm1d(64),N.ReLU(),N.Linear(64,10)), (3,32,32), 10\n"
    "made = {}\n"
    "print('ready', T.__version__, flush=True)\n"
    "for line in sys.stdin:\n"
    "    n, b, t, s = line.split(); b = int(b); s = float(s); T.set_num_threads(int(t))\n"
    "    if (n, b) not in made:\n"
    "        m, shape, k = net(n); made[n, b] = (m, T.optim.Adam(m.parameters(), 1e-3), [T.randn(b, *shape) for _ in range(4)], [T.randint(0, k, (b,)) for _ in range(4)])\n"
    "    m, o, x, y = made[n, b]; f = N.CrossEntropyLoss(); done = 0; start = time.perf_counter()\n"
    "    while time.perf_counter() - start < s:\n"
    "        for i in range(4):\n"
    "            o.zero_grad(); f(m(x[i]), y[i]).backward(); o.step(); done += b\n"
    "    print(done / (time.perf_counter() - start), flush=True)\n";

typedef struct {
  const char *net;
  guint       batch, threads;
  double      density;
  NnCpu       cpu;
  NnNet      *trained;
  NnTensor   *x, *y;
  GArray     *ours, *torch; /* samples/s, one a round */
} Row;

/* A ratio that issue and documentation promise: of two rows, or of one to PyTorch. */
typedef struct {
  const char *what;
  Row         of, to; /* to without a network: to PyTorch */
  double      avx512, avx2;
} Target;

static NnModel *
lenet (void)
{
  TestNet *net = net_new (&NN_SHAPE (28, 28, 1), 1);

  for (guint i = 0; i < 2; i++)
    {
      NnNode *pool;

      net_conv (net, 5, 5, i == 0 ? 1 : 6, i == 0 ? 6 : 16, 1, 1, 1, i == 0 ? NN_PADDING_SAME : NN_PADDING_VALID)->attrs.act = NN_ACT_RELU;
      pool = net_add (net, NN_OP_MAX_POOL2D);
      pool->attrs.kernel[0] = pool->attrs.kernel[1] = pool->attrs.stride[0] = pool->attrs.stride[1] = 2;
    }
  net_add (net, NN_OP_FLATTEN);
  net_dense (net, 400, 120, NN_ACT_RELU);
  net_dense (net, 120, 84, NN_ACT_RELU);
  net_dense (net, 84, 10, NN_ACT_SOFTMAX);
  return net_seal (net);
}

/* Of the hls4ml paper on convolutions (T. Aarrestad et al. 2021). */
static NnModel *
svhn (void)
{
  const gint64 channels[] = { 3, 16, 16, 24 }, dense[] = { 96, 42, 64 };
  TestNet *net = net_new (&NN_SHAPE (32, 32, 3), 1);

  for (guint i = 0; i < 3; i++)
    {
      NnNode *pool;

      net_conv (net, 3, 3, channels[i], channels[i + 1], 1, 1, 1, NN_PADDING_VALID);
      net_batch_norm (net, channels[i + 1]);
      net_act (net, NN_ACT_RELU);
      pool = net_add (net, NN_OP_MAX_POOL2D);
      pool->attrs.kernel[0] = pool->attrs.kernel[1] = pool->attrs.stride[0] = pool->attrs.stride[1] = 2;
    }
  net_add (net, NN_OP_FLATTEN);
  for (guint i = 0; i < 2; i++)
    {
      net_dense (net, dense[i], dense[i + 1], NN_ACT_LINEAR);
      net_batch_norm (net, dense[i + 1]);
      net_act (net, NN_ACT_RELU);
    }
  net_dense (net, 64, 10, NN_ACT_SOFTMAX);
  return net_seal (net);
}

/* Keeps each kernel weight with this probability. */
static NnModel *
thinned (const NnModel *model,
         double         density)
{
  g_autofree NnTensor **masks = g_new0 (NnTensor *, nn_model_n_weights (model) + 1);
  NnModel *thin;
  NnRng rng;

  nn_rng_init (&rng, 3);
  for (guint id = 0; id < nn_model_n_weights (model); id++)
    if (nn_model_weight (model, id)->role == NN_ROLE_KERNEL)
      {
        masks[id] = nn_tensor_new (NN_DTYPE_U8, &nn_model_weight (model, id)->values->shape);
        for (gsize i = 0; i < masks[id]->n; i++)
          nn_tensor_u8 (masks[id])[i] = nn_rng_uniform (&rng) < density;
      }
  thin = nn_model_with_weights (model, NULL, masks);
  for (guint id = 0; id < nn_model_n_weights (model); id++)
    nn_tensor_unref (masks[id]);
  return thin;
}

static void
row_init (Row *row)
{
  g_autoptr (NnModel) dense = g_str_equal (row->net, "jets")    ? net_jets (1, FALSE)
                              : g_str_equal (row->net, "lenet") ? lenet ()
                                                                : svhn ();
  g_autoptr (NnModel) model = row->density < 1 ? thinned (dense, row->density) : nn_model_ref (dense);
  NnNetOptions options = { .layers_of = nn_layers_for (row->cpu), .batch = row->batch, .gradients = TRUE, .training = TRUE,
                           .is_classes = TRUE };
  g_autoptr (GError) error = NULL;
  gint64 classes = g_str_equal (row->net, "jets") ? 5 : 10;
  NnShape shape = g_str_equal (row->net, "jets")    ? NN_SHAPE (POOL, 16)
                  : g_str_equal (row->net, "lenet") ? NN_SHAPE (POOL, 28, 28, 1)
                                                    : NN_SHAPE (POOL, 32, 32, 3);

  row->trained = nn_net_new (model, &options, &error);
  g_assert_no_error (error);
  row->x = random_tensor (&shape, 1);
  row->y = random_classes (POOL, classes, 2);
  row->ours = g_array_new (FALSE, FALSE, sizeof (double));
  row->torch = g_array_new (FALSE, FALSE, sizeof (double));
}

static void
row_clear (Row *row)
{
  nn_net_free (row->trained);
  nn_tensor_unref (row->x);
  nn_tensor_unref (row->y);
  g_array_unref (row->ours);
  g_array_unref (row->torch);
}

static double
run_ours (Row   *row,
          double seconds)
{
  static guint32 samples[POOL];
  const gint64 start = g_get_monotonic_time ();
  NnTrainOptions options;
  gsize done = 0;

  nn_train_options_init (&options);
  nn_parallel_set_threads (row->threads);
  for (guint i = 0; i < POOL; i++)
    samples[i] = i;
  while (g_get_monotonic_time () - start < seconds * G_USEC_PER_SEC)
    for (guint first = 0; first + row->batch <= POOL && first < 4 * row->batch; first += row->batch)
      {
        NnBatch batch = { .x = nn_tensor_f32 (row->x), .t = nn_tensor_f32 (row->y), .samples = samples + first, .n = row->batch };
        NnLossSums sums = { 0 };

        nn_net_run (row->trained, &batch, &sums);
        nn_net_update (row->trained, &options, 1e-3);
        done += row->batch;
      }
  return done * (double) G_USEC_PER_SEC / (g_get_monotonic_time () - start);
}

typedef struct {
  GSubprocess      *process;
  GDataInputStream *answers;
} Torch;

/* Returns: PyTorch's name and version, NULL where there is none */
static char *
torch_start (Torch *torch)
{
  g_autofree char *line = NULL;

  torch->process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE,
                                     NULL, "/usr/bin/python3", "-c", torch_program, NULL);
  if (torch->process == NULL)
    return NULL;
  torch->answers = g_data_input_stream_new (g_subprocess_get_stdout_pipe (torch->process));
  line = g_data_input_stream_read_line (torch->answers, NULL, NULL, NULL);
  if (line == NULL)
    g_clear_object (&torch->answers);
  return line != NULL ? g_strconcat ("PyTorch ", line + strlen ("ready "), NULL) : NULL;
}

static double
run_torch (Torch *torch,
           Row   *row,
           double seconds)
{
  g_autofree char *ask = g_strdup_printf ("%s %u %u %g\n", row->net, row->batch, row->threads, seconds), *line = NULL;

  g_subprocess_send_signal (torch->process, SIGCONT);
  if (!g_output_stream_write_all (g_subprocess_get_stdin_pipe (torch->process), ask, strlen (ask), NULL, NULL, NULL))
    return NAN;
  line = g_data_input_stream_read_line (torch->answers, NULL, NULL, NULL);
  /* its threads look for work for a while after it is done, on the processors that our rows are to have */
  g_subprocess_send_signal (torch->process, SIGSTOP);
  return line != NULL ? g_ascii_strtod (line, NULL) : NAN;
}

static int
by_size (gconstpointer a,
         gconstpointer b)
{
  return *(const double *) a < *(const double *) b ? -1 : *(const double *) a > *(const double *) b;
}

/* Of values that are numbers; leaves the array as it is. */
static double
median (const GArray *values)
{
  g_autoptr (GArray) sorted = g_array_new (FALSE, FALSE, sizeof (double));

  for (guint i = 0; i < values->len; i++)
    if (isfinite (g_array_index (values, double, i)))
      g_array_append_val (sorted, g_array_index (values, double, i));
  g_array_sort (sorted, by_size);
  return sorted->len > 0 ? g_array_index (sorted, double, sorted->len / 2) : NAN;
}

static double
median_ratio (const GArray *a,
              const GArray *b)
{
  g_autoptr (GArray) ratios = g_array_new (FALSE, FALSE, sizeof (double));

  for (guint i = 0; i < MIN (a->len, b->len); i++)
    {
      double ratio = g_array_index (a, double, i) / g_array_index (b, double, i);

      g_array_append_val (ratios, ratio);
    }
  return median (ratios);
}

static void
print_machine (const char *torch)
{
  g_autofree char *cpuinfo = NULL, *load = NULL;
  const char *name = NULL;

  if (g_file_get_contents ("/proc/cpuinfo", &cpuinfo, NULL, NULL) && (name = strstr (cpuinfo, "model name")) != NULL &&
      (name = strchr (name, ':')) != NULL)
    name += 2;
  if (g_file_get_contents ("/proc/loadavg", &load, NULL, NULL))
    load[strcspn (load, " ")] = '\0';
  g_print ("Processor: %.*s, %u cores, kernels for %s; load of the machine when it began: %s; %s.\n\n",
           name != NULL ? (int) strcspn (name, "\n") : 7, name != NULL ? name : "unknown", g_get_num_processors (),
           nn_cpu_name (nn_cpu ()), load != NULL ? load : "unknown", torch != NULL ? torch : "no PyTorch");
}

static void
print_rate (double rate)
{
  if (isfinite (rate))
    g_print (" %.0f |", rate);
  else
    g_print (" |");
}

static void
print_rows (const Row *rows,
            guint      n)
{
  g_print ("| network | batch | threads | density | kernels | samples/s | PyTorch | ratio |\n|---|---|---|---|---|---|---|---|\n");
  for (guint i = 0; i < n; i++)
    {
      const double ratio = median_ratio (rows[i].ours, rows[i].torch);

      if (rows[i].ours->len == 0)
        continue;
      g_print ("| %s | %u | %u | %.1f | %s |", rows[i].net, rows[i].batch, rows[i].threads, rows[i].density, nn_cpu_name (rows[i].cpu));
      print_rate (median (rows[i].ours));
      print_rate (median (rows[i].torch));
      g_print (isfinite (ratio) ? " %.1f |\n" : " |\n", ratio);
    }
}

static const Row *
find_row (const Row *rows,
          guint      n,
          const Row *like)
{
  for (guint i = 0; i < n; i++)
    if (like->net != NULL && g_str_equal (rows[i].net, like->net) && rows[i].batch == like->batch &&
        rows[i].threads == like->threads && rows[i].density == like->density)
      return &rows[i];
  return NULL;
}

/* Returns: how many are missed */
static guint
print_targets (const Row *rows,
               guint      n)
{
  const Target targets[] = {
    { "jets, batch 128, to PyTorch on one thread", { "jets", 128, 1, 1 }, { 0 }, 15, 10 },
    { "jets, batch 1024, to PyTorch on one thread", { "jets", 1024, 1, 1 }, { 0 }, 6, 3.5 },
    { "LeNet-5, to PyTorch on one thread", { "lenet", 128, 1, 1 }, { 0 }, 5, 3 },
    { "SVHN CNN, to PyTorch on one thread", { "svhn", 128, 1, 1 }, { 0 }, 6, 4 },
    { "LeNet-5, two threads to one", { "lenet", 128, 2, 1 }, { "lenet", 128, 1, 1 }, 1.7, 1.7 },
    { "SVHN CNN, two threads to one", { "svhn", 128, 2, 1 }, { "svhn", 128, 1, 1 }, 1.7, 1.7 },
    { "jets, batch 1024, density 0.2 to dense", { "jets", 1024, 1, 0.2 }, { "jets", 1024, 1, 1 }, 2, 2 },
    { "LeNet-5, density 0.2 to dense", { "lenet", 128, 1, 0.2 }, { "lenet", 128, 1, 1 }, 2, 2 },
    { "SVHN CNN, density 0.2 to dense", { "svhn", 128, 1, 0.2 }, { "svhn", 128, 1, 1 }, 2, 2 },
  };
  guint missed = 0;

  g_print ("\n| target (%s) | wanted | measured | |\n|---|---|---|---|\n", nn_cpu_name (nn_cpu ()));
  for (guint i = 0; i < G_N_ELEMENTS (targets); i++)
    {
      const Row *of = find_row (rows, n, &targets[i].of), *to = find_row (rows, n, &targets[i].to);
      const double wanted = nn_cpu () == NN_CPU_AVX512 ? targets[i].avx512 : targets[i].avx2;
      double ratio;

      if (of == NULL || of->ours->len == 0)
        continue;
      ratio = median_ratio (of->ours, to != NULL ? to->ours : of->torch);
      if (isfinite (ratio))
        g_print ("| %s | %.1f | %.2f | %s |\n", targets[i].what, wanted, ratio, ratio >= wanted ? "pass" : "MISSED");
      missed += isfinite (ratio) && ratio < wanted;
    }
  return missed;
}

/* PyTorch's rows, then ours, so that rows that are compared are near each other in time. */
static void
run_round (Row        *rows,
           guint       n,
           Torch      *torch,
           double      seconds,
           const char *only)
{
  for (guint i = 0; i < n; i++)
    if (only == NULL || g_str_equal (rows[i].net, only))
      {
        const gboolean both = torch->answers != NULL && rows[i].density == 1 && rows[i].cpu == nn_cpu ();
        double theirs = both ? run_torch (torch, &rows[i], seconds) : NAN;

        g_array_append_val (rows[i].torch, theirs);
      }
  for (guint i = 0; i < n; i++)
    if (only == NULL || g_str_equal (rows[i].net, only))
      {
        double ours = run_ours (&rows[i], seconds);

        g_array_append_val (rows[i].ours, ours);
      }
}

int
main (int    argc,
      char **argv)
{
  Row rows[] = {
    { "jets", 128, 1, 1 }, { "jets", 128, 2, 1 }, { "jets", 1024, 1, 0.2 }, { "jets", 1024, 1, 1 }, { "jets", 1024, 2, 1 },
    { "jets", 1024, 1, 0.5 }, { "jets", 1024, 1, 0.1 },
    { "lenet", 128, 1, 0.2 }, { "lenet", 128, 1, 1 }, { "lenet", 128, 2, 1 }, { "lenet", 128, 1, 0.5 }, { "lenet", 128, 1, 0.1 },
    { "svhn", 128, 1, 0.2 }, { "svhn", 128, 1, 1 }, { "svhn", 128, 2, 1 }, { "svhn", 128, 1, 0.5 }, { "svhn", 128, 1, 0.1 },
    { "jets", 128, 1, 1, NN_CPU_AVX2 }, { "lenet", 128, 1, 1, NN_CPU_AVX2 }, { "svhn", 128, 1, 1, NN_CPU_AVX2 },
    { "jets", 128, 1, 1, NN_CPU_SSE2 }, { "lenet", 128, 1, 1, NN_CPU_SSE2 }, { "svhn", 128, 1, 1, NN_CPU_SSE2 },
  };
  const guint n_other = 6; /* rows at the end that name their kernels */
  const double seconds = argc > 1 ? g_ascii_strtod (argv[1], NULL) : 0.25;
  const guint rounds = argc > 2 ? strtoul (argv[2], NULL, 10) : 9;
  guint n = 0, missed;
  g_autofree char *version = NULL;
  Torch torch = { 0 };

  version = torch_start (&torch);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      const gboolean named = i + n_other >= G_N_ELEMENTS (rows);

      if (named && (rows[i].cpu == nn_cpu () || !nn_cpu_has (rows[i].cpu)))
        continue;
      rows[n] = rows[i];
      rows[n].cpu = named ? rows[i].cpu : nn_cpu ();
      row_init (&rows[n++]);
    }
  print_machine (version);
  for (guint round = 0; round < rounds; round++)
    run_round (rows, n, &torch, seconds, argc > 3 ? argv[3] : NULL);
  print_rows (rows, n);
  missed = print_targets (rows, n);
  for (guint i = 0; i < n; i++)
    row_clear (&rows[i]);
  if (torch.process != NULL)
    g_subprocess_force_exit (torch.process);
  return missed > 0;
}
