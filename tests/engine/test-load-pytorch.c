/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PyTorch's pickles of an nn.Sequential, in both layouts of torch.save(), written here opcode by opcode. */

#include "nn-error.h"
#include "nn-exec.h"

#include "nn-load-private.h"
#include "test-shared.h"

#include <archive.h>
#include <archive_entry.h>
#include <math.h>
#include <string.h>

/* Opcodes of Python's pickles, protocol 2. */
static void
op (GByteArray *b,
    const char *opcodes)
{
  g_byte_array_append (b, (const guint8 *) opcodes, (guint) strlen (opcodes));
}

static void
put (GByteArray *b,
     guint64     value,
     guint       size)
{
  for (guint i = 0; i < size; i++)
    g_byte_array_append (b, &(guint8){ (guint8) (value >> 8 * i) }, 1);
}

static void
text (GByteArray *b,
      const char *value)
{
  op (b, "X");
  put (b, strlen (value), 4);
  op (b, value);
}

static void
number (GByteArray *b,
        guint       value)
{
  op (b, "J");
  put (b, value, 4);
}

static void
global (GByteArray *b,
        const char *module,
        const char *name)
{
  g_autofree char *line = g_strdup_printf ("c%s\n%s\n", module, name);

  op (b, line);
}

static void
ordered (GByteArray *b)
{
  global (b, "collections", "OrderedDict");
  op (b, ")R");
}

/* A tensor of the storage @key, which begins at its first element. */
static void
tensor (GByteArray   *b,
        const char   *type,
        const char   *key,
        const guint  *dims,
        guint         rank)
{
  global (b, "torch._utils", "_rebuild_tensor_v2");
  op (b, "((");
  text (b, "storage");
  global (b, "torch", type);
  text (b, key);
  text (b, "cpu");
  number (b, dims[0] * (rank > 1 ? dims[1] : 1));
  op (b, "tQ");
  number (b, 0);
  op (b, "(");
  for (guint i = 0; i < rank; i++)
    number (b, dims[i]);
  op (b, "t(");
  for (guint i = 0; i < rank; i++)
    number (b, i + 1 < rank ? dims[1] : 1);
  op (b, "t\x89");
  ordered (b);
  op (b, "tR");
}

/* A module up to its attributes; ended by end_module(). */
static void
begin_module (GByteArray *b,
              const char *module,
              const char *name)
{
  global (b, module, name);
  op (b, ")\x81}(");
}

static void
end_module (GByteArray *b)
{
  op (b, "ub");
}

static void
linear (GByteArray *b,
        const char *type,
        guint       in,
        guint       out)
{
  begin_module (b, "torch.nn.modules.linear", "Linear");
  text (b, "_parameters");
  ordered (b);
  op (b, "(");
  text (b, "weight");
  tensor (b, type, "1", (const guint[]){ out, in }, 2);
  text (b, "bias");
  tensor (b, type, "2", (const guint[]){ out }, 1);
  op (b, "u");
  text (b, "in_features");
  number (b, in);
  text (b, "out_features");
  number (b, out);
  end_module (b);
}

/* 2 -> 3, a LeakyReLU in a container of its own, and what @last names. */
static void
network (GByteArray *b,
         const char *type,
         const char *last)
{
  op (b, "\x80\x02");
  begin_module (b, "torch.nn.modules.container", "Sequential");
  text (b, "_modules");
  ordered (b);
  op (b, "(");
  text (b, "0");
  linear (b, type, 2, 3);
  text (b, "block");
  begin_module (b, "torch.nn.modules.container", "Sequential");
  text (b, "_modules");
  ordered (b);
  op (b, "(");
  text (b, "act");
  begin_module (b, "torch.nn.modules.activation", "LeakyReLU");
  text (b, "negative_slope");
  op (b, "G\x3f\xe0");
  put (b, 0, 6); /* 0.5 */
  end_module (b);
  op (b, "u");
  end_module (b);
  text (b, "2");
  begin_module (b, "torch.nn.modules.other", last);
  text (b, "training");
  op (b, "\x89");
  end_module (b);
  op (b, "u");
  end_module (b);
  op (b, ".");
}

static const float weights[] = { 1, 2, 3, -4, 0.5f, 0 }, biases[] = { 0, 10, -1 };
static const double xs[] = { 1, 2 };

static double
leaky (double x)
{
  return x < 0 ? x / 2 : x;
}

/* The older layout: five pickles, then number and elements of each storage. */
static GBytes *
legacy (const char *last)
{
  static const guint8 magic[] = { 0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.' };
  GByteArray *b = g_byte_array_new ();

  g_byte_array_append (b, magic, sizeof magic);
  op (b, "\x80\x02M\xe9\x03.\x80\x02}.");
  network (b, "FloatStorage", last);
  op (b, "\x80\x02](");
  text (b, "1");
  text (b, "2");
  op (b, "e.");
  put (b, G_N_ELEMENTS (weights), 8);
  g_byte_array_append (b, (const guint8 *) weights, sizeof weights);
  put (b, G_N_ELEMENTS (biases), 8);
  g_byte_array_append (b, (const guint8 *) biases, sizeof biases);
  return g_byte_array_free_to_bytes (b);
}

static void
add_member (struct archive *archive,
            const char     *name,
            gconstpointer   bytes,
            gsize           n)
{
  struct archive_entry *entry = archive_entry_new ();

  archive_entry_set_pathname (entry, name);
  archive_entry_set_size (entry, (gint64) n);
  archive_entry_set_filetype (entry, AE_IFREG);
  archive_entry_set_perm (entry, 0644);
  g_assert_cmpint (archive_write_header (archive, entry), ==, ARCHIVE_OK);
  g_assert_cmpint (archive_write_data (archive, bytes, n), ==, (la_ssize_t) n);
  archive_entry_free (entry);
}

/* The zip of PyTorch 1.6 and later; numbers in half precision. */
static GBytes *
zipped (void)
{
  static const guint16 half_weights[] = { 0x3c00, 0x4000, 0x4200, 0xc400, 0x3800, 0 }, half_biases[] = { 0, 0x4900, 0xbc00 };
  g_autoptr (GByteArray) pickle = g_byte_array_new ();
  struct archive *archive = archive_write_new ();
  gsize room = 65536, used = 0;
  g_autofree guint8 *bytes = g_malloc (room);

  network (pickle, "HalfStorage", "Identity");
  archive_write_set_format_zip (archive);
  archive_write_set_options (archive, "zip:compression=store");
  g_assert_cmpint (archive_write_open_memory (archive, bytes, room, &used), ==, ARCHIVE_OK);
  add_member (archive, "net/data.pkl", pickle->data, pickle->len);
  add_member (archive, "net/data/1", half_weights, sizeof half_weights);
  add_member (archive, "net/data/2", half_biases, sizeof half_biases);
  archive_write_close (archive);
  archive_write_free (archive);
  return g_bytes_new (bytes, used);
}

static NnModel *
read_bytes (GBytes  *bytes,
            GError **error)
{
  NnLoadOptions options;

  nn_load_options_init (&options);
  return nn_load_pytorch (bytes, "net.pt", &options, error);
}

static void
check (GBytes *bytes)
{
  const double expected[] = { leaky (1 + 4), leaky (3 - 8 + 10), leaky (0.5 - 1) };
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = read_bytes (bytes, &error);
  g_autoptr (NnTensor) input = nn_tensor_new (NN_DTYPE_F64, &NN_SHAPE (1, 2)), result = NULL;
  NnTensor **outputs;

  g_assert_no_error (error);
  g_assert_cmpstr (nn_graph_node (nn_model_graph (model), 1)->name, ==, "linear_0");
  g_assert_cmpstr (nn_graph_node (nn_model_graph (model), 2)->name, ==, "block_act");
  memcpy (input->data, xs, sizeof xs);
  outputs = nn_predict (model, &input, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  result = outputs[0];
  g_free (outputs);
  g_assert_cmpuint (result->n, ==, 3);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpfloat (nn_tensor_get (result, i), ==, expected[i]);
}

static void
test_legacy (void)
{
  g_autoptr (GBytes) bytes = legacy ("Dropout");

  check (bytes);
}

static void
test_zip (void)
{
  g_autoptr (GBytes) bytes = zipped ();
  g_autofree char *folder = test_folder (), *path = g_build_filename (folder, "net.pt", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = NULL;

  check (bytes);
  /* by its content the file is told from a Keras 3 zip */
  g_assert_true (g_file_set_contents (path, g_bytes_get_data (bytes, NULL), (gssize) g_bytes_get_size (bytes), NULL));
  model = nn_model_load (path, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (nn_model_info (model)->format, ==, "PyTorch");
  remove_folder (folder);
}

static void
test_unsupported (void)
{
  g_autoptr (GBytes) bytes = legacy ("LSTM");
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = read_bytes (bytes, &error);
  const NnNode *node;

  g_assert_no_error (error);
  node = nn_graph_node (nn_model_graph (model), 3);
  g_assert_cmpint (node->op, ==, NN_OP_UNSUPPORTED);
  g_assert_cmpstr (node->class_name, ==, "LSTM");
  g_assert_nonnull (strstr (node->reason, "export the network to ONNX"));
}

static void
refuse (GByteArray *pickle, /* (transfer full): what stands where the network should */
        const char *why)
{
  g_autoptr (GByteArray) b = g_byte_array_new ();
  g_autoptr (GBytes) whole = legacy ("Dropout"), bytes = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = NULL;

  g_byte_array_append (b, g_bytes_get_data (whole, NULL), 15 + 10); /* the first three pickles */
  g_byte_array_append (b, pickle->data, pickle->len);
  op (b, "\x80\x02].");
  g_byte_array_unref (pickle);
  bytes = g_bytes_new (b->data, b->len);
  model = read_bytes (bytes, &error);
  g_assert_null (model);
  if (strstr (error->message, why) == NULL || strstr (error->message, "net.pt") == NULL)
    g_error ("\"%s\" does not say \"%s\"", error->message, why);
}

static void
test_refused (void)
{
  GByteArray *b = g_byte_array_new ();

  op (b, "\x80\x02");
  ordered (b);
  op (b, ".");
  refuse (b, "a state_dict");
  b = g_byte_array_new ();
  op (b, "\x80\x02");
  begin_module (b, "mine", "Net");
  end_module (b);
  op (b, ".");
  refuse (b, "a module of the class mine.Net");
  /* what would run a command in Python is a value like any other here */
  b = g_byte_array_new ();
  op (b, "\x80\x02");
  global (b, "os", "system");
  op (b, "(");
  text (b, "false");
  op (b, "tR.");
  refuse (b, "a module of the class os.system");
  b = g_byte_array_new ();
  op (b, "\x80\x02i.");
  refuse (b, "damaged or incomplete");
}

/* Cut anywhere, or any byte another: a network or an error, nothing else. */
static void
test_broken (void)
{
  g_autoptr (GBytes) bytes = legacy ("Dropout");
  const guint8 *data = g_bytes_get_data (bytes, NULL);

  for (gsize n = 0; n < g_bytes_get_size (bytes); n++)
    {
      g_autoptr (GBytes) part = g_bytes_new (data, n), changed = NULL;
      g_autofree guint8 *copy = g_memdup2 (data, g_bytes_get_size (bytes));
      g_autoptr (GError) cut = NULL, other = NULL;
      g_autoptr (NnModel) first = read_bytes (part, &cut), second = NULL;

      copy[n] ^= 0xff;
      changed = g_bytes_new_static (copy, g_bytes_get_size (bytes));
      second = read_bytes (changed, &other);
      g_assert_null (first);
      g_assert_nonnull (cut);
      g_assert_true ((second == NULL) == (other != NULL));
    }
}

int
main (int    argc,
      char **argv)
{
  if (argc == 3 && g_str_equal (argv[1], "--write")) /* seeds for the fuzzer */
    {
      g_autoptr (GBytes) old = legacy ("Softmax"), zip = zipped ();
      g_autofree char *first = g_build_filename (argv[2], "legacy", NULL), *second = g_build_filename (argv[2], "zip", NULL);

      return g_file_set_contents (first, g_bytes_get_data (old, NULL), (gssize) g_bytes_get_size (old), NULL) &&
                 g_file_set_contents (second, g_bytes_get_data (zip, NULL), (gssize) g_bytes_get_size (zip), NULL)
               ? 0
               : 1;
    }
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/load/pytorch/legacy", test_legacy);
  g_test_add_func ("/load/pytorch/zip", test_zip);
  g_test_add_func ("/load/pytorch/unsupported", test_unsupported);
  g_test_add_func ("/load/pytorch/refused", test_refused);
  g_test_add_func ("/load/pytorch/broken", test_broken);
  return g_test_run ();
}
