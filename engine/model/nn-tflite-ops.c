/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of TensorFlow Lite's operators. Source: tensorflow/lite/schema/schema.fbs, BuiltinOperator and the tables of options;
 * what each computes: tensorflow/lite/kernels. */

#include "nn-tflite.h"

#include <string.h>

typedef struct {
  const char   *name;
  NnTfliteRead *read; /* (nullable): known by name only */
} Row;

static const Row rows[] = {
  [0] = { "ADD", nn_tflite_read_merge },
  [1] = { "AVERAGE_POOL_2D", nn_tflite_read_pool },
  [2] = { "CONCATENATION", nn_tflite_read_concatenation },
  [3] = { "CONV_2D", nn_tflite_read_conv },
  [4] = { "DEPTHWISE_CONV_2D", nn_tflite_read_conv },
  [5] = { "DEPTH_TO_SPACE", NULL },
  [6] = { "DEQUANTIZE", nn_tflite_read_codes },
  [7] = { "EMBEDDING_LOOKUP", NULL },
  [8] = { "FLOOR", nn_tflite_read_activation },
  [9] = { "FULLY_CONNECTED", nn_tflite_read_dense },
  [11] = { "L2_NORMALIZATION", NULL },
  [12] = { "L2_POOL_2D", NULL },
  [13] = { "LOCAL_RESPONSE_NORMALIZATION", NULL },
  [14] = { "LOGISTIC", nn_tflite_read_activation },
  [16] = { "LSTM", NULL },
  [17] = { "MAX_POOL_2D", nn_tflite_read_pool },
  [18] = { "MUL", nn_tflite_read_merge },
  [19] = { "RELU", nn_tflite_read_activation },
  [20] = { "RELU_N1_TO_1", nn_tflite_read_activation },
  [21] = { "RELU6", nn_tflite_read_activation },
  [22] = { "RESHAPE", nn_tflite_read_reshape },
  [23] = { "RESIZE_BILINEAR", nn_tflite_read_resize },
  [24] = { "RNN", NULL },
  [25] = { "SOFTMAX", nn_tflite_read_activation },
  [26] = { "SPACE_TO_DEPTH", NULL },
  [27] = { "SVDF", NULL },
  [28] = { "TANH", nn_tflite_read_activation },
  [32] = { "CUSTOM", NULL },
  [34] = { "PAD", nn_tflite_read_pad },
  [35] = { "UNIDIRECTIONAL_SEQUENCE_RNN", NULL },
  [36] = { "GATHER", NULL },
  [37] = { "BATCH_TO_SPACE_ND", NULL },
  [38] = { "SPACE_TO_BATCH_ND", NULL },
  [39] = { "TRANSPOSE", nn_tflite_read_transpose },
  [40] = { "MEAN", nn_tflite_read_reduce },
  [41] = { "SUB", nn_tflite_read_merge },
  [42] = { "DIV", nn_tflite_read_merge },
  [43] = { "SQUEEZE", nn_tflite_read_reshape },
  [44] = { "UNIDIRECTIONAL_SEQUENCE_LSTM", NULL },
  [45] = { "STRIDED_SLICE", nn_tflite_read_slice },
  [46] = { "BIDIRECTIONAL_SEQUENCE_RNN", NULL },
  [47] = { "EXP", nn_tflite_read_activation },
  [48] = { "TOPK_V2", NULL },
  [49] = { "SPLIT", NULL },
  [50] = { "LOG_SOFTMAX", NULL },
  [52] = { "BIDIRECTIONAL_SEQUENCE_LSTM", NULL },
  [53] = { "CAST", NULL },
  [54] = { "PRELU", nn_tflite_read_prelu },
  [55] = { "MAXIMUM", nn_tflite_read_merge },
  [56] = { "ARG_MAX", NULL },
  [57] = { "MINIMUM", nn_tflite_read_merge },
  [58] = { "LESS", NULL },
  [59] = { "NEG", NULL },
  [60] = { "PADV2", nn_tflite_read_pad },
  [61] = { "GREATER", NULL },
  [62] = { "GREATER_EQUAL", NULL },
  [63] = { "LESS_EQUAL", NULL },
  [64] = { "SELECT", NULL },
  [65] = { "SLICE", nn_tflite_read_slice },
  [66] = { "SIN", nn_tflite_read_activation },
  [67] = { "TRANSPOSE_CONV", nn_tflite_read_transposed },
  [69] = { "TILE", NULL },
  [70] = { "EXPAND_DIMS", nn_tflite_read_reshape },
  [73] = { "LOG", nn_tflite_read_activation },
  [74] = { "SUM", nn_tflite_read_reduce },
  [75] = { "SQRT", nn_tflite_read_activation },
  [76] = { "RSQRT", NULL },
  [77] = { "SHAPE", NULL },
  [78] = { "POW", NULL },
  [79] = { "ARG_MIN", NULL },
  [82] = { "REDUCE_MAX", nn_tflite_read_reduce },
  [83] = { "PACK", NULL },
  [85] = { "ONE_HOT", NULL },
  [88] = { "UNPACK", NULL },
  [89] = { "REDUCE_MIN", NULL },
  [92] = { "SQUARE", nn_tflite_read_square },
  [97] = { "RESIZE_NEAREST_NEIGHBOR", nn_tflite_read_resize },
  [98] = { "LEAKY_RELU", nn_tflite_read_activation },
  [99] = { "SQUARED_DIFFERENCE", NULL },
  [100] = { "MIRROR_PAD", NULL },
  [101] = { "ABS", nn_tflite_read_activation },
  [102] = { "SPLIT_V", NULL },
  [104] = { "CEIL", nn_tflite_read_activation },
  [105] = { "REVERSE_V2", NULL },
  [106] = { "ADD_N", nn_tflite_read_merge },
  [107] = { "GATHER_ND", NULL },
  [108] = { "COS", nn_tflite_read_activation },
  [111] = { "ELU", nn_tflite_read_activation },
  [114] = { "QUANTIZE", nn_tflite_read_codes },
  [116] = { "ROUND", nn_tflite_read_activation },
  [117] = { "HARD_SWISH", nn_tflite_read_hard_swish },
  [118] = { "IF", NULL },
  [119] = { "WHILE", NULL },
  [126] = { "BATCH_MATMUL", nn_tflite_read_matmul },
  [128] = { "CUMSUM", NULL },
  [129] = { "CALL_ONCE", NULL },
  [130] = { "BROADCAST_TO", NULL },
  [132] = { "CONV_3D", NULL },
  [142] = { "VAR_HANDLE", NULL },
  [143] = { "READ_VARIABLE", NULL },
  [144] = { "ASSIGN_VARIABLE", NULL },
  [150] = { "GELU", nn_tflite_read_activation },
  [158] = { "SIGN", nn_tflite_read_activation },
};

static const Row *
find_row (gint64 code)
{
  return code >= 0 && code < (gint64) G_N_ELEMENTS (rows) && rows[code].name != NULL ? &rows[code] : NULL;
}

static int
compare_names (gconstpointer a,
               gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Returns: (transfer full): as the schema spells it, or by its number */
char *
nn_tflite_op_name (gint64 code)
{
  const Row *row = find_row (code);

  return row != NULL ? g_strdup (row->name) : g_strdup_printf ("OPERATOR_%d", (int) code);
}

/* Returns: (transfer full): names of all operators that are read, sorted; for the page of supported layers */
char **
nn_tflite_op_names (void)
{
  GPtrArray *names = g_ptr_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (rows[i].read != NULL)
      g_ptr_array_add (names, g_strdup (rows[i].name));
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (names, FALSE);
}

gboolean
nn_tflite_read_op (NnTflite          *t,
                   const NnTfliteOp  *op,
                   GError           **error)
{
  const Row *row = find_row (op->code);

  if (row == NULL || row->read == NULL)
    return nn_load_unsupported (error, "Espalier does not have this operator of TensorFlow Lite; the network may open as Keras or ONNX");
  return row->read (t, op, error);
}
