/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the kernels share within one class of processor: the real type, vectors, elementary functions. */

#pragma once

#include "nn-layers.h"

#include <math.h>
#include <string.h>

/* NN_CLASS is given by the build: sse2, avx2, avx512 or double; wide in tests. */
#define NN_PASTE_(a, b) a##_##b
#define NN_PASTE(a, b) NN_PASTE_ (a, b)
#define CLASSED(name) NN_PASTE (name, NN_CLASS)

#ifdef NN_REAL_DOUBLE
typedef double real;
typedef gint64 bits;
#define VBYTES 16
#else
typedef float real;
typedef gint32 bits;
#if defined(__AVX512F__) || defined(NN_WIDE) /* NN_WIDE: the same width without the instructions, for tests */
#define VBYTES 64
#elif defined(__AVX2__)
#define VBYTES 32
#else
#define VBYTES 16
#endif
#endif

#define VLEN (VBYTES / (int) sizeof (real))
typedef real vec __attribute__ ((vector_size (VBYTES), may_alias));
typedef bits ivec __attribute__ ((vector_size (VBYTES), may_alias));

static inline __attribute__ ((always_inline)) vec
splat (real s)
{
#if VBYTES == 64
  return (vec) { s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s };
#elif VBYTES == 32
  return (vec) { s, s, s, s, s, s, s, s };
#elif defined(NN_REAL_DOUBLE)
  return (vec) { s, s };
#else
  return (vec) { s, s, s, s };
#endif
}

/* Elements of @a and then of @b, in another order. */
#ifdef __clang__
#define SHUFFLE(a, b, ...) __builtin_shufflevector (a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle (a, b, (ivec) { __VA_ARGS__ })
#endif

/* Halves added to halves: the order is the same wherever the class of processor is. */
static inline __attribute__ ((always_inline)) real
vec_sum (vec v)
{
#if VBYTES == 64
  v += SHUFFLE (v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  v += SHUFFLE (v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
  v += SHUFFLE (v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
#elif VBYTES == 32
  v += SHUFFLE (v, v, 4, 5, 6, 7, 0, 1, 2, 3);
  v += SHUFFLE (v, v, 2, 3, 0, 1, 6, 7, 4, 5);
#elif !defined(NN_REAL_DOUBLE)
  v += SHUFFLE (v, v, 2, 3, 0, 1);
#endif
  return v[0] + v[1];
}

/* Tells the compiler to have a vector in a register rather than to load it again for every use. */
#if (defined(__x86_64__) || defined(__i386__)) && !defined(NN_WIDE)
#define KEEP(v) __asm__ ("" : "+v" (v))
#else
#define KEEP(v) (void) (v)
#endif

/* Adds the sums of four vectors to four numbers side by side. */
static inline __attribute__ ((always_inline)) void
add_sums_4 (real *to,
            vec   a,
            vec   b,
            vec   c,
            vec   d)
{
#ifdef NN_REAL_DOUBLE
  to[0] += vec_sum (a), to[1] += vec_sum (b), to[2] += vec_sum (c), to[3] += vec_sum (d);
#else
#if VBYTES == 64
#define EVEN(n) 0 + n, 2 + n, 16 + n, 18 + n, 4 + n, 6 + n, 20 + n, 22 + n, 8 + n, 10 + n, 24 + n, 26 + n, 12 + n, 14 + n, 28 + n, 30 + n
#elif VBYTES == 32
#define EVEN(n) 0 + n, 2 + n, 8 + n, 10 + n, 4 + n, 6 + n, 12 + n, 14 + n
#else
#define EVEN(n) 0 + n, 2 + n, 4 + n, 6 + n
#endif
  typedef real quad __attribute__ ((vector_size (4 * sizeof (real)), aligned (sizeof (real)), may_alias));
  vec ab = SHUFFLE (a, b, EVEN (0)) + SHUFFLE (a, b, EVEN (1));
  vec cd = SHUFFLE (c, d, EVEN (0)) + SHUFFLE (c, d, EVEN (1));
  vec sums = SHUFFLE (ab, cd, EVEN (0)) + SHUFFLE (ab, cd, EVEN (1));
  quad all = (quad) { sums[0], sums[1], sums[2], sums[3] };

  for (int i = 4; i < VLEN; i += 4)
    all += (quad) { sums[i], sums[i + 1], sums[i + 2], sums[i + 3] };
  *(quad *) to += all;
#undef EVEN
#endif
}

/* All ones for the lanes from v on that are samples. */
static inline __attribute__ ((always_inline)) ivec
valid_lanes (const NnShard *s,
             guint          v)
{
  ivec mask;

  for (int i = 0; i < VLEN; i++)
    mask[i] = v + i < s->valid ? -1 : 0;
  return mask;
}

#define BLOCK(s) ((real *) (s)->block)
#define IN(l, s, k) (BLOCK (s) + (l)->x[k])
#define OUT(l, s) (BLOCK (s) + (l)->y)
#define GIN(l, s, k) ((l)->gx[k] == NN_NOWHERE ? NULL : BLOCK (s) + (l)->gx[k])
#define GOUT(l, s) (BLOCK (s) + (l)->gy)
#define WEIGHT(l, s, role) ((l)->w[role] == NN_NOWHERE ? NULL : (const real *) (s)->values + (l)->w[role])
#define GRAD(l, s, role) ((l)->w[role] == NN_NOWHERE || (s)->grads == NULL ? NULL : (real *) (s)->grads + (l)->w[role])

/*
 * Sum over k of A (m, k) B (k, n), n counting vectors; see nn-layers-gemm.c. A segment is a run of k. The same again for more
 * columns of n vectors each, bp apart in B and cp in C.
 */
typedef struct {
  gsize a, b;
  guint k;
} Segment;

typedef struct {
  real          *c;
  gsize          cm, cn;
  const real    *a;
  gsize          am, ak;
  const real    *b;
  gsize          bk, bn;
  const real    *bias; /* (nullable): of each row */
  guint          m, n;
  const Segment *segments;
  guint          n_segments;
  gboolean       add;  /* to what is in c; otherwise starts from bias or 0 */
  gboolean       relu;
  guint          more;
  gsize          bp, cp;
} Gemm;

void CLASSED (nn_gemm) (const Gemm *gemm);

/* gw[i][o] += sum over positions p and lanes of x[p * xp + i][lane] * g[p * gp + o][lane] */
typedef struct {
  real       *gw;
  gsize       ldw;
  const real *x, *g;
  gsize       xp, gp;   /* from one position to the next along a row */
  gsize       xr, gr;   /* from one row of positions to the next */
  guint       rows, positions;
  guint       mi, no;
  guint       lanes;
  gboolean    squares; /* each lane's sum is squared */
} Outer;

void CLASSED (nn_outer) (const Outer *outer);

/* c[m][n] = (or +=, or from bias) sum over the terms of row m of w x[offset + n]; n counts positions, of all lanes each. */
typedef struct {
  real          *c;
  gsize          cm, cn;
  const real    *x;
  gsize          xn;
  const real    *w;           /* of each term */
  const real    *bias;
  const NnTerms *terms;
  guint          first, last; /* rows of the kernel that count: from first on, before last */
  guint          n;
  gsize          lanes;
  gboolean       add, relu;
} SparseRows;

/* Products of each term's operand and its row's gradient over positions and lanes, as Outer. */
typedef struct {
  real          *sums; /* (nullable): a vector for each term, to which they are added */
  real          *gw;   /* otherwise they are summed up and added to the kernel's gradient */
  const NnTerms *terms;
  const real    *x, *g;
  gsize          xp, gp, xr, gr;
  guint          rows, positions;
  guint          lanes;
} SparseProducts;

void CLASSED (nn_sparse_rows)     (const SparseRows *rows);
void CLASSED (nn_sparse_products) (const SparseProducts *products);
void CLASSED (nn_sparse_add_sums) (const NnTerms *terms, const real *sums, real *gw);
/* to[j][i] = from[i][j]; both dense but for their leading dimensions */
void CLASSED (nn_flip)  (real *to, gsize ldt, const real *from, gsize ldf, guint rows, guint columns);

/*
 * exp, log, tanh without branches, so that loops over them become vector code; libm in double.
 * Source of the polynomials: S. Moshier, Cephes library, expf.c, logf.c and tanhf.c; errors below 2 units in the last place.
 */
#ifdef NN_REAL_DOUBLE
static inline real real_exp (real x) { return exp (x); }
static inline real real_tanh (real x) { return tanh (x); }
static inline real real_sqrt (real x) { return sqrt (x); }
static inline real real_abs (real x) { return fabs (x); }
static inline real real_log1p (real x) { return log1p (x); }
static inline real real_log (real x) { return log (x); }
static inline real real_erf (real x) { return erf (x); }
static inline real real_sin (real x) { return sin (x); }
static inline real real_atan (real x) { return atan (x); }
static inline real real_floor (real x) { return floor (x); }
static inline real real_rint (real x) { return rint (x); }
static inline real real_cos (real x) { return cos (x); }
#else
static inline real real_sqrt (real x) { return sqrtf (x); }
static inline real real_abs (real x) { return fabsf (x); }
static inline real real_erf (real x) { return erff (x); }
static inline real real_sin (real x) { return sinf (x); }
static inline real real_atan (real x) { return atanf (x); }
static inline real real_floor (real x) { return floorf (x); }
static inline real real_rint (real x) { return rintf (x); }
static inline real real_cos (real x) { return cosf (x); }

static inline __attribute__ ((always_inline)) real
real_exp (real x)
{
  const real round = 12582912.f; /* 1.5 * 2^23: adding it rounds to the nearest integer */
  union { real r; gint32 i; } scale;
  real n, p;

  x = x > 88.3f ? 88.3f : x;
  x = x < -87.f ? -87.f : x;
  n = x * 1.44269504088896341f + round;
  scale.r = n;
  scale.i = (gint32) ((guint32) (scale.i + 127) << 23);
  n -= round;
  x -= n * 0.693359375f;
  x += n * 2.12194440e-4f;
  p = 1.9875691500e-4f;
  p = p * x + 1.3981999507e-3f;
  p = p * x + 8.3334519073e-3f;
  p = p * x + 4.1665795894e-2f;
  p = p * x + 1.6666665459e-1f;
  p = p * x + 5.0000001201e-1f;
  p = p * x * x + x + 1;
  return p * scale.r;
}

/* Of normal positive numbers; less than the smallest of them counts as it. */
static inline __attribute__ ((always_inline)) real
real_log (real x)
{
  const real least = 1.17549435e-38f, root_half = 0.707106781186547524f;
  union { real r; gint32 i; } m = { .r = x < least ? least : x };
  real e = (m.i >> 23) - 126, z, p;

  m.i = (m.i & 0x7fffff) | 0x3f000000;
  e -= m.r < root_half ? 1.f : 0.f;
  m.r = m.r < root_half ? m.r + m.r - 1 : m.r - 1;
  z = m.r * m.r;
  p = 7.0376836292e-2f;
  p = p * m.r - 1.1514610310e-1f;
  p = p * m.r + 1.1676998740e-1f;
  p = p * m.r - 1.2420140846e-1f;
  p = p * m.r + 1.4249322787e-1f;
  p = p * m.r - 1.6668057665e-1f;
  p = p * m.r + 2.0000714765e-1f;
  p = p * m.r - 2.4999993993e-1f;
  p = p * m.r + 3.3333331174e-1f;
  p = p * m.r * z - 2.12194440e-4f * e - 0.5f * z;
  z = m.r + p + 0.693359375f * e;
  return x == x ? z : x;
}

/* Of numbers from 0 to 1. */
static inline __attribute__ ((always_inline)) real
real_log1p (real x)
{
  real u = 1 + x;

  return real_log (u) - ((u - 1) - x) / u;
}

static inline __attribute__ ((always_inline)) real
real_tanh (real x)
{
  real a = fabsf (x), z = x * x, p, big;

  p = -5.70498872745e-3f;
  p = p * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  p = p * z * x + x;
  big = 1 - 2 / (real_exp (2 * a) + 1);
  big = x < 0 ? -big : big;
  return a < 0.625f ? p : big;
}
#endif

static inline __attribute__ ((always_inline)) real
real_sigmoid (real x)
{
  return 1 / (1 + real_exp (-x));
}

#define LAYER_FUNCS(name)                                          \
  void CLASSED (nn_##name##_forward) (const NnLayer *, NnShard *); \
  void CLASSED (nn_##name##_backward) (const NnLayer *, NnShard *);

LAYER_FUNCS (linear)
LAYER_FUNCS (depthwise)
LAYER_FUNCS (act)
LAYER_FUNCS (softmax)
LAYER_FUNCS (batch_norm)
LAYER_FUNCS (layer_norm)
LAYER_FUNCS (scale)
LAYER_FUNCS (prelu)
LAYER_FUNCS (dropout)
LAYER_FUNCS (sum_map)
LAYER_FUNCS (max_map)
LAYER_FUNCS (product_map)
LAYER_FUNCS (weight_map)
LAYER_FUNCS (merge)
LAYER_FUNCS (concatenate)
LAYER_FUNCS (embedding)
LAYER_FUNCS (simple_rnn)
LAYER_FUNCS (lstm)
LAYER_FUNCS (gru)
LAYER_FUNCS (quantize)

void     CLASSED (nn_act_apply)            (NnAct act, const NnAttrs *attrs, gsize n, const real *x, real *y);
void     CLASSED (nn_act_back)             (NnAct act, const NnAttrs *attrs, gsize n, const real *x, const real *y,
                                            const real *gy, real *gx);
void     CLASSED (nn_quantize_apply)       (const NnQuantizer *q, const NnShape *shape, gsize n, gsize lanes, double *sample,
                                            const real *x, real *y);
void     CLASSED (nn_quantize_back)        (const NnQuantizer *q, gsize n, gsize lanes, const real *x, const real *g, real *gx,
                                            gboolean add);
void     CLASSED (nn_linear_prepare)       (const NnLayer *layer, gconstpointer values, gpointer aux);
void     CLASSED (nn_batch_norm_finish)    (const NnLayer *layer, NnShard *shard);
void     CLASSED (nn_batch_norm_finish_back) (const NnLayer *layer, NnShard *shard);
void     CLASSED (nn_linear_rows)          (const NnLayer *layer, NnShard *shard, guint first, guint last, gboolean fill, real *y);
void     CLASSED (nn_linear_rows_gradient) (const NnLayer *layer, NnShard *shard, guint first, guint last, const real *g);
void     CLASSED (nn_norm_pool_sums)       (const NnLayer *layer, NnShard *shard);
void     CLASSED (nn_norm_pool_finish)     (const NnLayer *layer, NnShard *shard);
void     CLASSED (nn_norm_pool_backward)   (const NnLayer *layer, NnShard *shard);
void     CLASSED (nn_norm_pool_finish_back) (const NnLayer *layer, NnShard *shard);
void     CLASSED (nn_gather)  (gpointer block, const float *rows, gsize row, const guint32 *samples, guint valid, guint lanes);
void     CLASSED (nn_scatter) (float *rows, gsize row, gconstpointer block, guint valid, guint lanes);
void     CLASSED (nn_loss)    (const NnLossCall *call, NnLossSums *sums);
void     CLASSED (nn_update)  (const NnUpdate *update, gsize n, gpointer values, gpointer *grads, guint n_grads,
                               gconstpointer live, gpointer m, gpointer v);
gboolean CLASSED (nn_finite)  (gconstpointer block, gsize n);
