/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Training throughput: forward, backward and Adam on batches in memory, samples/s, medians of interleaved runs; beside
 * PyTorch where /usr/bin/python3 has it. usage: bench-train [SECONDS-A-RUN [ROUNDS [NETWORK]]]
 */

#include "../engine/test-train-nets.h"
#include "nn-net.h"
#include "nn-parallel.h"

#include <gio/gio.h>
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
  GArray     *ours, *torch; /* samples/s */
} Row;

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

/* FALSE where there is no PyTorch. */
static gboolean
torch_start (Torch *torch)
{
  g_autofree char *line = NULL;

  torch->process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE,
                                     NULL, "/usr/bin/python3", "-c", torch_program, NULL);
  if (torch->process == NULL)
    return FALSE;
  torch->answers = g_data_input_stream_new (g_subprocess_get_stdout_pipe (torch->process));
  line = g_data_input_stream_read_line (torch->answers, NULL, NULL, NULL);
  if (line == NULL)
    return FALSE;
  g_print ("PyTorch %s\n", line + strlen ("ready "));
  return TRUE;
}

static double
run_torch (Torch *torch,
           Row   *row,
           double seconds)
{
  g_autofree char *ask = g_strdup_printf ("%s %u %u %g\n", row->net, row->batch, row->threads, seconds), *line = NULL;

  if (!g_output_stream_write_all (g_subprocess_get_stdin_pipe (torch->process), ask, strlen (ask), NULL, NULL, NULL))
    return NAN;
  line = g_data_input_stream_read_line (torch->answers, NULL, NULL, NULL);
  return line != NULL ? g_ascii_strtod (line, NULL) : NAN;
}

static int
by_size (gconstpointer a,
         gconstpointer b)
{
  return *(const double *) a < *(const double *) b ? -1 : *(const double *) a > *(const double *) b;
}

static double
median (GArray *values)
{
  g_array_sort (values, by_size);
  return values->len > 0 ? g_array_index (values, double, values->len / 2) : NAN;
}

int
main (int    argc,
      char **argv)
{
  Row rows[] = {
    { "jets", 128, 1, 1 }, { "jets", 128, 2, 1 }, { "jets", 1024, 1, 1 }, { "jets", 1024, 2, 1 },
    { "lenet", 128, 1, 1 }, { "lenet", 128, 2, 1 }, { "svhn", 128, 1, 1 }, { "svhn", 128, 2, 1 },
    { "jets", 1024, 1, 0.5 }, { "jets", 1024, 1, 0.2 }, { "jets", 1024, 1, 0.1 },
    { "lenet", 128, 1, 0.5 }, { "lenet", 128, 1, 0.2 }, { "lenet", 128, 1, 0.1 },
    { "svhn", 128, 1, 0.5 }, { "svhn", 128, 1, 0.2 }, { "svhn", 128, 1, 0.1 },
    { "jets", 128, 1, 1, NN_CPU_AVX2 }, { "lenet", 128, 1, 1, NN_CPU_AVX2 }, { "svhn", 128, 1, 1, NN_CPU_AVX2 },
    { "jets", 128, 1, 1, NN_CPU_SSE2 },
  };
  const double seconds = argc > 1 ? g_ascii_strtod (argv[1], NULL) : 0.3;
  const guint rounds = argc > 2 ? atoi (argv[2]) : 5;
  Torch torch = { 0 };
  gboolean has_torch = torch_start (&torch);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      gboolean named = i + 4 >= G_N_ELEMENTS (rows);

      rows[i].cpu = named && nn_cpu_has (rows[i].cpu) ? rows[i].cpu : nn_cpu ();
      row_init (&rows[i]);
    }
  for (guint round = 0; round < rounds; round++)
    for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
      {
        double ours, theirs;

        if (argc > 3 && !g_str_equal (rows[i].net, argv[3]))
          continue;
        ours = run_ours (&rows[i], seconds);
        theirs = has_torch && rows[i].density == 1 ? run_torch (&torch, &rows[i], seconds) : NAN;
        g_array_append_val (rows[i].ours, ours);
        if (isfinite (theirs))
          g_array_append_val (rows[i].torch, theirs);
      }
  g_print ("%-8s %6s %8s %8s %8s %14s %14s %8s\n", "network", "batch", "threads", "density", "kernels", "samples/s", "PyTorch", "ratio");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      double ours = median (rows[i].ours), theirs = median (rows[i].torch);

      g_print ("%-8s %6u %8u %8.2f %8s %14.0f %14.0f %8.2f\n", rows[i].net, rows[i].batch, rows[i].threads, rows[i].density,
               nn_cpu_name (rows[i].cpu), ours, theirs, ours / theirs);
      nn_net_free (rows[i].trained);
    }
  return 0;
}
