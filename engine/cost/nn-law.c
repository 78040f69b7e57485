/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Laws of multipliers and memories.
 *
 * Found on and checked against published syntheses (tests/engine/test-cost-truth.c runs over all of them): Vitis HLS
 * 2021.1 and 2024.1, Vivado HLS 2020.1.
 */

#include "nn-law.h"

#include <string.h>

/* A table of fewer bits is made of LUTs (480 words of 2 bits are, 512 are not). */
#define MIN_MEMORY_BITS 1024
/* DSP48E1 (UG479), DSP48E2 (UG579): the multiplier a part has where none is told. */
#define DEFAULT_MULT_A 25
#define DEFAULT_MULT_B 18
/* An 18 Kb block is 1024 words of 18 bits or 512 of 36 (UG473, UG573); deeper memories take it narrower. */
#define BRAM_WIDE_DEPTH 512
#define BRAM_WIDE_BITS 36
#define BRAM_DEEP_DEPTH 1024
#define BRAM_DEEP_BITS 18

/**
 * nn_csd_digits:
 *
 * Returns: the number of non-zero digits of @value's canonical signed-digit form, the fewest of all forms with digits
 *   -1, 0 and 1. It is the number of bits in which 3 |v| and |v| differ.
 */
guint
nn_csd_digits (gint64 value)
{
  guint64 v = value < 0 ? -(guint64) value : (guint64) value;
  guint digits = 0;

  if (v <= G_MAXUINT64 / 3)
    return __builtin_popcountll ((3 * v) ^ v);
  for (; v != 0; v >>= 1)
    if (v & 1)
      {
        digits++;
        if ((v & 3) == 3) /* ...11: the digit is -1 and carries */
          v += 1;
        else
          v -= 1;
      }
  return digits;
}

static int
compare_int64 (gconstpointer a,
               gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return (x > y) - (x < y);
}

NnWeightCount
nn_law_count (const gint64 *raw,
              gsize         n_in,
              gsize         n_out,
              gboolean      vivado)
{
  NnWeightCount count = { 0 };
  g_autofree gint64 *row = g_new (gint64, MAX (n_out, 1));
  g_autofree gsize *fan_in = g_new0 (gsize, MAX (n_out, 1));

  for (gsize i = 0; i < n_in; i++)
    {
      memcpy (row, raw + i * n_out, n_out * sizeof *row);
      for (gsize o = 0; o < n_out; o++)
        if (row[o] != 0)
          {
            count.n_nonzero++;
            fan_in[o]++;
          }
      qsort (row, n_out, sizeof *row, compare_int64);
      for (gsize o = 0; o < n_out; o++)
        {
          guint digits;

          if (row[o] == 0 || (o > 0 && row[o] == row[o - 1]))
            continue;
          digits = nn_csd_digits (row[o]);
          count.n_products++;
          if (digits == 2)
            count.n_two_digit++;
          else if (digits > 2 && !(vivado && (row[o] == 11 || row[o] == 13)))
            count.n_dsp++;
          if (digits > 2)
            count.n_logic_digits += digits - 1;
        }
    }
  for (gsize o = 0; o < n_out; o++)
    count.max_fan_in = MAX (count.max_fan_in, fan_in[o]);
  return count;
}

gsize
nn_latency_dsp (const gint64 *raw,
                gsize         n_in,
                gsize         n_out)
{
  return nn_law_count (raw, n_in, n_out, FALSE).n_dsp;
}

gsize
nn_law_multiplier_limit (gsize n_in,
                         gsize n_out,
                         guint reuse,
                         gsize n_zeros)
{
  gsize n = n_in * n_out, r = MAX (reuse, 1);

  return MAX ((n + r - 1) / r - MIN (n_zeros / r, (n + r - 1) / r), 1);
}

gsize
nn_law_live_multipliers (const gint64 *raw,
                         gsize         n_in,
                         gsize         n_out,
                         guint         reuse)
{
  gsize n = n_in * n_out, live = 0;

  for (gsize first = 0; first < n; first += MAX (reuse, 1))
    {
      gboolean any = FALSE;

      /* weight f of the transposed matrix is (f % n_in, f / n_in) of the model's */
      for (gsize f = first; f < MIN (first + MAX (reuse, 1), n) && !any; f++)
        any = raw[(f % n_in) * n_out + f / n_in] != 0;
      live += any;
    }
  return live;
}

guint
nn_law_last_bits (const gint64 *raw,
                  gsize         n_in,
                  gsize         n_out,
                  guint         reuse)
{
  gsize n = n_in * n_out, r = MAX (reuse, 1);

  /* of the last multiplier with a weight: the others of a pruned kernel are not there */
  for (gsize block = (n + r - 1) / r; block > 0; block--)
    {
      guint bits = 0;

      for (gsize f = (block - 1) * r; f < MIN (block * r, n); f++)
        {
          gint64 v = raw[(f % n_in) * n_out + f / n_in];
          guint64 magnitude = v < 0 ? ~(guint64) v : (guint64) v;

          if (v != 0)
            bits = MAX (bits, (magnitude == 0 ? 0 : 64 - (guint) __builtin_clzll (magnitude)) + 1);
        }
      if (bits > 0)
        return bits;
    }
  return 1;
}

gboolean
nn_law_has_index_memory (gsize n_in,
                         guint reuse)
{
  gsize served = n_in > 0 ? reuse / n_in : 0, bits = 0;

  while (((gsize) 1 << bits) < served)
    bits++;
  return bits * reuse >= MIN_MEMORY_BITS;
}

gsize
nn_law_rom_bram (gsize depth,
                 gsize width)
{
  gsize wide = (width + BRAM_WIDE_BITS - 1) / BRAM_WIDE_BITS, deep = (width + BRAM_DEEP_BITS - 1) / BRAM_DEEP_BITS;
  gsize rest = depth % BRAM_DEEP_DEPTH;

  if (width == 0)
    return 0;
  /* HLS splits a deeper one into full blocks and a rest */
  return depth / BRAM_DEEP_DEPTH * deep + (rest == 0 ? 0 : rest <= BRAM_WIDE_DEPTH ? wide : deep);
}

/* Bits that a signed multiplier needs for a number of this type. */
static guint
operand_bits (const NnType *type)
{
  return type->width + (type->kind == NN_TYPE_FIXED && !type->is_signed);
}

static gboolean
is_multiplied (const NnType *type)
{
  return type->kind == NN_TYPE_FIXED || type->kind == NN_TYPE_AUTO;
}

guint
nn_multiplier_dsp (const NnPart *part,
                   const NnType *a,
                   const NnType *b)
{
  guint wide = MAX (operand_bits (a), operand_bits (b)), narrow = MIN (operand_bits (a), operand_bits (b));
  guint mult_a = part != NULL && part->mult_a > 0 ? part->mult_a : DEFAULT_MULT_A;
  guint mult_b = part != NULL && part->mult_b > 0 ? part->mult_b : DEFAULT_MULT_B;

  if (part != NULL && part->family == NN_FAMILY_ASIC)
    return 0;
  if (!is_multiplied (a) || !is_multiplied (b) || MIN (a->width, b->width) <= NN_LAW_LOGIC_WEIGHT_BITS)
    return 0;
  if (wide <= mult_a && narrow <= mult_b)
    return 1;
  /* parts of a wide operand but the top one are unsigned: one bit less of the signed multiplier serves them */
  return ((wide - 2) / (mult_a - 1) + 1) * ((narrow - 2) / (mult_b - 1) + 1);
}

guint
nn_multipliers_per_dsp (const NnPart *part,
                        const NnType *a,
                        const NnType *b)
{
  gboolean intel = part != NULL && (part->family == NN_FAMILY_ARRIA10 || part->family == NN_FAMILY_STRATIX10
                                    || part->family == NN_FAMILY_AGILEX);
  guint wide = MAX (operand_bits (a), operand_bits (b)), narrow = MIN (operand_bits (a), operand_bits (b));

  /* two 18x19 a block (Intel: Arria 10 core fabric handbook, A10-HANDBOOK; Agilex 7 device overview, 683458) */
  return intel && wide <= 19 && narrow <= 18 ? 2 : 1;
}
